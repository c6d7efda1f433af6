"""Drawings and heat maps as small pictures."""

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augstudy.pages import style

_TILE = 96
_HEAT = mpl.colors.LinearSegmentedColormap.from_list(
    "heat", ["#ffffff", "#fff1b8", "#fdbb5c", "#ee6a3a", "#b91c4b"]
)
_INK = np.array([24.0, 30.0, 42.0])


def strip(images: NDArray[np.uint8], columns: int) -> str:
    """Drawings side by side, dark ink on white: (K, 28, 28) to a data URI.

    Room is left for `columns` drawings, so that strips with fewer align.
    """
    height, width = images.shape[1:]
    paper = np.full((height + 4, columns * (width + 4)), 255, np.uint8)
    for place, image in enumerate(images[:columns]):
        left = place * (width + 4) + 2
        paper[2:-2, left : left + width] = 255 - image
    return style.image_uri(paper)


def sheet(images: NDArray[np.uint8]) -> str:
    """Drawings (R, K, 28, 28) in rows, dark ink on white, as a data URI."""
    rows, columns, height, width = images.shape
    paper = np.full((rows, columns, height + 4, width + 4), 255, np.uint8)
    paper[:, :, 2:-2, 2:-2] = 255 - images
    return style.image_uri(paper.transpose(0, 2, 1, 3).reshape(rows * (height + 4), -1))


def heat_tile(image: NDArray[np.uint8], heat: NDArray[np.floating]) -> str:
    """A drawing (H, W) over its heat (H, W) in [0, 1], as a small square picture."""
    ink = _enlarge(image / 255)
    warmth = _enlarge(heat)
    ground = 255 * np.asarray(_HEAT(0.92 * warmth))[..., :3]
    mixed = ground * (1 - ink[..., None]) + _INK * ink[..., None]
    return style.image_uri(mixed.clip(0, 255).astype(np.uint8), lossy=True)


def _enlarge(values: NDArray[np.floating]) -> NDArray[np.float32]:
    picture = Image.fromarray(values.astype(np.float32)).resize(
        (_TILE, _TILE), Image.Resampling.BICUBIC
    )
    return np.asarray(picture, np.float32).clip(0, 1)
