"""Confusion matrices: which classes are confused, and what an arm changes about it."""

import math
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from augstudy.pages import style

_NUMBERS_UP_TO = 15
_ROOMY_UP_TO = 30
_DRAWN_UP_TO = 40  # classes whose cells are single shapes; more are one picture
# Inches: how wide a usual figure is, the largest cells, all of them together, and how much room a
# number and a name need.
_WIDTH, _CELL, _MOST, _NUMBER, _NAME = 4.3, 0.75, 13.0, 0.27, 0.125
_LONGEST = 24  # characters of a name
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
        ``first`` and ``others`` (title and picture), how many classes are ``left_out``, whether the
        figures are ``large``, and what their cells say (``cells``).
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
        "large": large(names),
        "cells": cells(names),
    }


def large(classes: Sequence[str]) -> bool:
    """Whether a matrix is larger than other figures, so that it must not be made to fit a page."""
    return _size(classes)[0] > _WIDTH


def cells(classes: Sequence[str]) -> str:
    """What the cells of a matrix say: a number each, if there is room, or a shade."""
    if len(classes) <= _NUMBERS_UP_TO:
        return "Numbers are per cent of the row."
    return "The darker a cell, the larger its share of the row."


def thinned(classes: Sequence[str]) -> str:
    """A sentence for a matrix that does not name every class; else empty."""
    every = _every(len(classes))
    if every == 1:
        return ""
    return f"There is room for the name of every {_ordinal(every)} class only."


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
    count, every = len(classes), _every(len(classes))
    with style.figure(*_size(classes)) as chart:
        axes = chart.subplots()
        places = np.arange(count)
        low, high = limits
        mesh = axes.pcolormesh(places, places, shown, cmap=colours, vmin=low, vmax=high)
        if count <= _DRAWN_UP_TO:
            mesh.set(edgecolor=style.FAINT, linewidth=0.4)
        mesh.set_rasterized(count > _DRAWN_UP_TO)
        axes.invert_yaxis()
        axes.set_aspect("equal", anchor="NW")
        axes.grid(False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        names, size = [_short(name) for name in classes][::every], _points(count)
        axes.set_xticks(
            places[::every],
            names,
            parse_math=False,
            rotation=45,
            ha="left",
            rotation_mode="anchor",
            fontsize=size,
        )
        axes.set_yticks(places[::every], names, parse_math=False, fontsize=size)
        axes.xaxis.tick_top()
        axes.tick_params(labelcolor=style.INK, pad=2)
        if count <= _NUMBERS_UP_TO:
            _write_numbers(axes, values, shown / max(map(abs, limits)), signed=sign is not None)
        return style.svg_uri(chart)


def _points(count: int) -> float:
    """The size of names."""
    return 8 if count <= _NUMBERS_UP_TO else 7


def _cell(count: int, name: float) -> float:
    """The side of a cell: what names leave of a usual figure, or what a name needs."""
    if count > _NUMBERS_UP_TO:
        return min(0.155 if count <= _ROOMY_UP_TO else _NAME, _MOST / count)
    return min(_CELL, max(_NUMBER, (_WIDTH - 1.7 * name - 0.2) / count))


def _every(count: int) -> int:
    """Which classes are named: all, or every second, third ..."""
    return 1 if count <= _NUMBERS_UP_TO else math.ceil(_NAME / _cell(count, 0) - 1e-9)


def _size(classes: Sequence[str]) -> tuple[float, float]:
    """Width and height: cells, names on the left, and the same names, turned, above."""
    count = max(1, len(classes))
    name = 0.0085 * _points(count) * max(len(_short(item)) for item in classes) + 0.05
    side = count * _cell(count, name)
    return max(_WIDTH, side + 1.7 * name + 0.2), side + 0.75 * name + 0.25


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"


def _ordinal(number: int) -> str:
    words = {2: "second", 3: "third", 4: "fourth", 5: "fifth"}
    return words.get(number, f"{number}th")


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
