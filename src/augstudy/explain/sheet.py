"""A sheet of images: one row per class."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from augstudy.core.canvas import GREYS, settings, tiled
from augstudy.settings.spec import DRAWING, ImageSpec

_INK = "#1f2933"
# A sheet is part of an artifact, so its look is fixed here, whatever pages look like.
_LOOK = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": _INK,
    "axes.titlepad": 8,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}
_INCHES_AN_IMAGE = 0.62
_INCHES_OF_NAMES = 1.25
_GAP = 2


def draw_sheet(
    path: Path,
    rows: Sequence[Sequence[npt.NDArray[np.uint8] | None]],
    classes: Sequence[str],
    title: str,
    spec: ImageSpec = DRAWING,
) -> None:
    """Draw a row of images for each class, with the names of the classes at the left.

    Equal input gives equal bytes.

    Args:
        path: of the PNG file.
        rows: (C, K) uint8 images; a None leaves room, and rows may differ in length.
        classes: names of the C classes.
        title: above the sheet.
        spec: what the images are like: drawings are shown as dark ink on white paper.
    """
    shown = [[None if image is None else spec.shown(image) for image in row] for row in rows]
    paper = tiled(shown, spec.stored, _GAP)
    columns = max(map(len, rows))
    height = _INCHES_AN_IMAGE * spec.height / spec.width
    with settings(_LOOK):
        size = _INCHES_OF_NAMES + columns * _INCHES_AN_IMAGE, len(rows) * height + 0.4
        sheet = Figure(figsize=size, layout="constrained")
        axes = sheet.add_subplot()
        axes.imshow(paper, cmap=GREYS, vmin=0, vmax=255, interpolation="nearest")
        axes.set_title(title)
        axes.set_xticks([])
        pitch = paper.shape[0] / len(rows)
        axes.set_yticks(
            [(row + 0.5) * pitch - 0.5 for row in range(len(rows))], classes, parse_math=False
        )
        axes.tick_params(labelcolor=_INK, labelsize=9)
        for spine in axes.spines.values():
            spine.set_visible(False)
        sheet.savefig(path, dpi=140, facecolor="white", metadata={"Software": None})
