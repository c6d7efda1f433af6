"""Did the training of a GAN work? A verdict from its history and its images, in plain numpy."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Verdict = Literal["stable", "collapsed", "failed"]

# Measured with 60 drawings a class: 0.83-0.95 where drawings of a class differ visibly, 0.15-0.25
# where each class has become one drawing.
COLLAPSED_BELOW = 0.5
CONSTANT_BELOW = 0.05
SILENT_LOSS = 0.01
LAST_SHARE = 0.25


@dataclass(frozen=True)
class Stability:
    """A verdict, one sentence why, and the figures it rests on (all finite)."""

    verdict: Verdict
    reason: str
    evidence: dict[str, float | int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The content of ``stability.json``."""
        return asdict(self)


def judge(
    history: Sequence[Mapping[str, float]],
    generated: npt.NDArray[np.uint8],
    real: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.integer[Any]],
) -> Stability:
    """Judge a finished training.

    Args:
        history: rows with ``step``, ``source_loss``, ``discriminator_loss``, ``generator_loss``.
        generated: uint8 (C, K, H, W), K >= 2 images of each of the C classes.
        real: uint8 (N, H, W).
        labels: the classes of `real`, (N,).
    """
    broken = first_broken(history)
    if broken is not None:
        return Stability("failed", f"The losses are no finite numbers since step {broken}.")
    diversity = relative_diversity(generated, real, labels)
    overall = _overall_spread(generated) / max(_overall_spread(real), 1e-9)
    silent = _final(history, "source_loss")
    evidence: dict[str, float | int] = {
        "diversity": _rounded(np.median(diversity)),
        "diversity_lowest_class": _rounded(diversity.min()),
        "spread": _rounded(overall),
        "final_source_loss": _rounded(silent),
        "final_source_accuracy": _rounded(_final(history, "source_accuracy")),
        "steps": int(history[-1]["step"]) if history else 0,
    }
    if overall < CONSTANT_BELOW:
        reason = f"All images look alike: they vary {overall:.0%} as much as the real ones."
        return Stability("failed", reason, evidence)
    if silent < SILENT_LOSS:
        reason = (
            f"The discriminator told every image apart (source loss {silent:.3f}), "
            "so the generator had nothing left to learn from."
        )
        return Stability("failed", reason, evidence)
    median = float(np.median(diversity))
    if median < COLLAPSED_BELOW:
        reason = f"Images of one class vary only {median:.0%} as much as the real ones of it."
        return Stability("collapsed", reason, evidence)
    reason = f"Losses stayed in balance and images of a class vary {median:.0%} as much as real."
    return Stability("stable", reason, evidence)


def first_broken(history: Sequence[Mapping[str, float]]) -> int | None:
    """The first step whose losses are not finite, or None."""
    for row in history:
        if not np.isfinite([row["discriminator_loss"], row["generator_loss"]]).all():
            return int(row["step"])
    return None


def relative_diversity(
    generated: npt.NDArray[np.uint8],
    real: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.integer[Any]],
) -> npt.NDArray[np.float64]:
    """Per class, the mean distance of two generated images over that of two real ones, (C,)."""
    ratios = []
    for index, images in enumerate(generated):
        # As many real as generated ones, so that both means rest on equal evidence.
        mates = real[labels == index][: len(images)]
        ratios.append(mean_distance(images) / max(mean_distance(mates), 1e-9))
    return np.array(ratios)


def mean_distance(images: npt.NDArray[np.uint8]) -> float:
    """Mean Euclidean distance of two of the images (N, H, W), on 0-1 pixels averaged 2 by 2.

    Averaging makes a stroke moved by one pixel count as nearly the same. 0 for fewer than two.
    """
    count = len(images)
    if count < 2:
        return 0.0
    flat = halved(images).reshape(count, -1)
    squares = (flat**2).sum(axis=1)
    square_distances = squares[:, None] + squares[None, :] - 2 * flat @ flat.T
    total = np.sqrt(np.maximum(square_distances, 0.0))
    np.fill_diagonal(total, 0.0)
    return float(total.sum() / (count * (count - 1)))


def halved(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Images (N, H, W) at half their size, each pixel the mean of 2 by 2, as values 0 to 1."""
    count, height, width = images.shape
    blocks = images[:, : height // 2 * 2, : width // 2 * 2].reshape(
        count, height // 2, 2, width // 2, 2
    )
    return np.asarray(blocks.mean(axis=(2, 4)) / 255.0, dtype=np.float64)


def _overall_spread(images: npt.NDArray[np.uint8]) -> float:
    """Standard deviation of a pixel over all images, averaged over the pixels."""
    flat = images.reshape(-1, images.shape[-2] * images.shape[-1]) / 255.0
    return float(flat.std(axis=0).mean())


def _final(history: Sequence[Mapping[str, float]], name: str) -> float:
    """Mean of a column over the last quarter of the history; 0 without history."""
    if not history:
        return 0.0
    last = max(1, round(len(history) * LAST_SHARE))
    return float(np.mean([row[name] for row in history[-last:]]))


def _rounded(value: Any) -> float:
    return round(float(value), 4)
