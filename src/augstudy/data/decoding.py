"""From the content of an image file, or from pixels, to an image of a given size."""

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from augstudy.settings.data import ImageSettings
from augstudy.settings.spec import LEAST_SIDE, ImageSpec

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "TIFF", "GIF", "PPM")
_MOST_PIXELS = 100_000_000
_USUAL_SIDE = 64  # the longest that is chosen if nobody says otherwise
_ROUND = 4  # pixels; networks halve sides twice
_SEE_THROUGH = ("RGBA", "RGBa", "LA", "La", "PA")
_GREY = ("1", "L", "LA", "I", "F")
_TRANSPOSED = (5, 6, 7, 8)  # values of EXIF's orientation that lie on their side
_ORIENTATION = 0x0112
Image.init()  # all formats that Pillow knows
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # we refuse them

Pixels = NDArray[np.uint8]


class UnreadableError(Exception):
    """An image cannot be decoded; the message says why, in a few words."""


@dataclass(frozen=True)
class Look:
    """What a file says of its image: its height and width as seen, and whether it is all grey."""

    height: int
    width: int
    grey: bool


def look(content: bytes | Pixels) -> Look:
    """What an image is like, before it is resized.

    Raises:
        UnreadableError: it is none.
    """
    image = _opened(content)
    try:
        width, height = image.size
        if image.getexif().get(_ORIENTATION) in _TRANSPOSED:
            width, height = height, width
        image.draft("RGB", (_USUAL_SIDE, _USUAL_SIDE))
        return Look(height, width, _is_grey(image))
    except Exception as error:
        raise UnreadableError(_reason(error)) from error


def spec_of(looks: Sequence[Look], settings: ImageSettings) -> ImageSpec:
    """What images are made into: as the settings say, or else as suits most of them.

    Images of one size of at most 64 pixels keep it. Those of one shape are scaled down to it with
    64 pixels on the longer side; others become squares as long as the median of their shorter
    sides, at most 64. Without any colour in them they are grey.
    """
    size, channels = settings.size, settings.channels
    if isinstance(size, int):
        height, width = (size, size) if size else _usual(looks)
    else:
        height, width = size
    return ImageSpec(
        height,
        width,
        channels or (1 if all(item.grey for item in looks) else 3),
        settings.background,
    )


def decode(content: bytes | Pixels, spec: ImageSpec, settings: ImageSettings) -> Pixels:
    """An image of `spec`, uint8 (height, width) or (height, width, 3).

    The orientation of EXIF is heeded, 16 bits are scaled to 8, what is transparent shows the fill
    colour of the settings, and of several frames the first counts. Other sizes are made to fit by
    the rule of the settings, with Pillow's bicubic filter.

    Raises:
        UnreadableError: it is no image, is cut short, or has more than 100 million pixels.
    """
    image = _opened(content)
    try:
        side = 2 * max(spec.plane)
        image.draft("RGB", (side, side))  # large photos are read at a fraction
        image = ImageOps.exif_transpose(image)
        return np.asarray(_fitted(_flat(image, spec, settings), spec, settings), np.uint8)
    except Exception as error:  # whatever a decoder makes of bytes that are no image
        raise UnreadableError(_reason(error)) from error


def _opened(content: bytes | Pixels) -> Image.Image:
    if isinstance(content, np.ndarray):
        return Image.fromarray(content)
    if not content:
        raise UnreadableError("it is empty")
    try:
        image = Image.open(io.BytesIO(content), formats=_FORMATS)
    except Exception as error:
        raise UnreadableError(_reason(error)) from error
    if image.width * image.height > _MOST_PIXELS:
        raise UnreadableError("it has more than 100 million pixels")
    return image


def _flat(image: Image.Image, spec: ImageSpec, settings: ImageSettings) -> Image.Image:
    """Without palette, transparency and extra depth: of mode L or RGB, as `spec` wants it."""
    if image.mode[0] in "IF":
        image = _shallow(image)
    if image.mode in _SEE_THROUGH or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, settings.fill)
        image = Image.alpha_composite(ground, image)
    return image.convert("L" if spec.channels == 1 else "RGB")


def _shallow(image: Image.Image) -> Image.Image:
    """Of 16 bits or of fractions, 8 bits."""
    values = np.asarray(image, np.float64)
    most = values.max()
    if image.mode == "F" and most <= 1:
        scale = 255.0
    elif image.mode == "F" and most <= 255:
        scale = 1.0
    elif most <= 65535:
        scale = 255 / 65535
    else:
        raise UnreadableError("it has more than 16 bits")
    if not np.isfinite(most) or values.min() < 0:
        raise UnreadableError("it has values that are no brightness")
    return Image.fromarray(np.rint(values * scale).astype(np.uint8))


def _fitted(image: Image.Image, spec: ImageSpec, settings: ImageSettings) -> Image.Image:
    size = (spec.width, spec.height)
    if image.size == size:
        return image
    filtered = Image.Resampling.BICUBIC
    if settings.resize == "crop":
        return ImageOps.fit(image, size, filtered)
    if settings.resize == "pad":
        ground = Image.new("RGB", size, settings.fill).convert(image.mode)
        image = ImageOps.contain(image, size, filtered)
        ground.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2))
        return ground
    return image.resize(size, filtered)


def _usual(looks: Sequence[Look]) -> tuple[int, int]:
    sides = np.array([(item.height, item.width) for item in looks], float)
    longest = sides.max(axis=1)
    if len(np.unique(sides, axis=0)) == 1 and longest[0] <= _USUAL_SIDE:
        height, width = sides[0]
        return max(LEAST_SIDE, int(height)), max(LEAST_SIDE, int(width))
    shapes = sides / longest[:, None]
    if np.ptp(shapes, axis=0).max() < 0.02:
        scaled = np.median(shapes, axis=0) * min(_USUAL_SIDE, float(np.median(longest)))
    else:
        scaled = np.repeat(min(_USUAL_SIDE, float(np.median(sides.min(axis=1)))), 2)
    height, width = (max(LEAST_SIDE, _ROUND * round(side / _ROUND)) for side in scaled)
    return height, width


def _is_grey(image: Image.Image) -> bool:
    if image.mode in _GREY or image.mode.startswith("I;16"):
        return True
    image.thumbnail((_USUAL_SIDE, _USUAL_SIDE))
    pixels = np.asarray(image.convert("RGB"))
    return bool((pixels == pixels[..., :1]).all())


def _reason(error: Exception) -> str:
    if isinstance(error, UnreadableError):
        return str(error)
    text = str(error).split("\n")[0].strip().rstrip(".")
    if isinstance(error, UnidentifiedImageError) or not text:
        return "it is no image of a known format"
    return text[0].lower() + text[1:120]
