"""The report's section on doubtful test labels: what they cost, and how they look."""

from typing import Any

import numpy as np

from augstudy.pages import wording
from augstudy.pages.figures import pictures
from augstudy.pages.style import colour_of
from augstudy.results.material import ArmResult, Material
from augstudy.results.models import Study, Trusted


def section(material: Material, summary: Study) -> dict[str, Any]:
    """The rows and pictures of the report's section on labels."""
    found = summary.label_noise
    with np.load(material.arms[0].artifact.file("label_noise.npz"), allow_pickle=False) as stored:
        shown = {name: stored[name] for name in ("images", "labels", "suggested")}
    return {
        "drawn": material.spec.is_drawing,
        "suspicious": found.suspicious,
        "share": wording.percent(found.suspicious / (found.suspicious + found.left)),
        "estimated": wording.percent(found.estimated_noise),
        "rows": [_row(arm, found.arms[arm.label]) for arm in material.arms],
        "images": [
            {
                "uri": pictures.strip(image[None], 1, material.spec),
                "given": material.classes[given],
                "suggested": material.classes[suggested],
            }
            for image, given, suggested in zip(
                shown["images"], shown["labels"], shown["suggested"], strict=True
            )
        ],
    }


def _row(arm: ArmResult, found: Trusted) -> dict[str, Any]:
    row = {
        "title": wording.title_of(arm),
        "colour": colour_of(arm),
        "all": wording.percent(found.all),
        "left": "" if found.left is None else wording.percent(found.left),
        "difference": "",
        "span": "",
    }
    if change := found.left_minus_real:
        low, high = wording.signed(change.low), wording.signed(change.high)
        row |= {"difference": wording.signed(change.mean), "span": f"{low} to {high}"}
    return row
