"""One look for every figure: palette, plain axes, and encoding as data URIs with stable bytes."""

import base64
import colorsys
import contextlib
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image

from augstudy.core import canvas
from augstudy.pages import arms

INK = "#1f2933"
MUTED = "#6b7785"
FAINT = "#dfe3e8"
GOOD = "#0b6a54"
BAD = "#a63d1f"
_HUES = (0.0, 0.07, -0.07, 0.14, -0.14)  # of sets of synthetic images, as parts of the circle

_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "augstudy",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.titlepad": 8,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


def colour(arm: str, share: float | None = None, name: str | None = None) -> str:
    """The colour of an arm, the same in every figure; a smaller share is paler.

    An arm with a `name` of its own gets one of a few other colours.
    """
    if name is not None or arm not in arms.WORDS:
        return arms.spare(name or arm)
    red, green, blue = mpl.colors.to_rgb(arms.WORDS[arm].colour)
    if share is not None and share < 1:
        hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
        light += (0.72 - light) * 0.62 * (1 - share)
        red, green, blue = colorsys.hls_to_rgb(hue, light, saturation)
    return str(mpl.colors.to_hex((red, green, blue)))


def colour_of(arm: Any) -> str:
    """The colour of what has ``arm``, ``share``, ``name`` and ``set``; see :func:`colour`.

    Arms that differ in their sets of synthetic images alone have neighbouring hues.
    """
    own = colour(arm.arm, arm.share, arm.name)
    if not getattr(arm, "set", None):
        return own
    hue, light, saturation = colorsys.rgb_to_hls(*mpl.colors.to_rgb(own))
    turned = (hue + _HUES[zlib.crc32(arm.set.encode()) % len(_HUES)]) % 1
    return str(mpl.colors.to_hex(colorsys.hls_to_rgb(turned, light, saturation)))


def told_apart(shown: Sequence[Any]) -> list[str]:
    """A colour for each arm: its own, or the next that is free where an arm before it has that."""
    found: list[str] = []
    spare = palette(len(shown) + len(arms.WORDS))
    for arm in shown:
        own = [colour_of(arm), *spare]
        found.append(next((item for item in own if item not in found), own[0]))
    return found


def palette(count: int) -> list[str]:
    """Distinct colours, as many as asked for; the first is for what others are compared with."""
    others = [*arms.SPARE, *(words.colour for words in arms.WORDS.values())]
    return [INK, *(others[index % len(others)] for index in range(count - 1))][:count]


@contextlib.contextmanager
def figure(width: float, height: float) -> Iterator[Figure]:
    """A figure of `width` x `height` inches in the house style, without global state."""
    with canvas.settings(_SETTINGS):
        yield Figure(figsize=(width, height), layout="constrained")


def only_grid(axes: Any, axis: str) -> None:
    """Keep grid lines along one axis (``x`` or ``y``), and no spine across them."""
    axes.grid(False)
    axes.grid(True, axis=axis)
    axes.spines["left" if axis == "x" else "bottom"].set_visible(axis == "y")
    axes.spines["bottom" if axis == "x" else "left"].set_visible(False)


def whole(axis: Any, ticks: int = 6) -> None:
    """Ticks of an axis at whole numbers only, such as epochs: at most so many and one more."""
    axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))


def as_number(value: float, _: Any = None) -> str:
    """A tick's label without formulas, which no text here may be: ``0.0005``, ``1e-06``."""
    return f"{value:.6g}".replace("-", "\N{MINUS SIGN}")


def line(axes: Any, x: Any, y: Any, **options: Any) -> None:
    """Plot a curve; one point alone, which has no line, as a dot."""
    axes.plot(x, y, marker="o" if len(x) == 1 else "none", markersize=4, **options)


def svg_uri(chart: Figure) -> str:
    """The figure as an SVG data URI, with text as text in the reader's own interface font."""
    buffer = io.StringIO()
    with canvas.settings(_SETTINGS):
        chart.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue().replace("'DejaVu Sans'", _FONTS)
    text = re.sub(r"<[^>]*>", _rounded, text[text.index("<svg") :])
    return f"data:image/svg+xml;base64,{base64.b64encode(text.encode()).decode()}"


def _rounded(tag: re.Match[str]) -> str:
    """A tag with two decimals a number; what is written between tags is left alone."""
    return re.sub(r"(?<=\d\.\d\d)\d+", "", tag.group())


def image_uri(pixels: NDArray[np.uint8], lossy: bool = False) -> str:
    """A picture (H, W) grey or (H, W, 3) colour as a data URI: PNG, or WebP if `lossy`."""
    buffer = io.BytesIO()
    picture = Image.fromarray(pixels)
    if lossy:
        picture.save(buffer, "WEBP", quality=82, method=4)
    else:
        picture.save(buffer, "PNG", optimize=True)
    kind = "webp" if lossy else "png"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
