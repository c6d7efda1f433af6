"""Images and heat maps as small pictures: drawings as dark ink on white, all others as they are."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augstudy.core.arrays import Images
from augstudy.core.canvas import tiled
from augstudy.pages import style
from augstudy.settings.spec import ImageSpec

_GAP = 2
_TILE = 96  # pixels of the longer side of a heat map
_MOST = 64  # of any image in a row of them
_COVER = 0.5  # of a photo, by the hottest place
_HEAT = mpl.colors.LinearSegmentedColormap.from_list(
    "heat", ["#ffffff", "#fff1b8", "#fdbb5c", "#ee6a3a", "#b91c4b"]
)
_INK = np.array([24.0, 30.0, 42.0])


def strip(images: Images, columns: int, spec: ImageSpec) -> str:
    """Images side by side, (K, height, width[, 3]) to a data URI.

    Room is left for `columns` images, so that strips with fewer align.
    """
    shown = [*images[:columns], *[None] * (columns - len(images))]
    return _tiled([shown], spec)


def sheet(images: Images, spec: ImageSpec) -> str:
    """Images (R, K, height, width[, 3]) in rows, as a data URI."""
    return _tiled(list(images), spec)


def heat_tile(image: Images, heat: NDArray[np.floating], spec: ImageSpec) -> str:
    """An image with its heat (height, width) in [0, 1]: ink above it, or a photo below it."""
    size = _fitted(spec, _TILE, enlarge=True)
    warmth = _enlarge(heat, size)[..., None]
    colours = 255 * np.asarray(_HEAT(0.92 * warmth[..., 0]))[..., :3]
    if spec.is_drawing:
        ink = _enlarge(image / 255, size)[..., None]
        mixed = colours * (1 - ink) + _INK * ink
    else:
        photo = Image.fromarray(image).convert("RGB").resize(size, Image.Resampling.BICUBIC)
        cover = _COVER * warmth
        mixed = np.asarray(photo, np.float32) * (1 - cover) + colours * cover
    return style.image_uri(mixed.clip(0, 255).astype(np.uint8), lossy=True)


def _tiled(rows: Sequence[Sequence[Any]], spec: ImageSpec) -> str:
    size = _fitted(spec, _MOST, enlarge=False)
    shown = [
        [None if image is None else _shown(image, spec, size) for image in row] for row in rows
    ]
    paper = tiled(shown, (size[1], size[0], *spec.stored[2:]), _GAP)
    return style.image_uri(paper, lossy=not spec.is_drawing)


def _shown(image: Images, spec: ImageSpec, size: tuple[int, int]) -> Images:
    shown: Images = spec.shown(image)
    if size == (spec.width, spec.height):
        return shown
    return np.asarray(Image.fromarray(shown).resize(size, Image.Resampling.LANCZOS))


def _fitted(spec: ImageSpec, most: int, *, enlarge: bool) -> tuple[int, int]:
    """Width and height with the longer side `most` pixels, or less where it need not be so."""
    longer = max(spec.plane)
    factor = most / longer if enlarge or longer > most else 1
    return max(1, round(spec.width * factor)), max(1, round(spec.height * factor))


def _enlarge(values: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.float32]:
    picture = Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(picture, np.float32).clip(0, 1)
