"""Confusion matrices: which classes are confused, and what an arm changes about it."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from augstudy.pages import style

_NUMBERS_UP_TO = 15
_SIDE = 4.3
_SEQUENTIAL = mpl.colors.LinearSegmentedColormap.from_list(
    "ink", ["#ffffff", "#dbe6f2", "#8fb0d6", "#3b6fb6", "#1e3c6e"]
)
_DIVERGING = mpl.colors.LinearSegmentedColormap.from_list(
    "change", ["#a63d1f", "#e9a48f", "#ffffff", "#8cc9b7", "#0b6a54"]
)


def row_shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row as percentages of its sum; an empty row stays 0."""
    sums = counts.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = np.zeros_like(counts, dtype=np.float64)
    np.divide(100 * counts, sums, out=shares, where=sums > 0)
    return shares


def compared(
    counts: Sequence[Any],
    others: Sequence[tuple[str, Any]],
    classes: Sequence[str],
    shown: Sequence[int],
) -> dict[str, Any]:
    """A confusion matrix, and what others change about it, all on one scale of colours.

    Args:
        counts: (C, C), rows are true classes.
        others: titles, and the same of each.
        classes: their names.
        shown: indices of those that are shown.

    Returns:
        ``first`` and ``others`` (title and picture), and how many classes are ``left_out``.
    """
    first = row_shares(np.array(counts, np.float64))
    names, place = [classes[index] for index in shown], np.ix_(shown, shown)
    changes = [
        (title, (row_shares(np.array(item, np.float64)) - first)[place]) for title, item in others
    ]
    limit = max([5.0, *(float(np.abs(found).max()) for _, found in changes)])
    return {
        "first": matrix(first[place], names),
        "others": [
            {"title": title, "uri": change(found, names, limit)} for title, found in changes
        ],
        "left_out": len(classes) - len(shown),
    }


def matrix(shares: NDArray[np.float64], classes: Sequence[str]) -> str:
    """A confusion matrix (C, C) of :func:`row_shares`; rows are true classes."""
    return _draw(shares, classes, _SEQUENTIAL, (0, 100))


def change(difference: NDArray[np.float64], classes: Sequence[str], limit: float) -> str:
    """Difference of two matrices of :func:`row_shares`, in points; colours end at +-`limit`.

    Green is better and red worse, so the sign is turned off the diagonal, where less is better.
    """
    sign = 2 * np.eye(len(classes)) - 1
    return _draw(difference, classes, _DIVERGING, (-limit, limit), sign)


def _draw(
    values: NDArray[np.float64],
    classes: Sequence[str],
    colours: Any,
    limits: tuple[float, float],
    sign: NDArray[np.float64] | None = None,
) -> str:
    shown = values if sign is None else values * sign
    with style.figure(_SIDE, _SIDE) as chart:
        axes = chart.subplots()
        places = np.arange(len(classes))
        low, high = limits
        cells = axes.pcolormesh(places, places, shown, cmap=colours, vmin=low, vmax=high)
        cells.set(edgecolor=style.FAINT, linewidth=0.4)
        axes.invert_yaxis()
        axes.set_aspect("equal")
        axes.grid(False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        size = 8 if len(classes) <= _NUMBERS_UP_TO else max(3.0, 110 / len(classes))
        axes.set_xticks(
            places,
            classes,
            parse_math=False,
            rotation=45,
            ha="left",
            rotation_mode="anchor",
            fontsize=size,
        )
        axes.set_yticks(places, classes, parse_math=False, fontsize=size)
        axes.xaxis.tick_top()
        axes.tick_params(labelcolor=style.INK, pad=2)
        if len(classes) <= _NUMBERS_UP_TO:
            _write_numbers(axes, values, shown / max(map(abs, limits)), signed=sign is not None)
        return style.svg_uri(chart)


def _write_numbers(
    axes: Any, values: NDArray[np.float64], strength: NDArray[np.float64], signed: bool
) -> None:
    for (row, column), value in np.ndenumerate(values):
        if abs(value) < 0.5:
            continue
        dark = abs(strength[row, column]) > 0.55
        text = f"{value:+.0f}" if signed else f"{value:.0f}"
        shade = "white" if dark else style.INK
        axes.text(column, row, text, ha="center", va="center", fontsize=7.5, color=shade)
