"""What the test labels are worth: accuracy without the doubtful ones, and how they look."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augstudy.pages import wording
from augstudy.pages.figures import pictures
from augstudy.results.comparisons import difference
from augstudy.results.material import ArmResult, Material


def compare(material: Material) -> dict[str, Any]:
    """Accuracy of every arm on all test images and on those whose labels `real` believes.

    Doubtful are the images that confident learning finds in the mean predictions of the arm `real`
    (see :func:`augstudy.metrics.label_noise.find_label_noise`).

    Returns:
        ``suspicious`` and ``left`` (counts), ``estimated_noise`` (a share), and by arm ``all`` and
        ``left`` (accuracies) and, but for `real`, ``left_minus_real`` with its 95 % interval.
    """
    real = material.arms[0]
    with np.load(real.artifact.file("label_noise.npz"), allow_pickle=False) as stored:
        suspicious, noise = stored["suspicious"], float(stored["noise"])
    left = ~suspicious
    return {
        "suspicious": int(suspicious.sum()),
        "left": int(left.sum()),
        "estimated_noise": noise,
        "arms": {arm.label: _accuracies(arm, material.arms, left) for arm in material.arms},
    }


def section(material: Material, summary: Mapping[str, Any]) -> dict[str, Any]:
    """The rows and pictures of the report's section on labels."""
    found = summary["label_noise"]
    with np.load(material.arms[0].artifact.file("label_noise.npz"), allow_pickle=False) as stored:
        shown = {name: stored[name] for name in ("images", "labels", "suggested")}
    return {
        "suspicious": found["suspicious"],
        "share": wording.percent(found["suspicious"] / (found["suspicious"] + found["left"])),
        "estimated": wording.percent(found["estimated_noise"]),
        "rows": [_row(arm, found["arms"][arm.label]) for arm in material.arms],
        "drawings": [
            {
                "uri": pictures.strip(image[None], 1),
                "given": material.classes[given],
                "suggested": material.classes[suggested],
            }
            for image, given, suggested in zip(
                shown["images"], shown["labels"], shown["suggested"], strict=True
            )
        ],
    }


def _accuracies(
    arm: ArmResult, arms: Sequence[ArmResult], left: NDArray[np.bool_]
) -> dict[str, Any]:
    if not left.any():
        return {"all": float(arm.correct.mean())}
    record: dict[str, Any] = {
        "all": float(arm.correct.mean()),
        "left": float(arm.correct[:, left].mean()),
    }
    real = arms[0]
    if arm is real:
        return record
    found = difference(arm, real, arms, left)
    record["left_minus_real"] = {"mean": found.mean, "low": found.low, "high": found.high}
    return record


def _row(arm: ArmResult, found: Mapping[str, Any]) -> dict[str, Any]:
    row = {
        "title": arm.title,
        "colour": arm.colour,
        "all": wording.percent(found["all"]),
        "left": wording.percent(found["left"]) if "left" in found else "",
        "difference": "",
        "span": "",
    }
    if change := found.get("left_minus_real"):
        low, high = wording.signed(change["low"]), wording.signed(change["high"])
        row |= {"difference": wording.signed(change["mean"]), "span": f"{low} to {high}"}
    return row
