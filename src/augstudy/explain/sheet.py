"""A sheet of generated drawings: one row per class, dark ink on white paper."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from augstudy.core.canvas import GREYS, settings

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
_INCHES_A_DRAWING = 0.62
_INCHES_OF_NAMES = 1.25
_GAP = 2


def draw_sheet(
    path: Path, drawings: npt.NDArray[np.uint8], classes: Sequence[str], title: str
) -> None:
    """Draw uint8 (C, K, 28, 28) `drawings`, with the names of the C `classes` at the left.

    Equal input gives equal bytes.
    """
    rows, columns = drawings.shape[:2]
    width = _INCHES_OF_NAMES + columns * _INCHES_A_DRAWING
    with settings(_LOOK):
        sheet = Figure(figsize=(width, rows * _INCHES_A_DRAWING + 0.4), layout="constrained")
        axes = sheet.add_subplot()
        paper = _tiled(drawings)
        axes.imshow(255 - paper, cmap=GREYS, vmin=0, vmax=255, interpolation="nearest")
        axes.set_title(title)
        axes.set_xticks([])
        pitch = paper.shape[0] / rows
        axes.set_yticks([(row + 0.5) * pitch - 0.5 for row in range(rows)], list(classes))
        axes.tick_params(labelcolor=_INK, labelsize=9)
        for spine in axes.spines.values():
            spine.set_visible(False)
        sheet.savefig(path, dpi=140, facecolor="white", metadata={"Software": None})


def _tiled(drawings: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """(C, K, H, W) -> one picture, with a gap around each drawing."""
    padded = np.pad(drawings, ((0, 0), (0, 0), (_GAP, _GAP), (_GAP, _GAP)))
    rows, columns, height, width = padded.shape
    return padded.transpose(0, 2, 1, 3).reshape(rows * height, columns * width)
