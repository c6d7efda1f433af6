"""What every figure is drawn on: Matplotlib as it comes, whatever a user's matplotlibrc says.

A picture may be part of an artifact, so what decides its bytes would decide the artifact's hash.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np

from augstudy.core.arrays import Images

# A matplotlibrc also decides how many greys Matplotlib's own "gray" has.
GREYS = mpl.colors.LinearSegmentedColormap.from_list("greys", ["black", "white"], N=256)


@contextlib.contextmanager
def settings(changes: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Draw and save with Matplotlib's default settings but for `changes`.

    Texts are drawn as they are: two dollar signs in the name of a class are no formula.
    """
    own = {name: value for name, value in mpl.rcParamsDefault.items() if "backend" not in name}
    with mpl.rc_context({**own, "text.parse_math": False, **(changes or {})}):
        yield


def tiled(rows: Sequence[Sequence[Any]], shape: Sequence[int], gap: int) -> Images:
    """One white picture of rows of images of a `shape`, so many pixels around each.

    A None leaves room for an image, and rows may differ in length.
    """
    height, width = shape[0] + 2 * gap, shape[1] + 2 * gap
    columns = max(map(len, rows), default=0)
    paper = np.full((len(rows) * height, columns * width, *shape[2:]), 255, np.uint8)
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            if image is not None:
                top, left = row * height + gap, column * width + gap
                paper[top : top + shape[0], left : left + shape[1]] = image
    return paper
