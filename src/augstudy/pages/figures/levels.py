"""A metric against real training images per class: the learning curve of each arm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from augstudy.pages import style

WIDTH = 7.0
_TOGETHER = 4  # so many arms can be told apart in one panel
_COLUMNS = 3
_LEVELS = "Real training images per class"


@dataclass(frozen=True)
class Line:
    """An arm: (value, low, high) of its metric, as shares, by level."""

    title: str
    colour: str
    points: Mapping[int, tuple[float, float, float]]


def height(arms: int) -> float:
    """The size in inches that a figure of that many arms needs."""
    return 3.6 if arms <= _TOGETHER else 0.6 + 1.55 * -(-(arms - 1) // _COLUMNS)


def draw(chart: Any, title: str, lines: Sequence[Line], metric: str) -> None:
    """Draw the curves: a few arms together, of many each beside the first, which is `real`.

    Args:
        chart: a figure of Matplotlib, or a part of one.
        title: of the whole.
        lines: the arms, `real` first.
        metric: what the axis says.
    """
    chart.suptitle(title, fontsize=9.5, fontweight="bold", ha="left", x=0.01)
    if len(lines) <= _TOGETHER:
        axes = chart.subplots()
        for line in lines:
            _curve(axes, line)
        _finish(axes, lines)
        axes.legend(frameon=False, fontsize=8)
        axes.set_ylabel(metric)
        axes.set_xlabel(_LEVELS)
    else:
        _side_by_side(chart, lines, metric)


def _side_by_side(chart: Any, lines: Sequence[Line], metric: str) -> None:
    real, others = lines[0], lines[1:]
    panels = chart.subplots(
        -(-len(others) // _COLUMNS), _COLUMNS, sharex=True, sharey=True, squeeze=False
    )
    for axes, line in zip(panels.flat, others, strict=False):
        _curve(axes, real)
        _curve(axes, line)
        _finish(axes, lines)
        axes.set_title(line.title, fontsize=7.6, color=line.colour, pad=3)
    for axes in panels.flat[len(others) :]:
        axes.set_axis_off()
    for axes in panels.flat[: len(others)][-_COLUMNS:]:
        axes.tick_params(labelbottom=True)
    for axes in panels[:, 0]:
        axes.set_ylabel(metric)
    label = f"{_LEVELS} (dark: {real.title.lower()})"
    chart.supxlabel(label, fontsize=8.5, color=style.MUTED)


def _curve(axes: Any, line: Line) -> None:
    levels = list(line.points)
    values, low, high = (
        [100 * point[place] for point in line.points.values()] for place in range(3)
    )
    axes.plot(levels, values, marker="o", markersize=3.5, color=line.colour, label=line.title)
    axes.fill_between(levels, low, high, color=line.colour, alpha=0.14, linewidth=0)


def _finish(axes: Any, lines: Sequence[Line]) -> None:
    levels = sorted({level for line in lines for level in line.points})
    axes.set_xscale("log")
    axes.minorticks_off()
    axes.set_xticks(levels, [f"{level:,}" for level in levels])
