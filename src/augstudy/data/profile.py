"""What a dataset is like, so that the next one can be compared with it before it is trained on."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from augstudy.core.artifacts import Artifact
from augstudy.data.dataset import SPLITS, load_classes, load_spec, load_split
from augstudy.settings.comparing import RetrainSettings

_BINS = 64
_SHARE_OF_A_BIN = 0.1  # of the reference, at least
_FALSE_ALARMS = 0.001  # a run, where nothing has changed
_DIGEST = 16  # bytes; enough to tell drawings apart

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Drift:
    """How far a histogram has moved: its population stability index, and what chance explains."""

    index: float
    chance: float


def profile(dataset: Artifact) -> dict[str, Any]:
    """Schema, counts and brightness histograms of a dataset, as JSON-ready values.

    ``ink`` counts a class's images, over all splits, by their mean brightness, in equal bins from 0
    to 1; drawings by the share of their pixels that is not background. ``available`` is how many
    images its source holds.
    """
    splits = [load_split(dataset, name) for name in SPLITS]
    images = np.concatenate([split.images for split in splits])
    labels = np.concatenate([split.labels for split in splits])
    of_image = tuple(range(1, images.ndim))
    drawn = load_spec(dataset).is_drawing
    shares = (images > 0).mean(of_image) if drawn else images.mean(of_image) / 255
    report = dataset.json("data_report.json")["classes"]
    return {
        "format": dataset.manifest.schema_version,
        "image": [*images.shape[1:], str(images.dtype)],
        "classes": [
            {
                "name": name,
                "available": report[name]["available"],
                "ink": np.histogram(shares[labels == label], _BINS, (0.0, 1.0))[0].tolist(),
            }
            for label, name in enumerate(load_classes(dataset))
        ],
    }


def problems(
    reference: Mapping[str, Any], now: Mapping[str, Any], settings: RetrainSettings
) -> list[str]:
    """What about the dataset with profile `now` is wrong beside the `reference`, a clause each."""
    names = [item["name"] for item in reference["classes"]]
    found = []
    if (was := _schema(reference)) != (is_now := _schema(now)):
        found.append(f"the format is {is_now}; it was {was}")
    if (current := [item["name"] for item in now["classes"]]) != names:
        found.append(f"the classes are {', '.join(current)}, they were {', '.join(names)}")
    if found:
        return found
    pairs = list(zip(reference["classes"], now["classes"], strict=True))
    for before, after in pairs:
        if after["available"] < (1 - settings.max_shrink) * before["available"]:
            found.append(
                f"class {after['name']!r} has {after['available']} images; it had "
                f"{before['available']} (max_shrink is {settings.max_shrink:g})"
            )
    for what, moved in drifts(reference, now).items():
        if moved.index > max(settings.max_drift, moved.chance):
            found.append(
                f"the brightness of {what} has drifted, its stability index is {moved.index:.2f} "
                f"(max_drift is {settings.max_drift:g}, chance explains {moved.chance:.2f})"
            )
    return found


def drifts(reference: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Drift]:
    """Drift of the ink histogram, of all classes together and of each; the classes must agree."""
    before, after = (
        {item["name"]: np.array(item["ink"], np.int64) for item in side["classes"]}
        for side in (reference, now)
    )
    tests = 1 + len(before)
    found = {"all images": drift(sum(before.values()), sum(after.values()), tests)}  # type: ignore[arg-type]
    for name in before:
        found[f"class {name!r}"] = drift(before[name], after[name], tests)
    return found


def drift(reference: Counts, now: Counts, tests: int = 1) -> Drift:
    """Compare two histograms over the same bins.

    Neighbouring bins are joined until each holds a tenth of the reference. Without any change the
    index is about (1/N + 1/M) times a chi-square variable with one degree of freedom less than
    bins (Yurdakul and Naranjo, "Statistical properties of the population stability index",
    Journal of Risk Model Validation 14, 2020); ``chance`` is its upper quantile, for as many
    `tests` as are made.

    Args:
        reference: counts a bin.
        now: the same of the newer drawings.
        tests: how many comparisons a run makes.
    """
    starts = _joined_bins(reference)
    before, after = np.add.reduceat(reference, starts), np.add.reduceat(now, starts)
    quantile = stats.chi2.ppf(1 - _FALSE_ALARMS / tests, max(1, len(starts) - 1))
    return Drift(
        stability_index(before, after), float(quantile * (1 / before.sum() + 1 / after.sum()))
    )


def stability_index(reference: Counts, now: Counts) -> float:
    """The population stability index of two histograms: sum of (q - p) ln(q / p) over bins.

    An empty bin counts as half a drawing. Below 0.1 is usually called stable, above 0.25 a major
    change (Siddiqi, "Credit Risk Scorecards", 2006).
    """
    p, q = (np.maximum(counts, 0.5) / counts.sum() for counts in (reference, now))
    return float(((q - p) * np.log(q / p)).sum())


def digests(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A hash of each image: (N, height, width) to (N, 16)."""
    rows = [hashlib.sha256(image.tobytes()).digest()[:_DIGEST] for image in images]
    return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, _DIGEST)


def among(hashes: NDArray[np.uint8], known: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which of the hashed images, (N, 16), are among the `known` ones, (M, 16): (N,)."""
    have = {row.tobytes() for row in known}
    return np.array([row.tobytes() in have for row in hashes], bool)


def _schema(side: Mapping[str, Any]) -> list[Any]:
    return [side["format"], *side["image"]]


def _joined_bins(counts: Counts) -> Sequence[int]:
    """Where each joined bin begins."""
    starts, held, total = [0], 0, counts.sum()
    for at, count in enumerate(counts):
        if held >= _SHARE_OF_A_BIN * total and total - counts[:at].sum() >= _SHARE_OF_A_BIN * total:
            starts.append(at)
            held = 0
        held += int(count)
    return starts
