"""How good each arm is, and how far from `real`: dots with 95 % intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from augstudy.pages import style, wording
from augstudy.results.parts import Compared, Ends, Score

_VALUES = 0.16  # of the width, which the values at the right end of a row need


@dataclass(frozen=True)
class Row:
    """One dot with its interval; all numbers in per cent or percentage points."""

    title: str
    colour: str
    value: float
    low: float
    high: float
    dots: Sequence[float]
    text: str


def score(title: str, colour: str, found: Score) -> Row:
    """The metric of an arm, each of its seeds a small dot."""
    text = wording.percent(found.value)
    return _row(title, colour, found.value, found, found.by_seed, text)


def difference(title: str, colour: str, found: Compared) -> Row:
    """An arm minus another one."""
    text = wording.signed(found.mean)
    return _row(title, colour, found.mean, found, found.by_seed, text)


def _row(
    title: str, colour: str, mean: float, ends: Ends, by_seed: Sequence[float], text: str
) -> Row:
    value, low, high = (100 * share for share in (mean, ends.low, ends.high))
    return Row(title, colour, value, low, high, [100 * share for share in by_seed], text)


def whiskers(
    rows: Sequence[Row],
    reference: float,
    reference_text: str,
    axis_label: str,
    band: float = 0.0,
) -> str:
    """Dots with intervals, one arm per row, its name above it, and a reference line.

    The small dots below each interval are the single seeds. What is closer to the reference than
    `band` is shaded.
    """
    with style.figure(4.2, 0.62 + 0.5 * len(rows)) as chart:
        axes = chart.subplots()
        style.only_grid(axes, "x")
        if band:
            ends = reference - band, reference + band
            axes.axvspan(*ends, color=style.MUTED, alpha=0.13, linewidth=0, zorder=0)
        for place, row in enumerate(rows):
            _draw_row(axes, -place, row)
        # Past each interval and beside its own name: between them are the names of the rows.
        axes.vlines(
            [reference] * (len(rows) + 1),
            [0.66, *(-place - 0.36 for place in range(len(rows)))],
            [0.95, *(-place + 0.15 for place in range(len(rows)))],
            color=style.MUTED,
            linewidth=1,
            linestyle=(0, (4, 3)),
            zorder=1,
        )
        axes.annotate(
            reference_text,
            (reference, 1),
            xycoords=("data", "axes fraction"),
            xytext=(4, 0),
            textcoords="offset points",
            color=style.MUTED,
            fontsize=8,
            va="top",
        )
        axes.set_ylim(-len(rows) + 0.6, 0.95)
        axes.set_yticks([])
        axes.set_xlim(_span(rows, reference, band))
        axes.set_xlabel(axis_label)
        return style.svg_uri(chart)


def by_class(
    classes: Sequence[str], arms: Sequence[tuple[str, str, Mapping[str, Any]]], metric: str
) -> str:
    """One score of every class (rows, worst first) in every arm (coloured dots).

    Args:
        classes: names, in the wanted order from the top.
        arms: (title, colour, per_class of metrics.json) of each arm.
        metric: ``precision``, ``recall`` or ``f1``.
    """
    with style.figure(4.2, 0.6 + 0.26 * len(classes)) as chart:
        axes = chart.subplots()
        style.only_grid(axes, "x")
        for place, label in enumerate(classes):
            values = [100 * arm[2][label][metric]["value"] for arm in arms]
            axes.plot([min(values), max(values)], [-place, -place], color=style.FAINT, zorder=1)
        for order, (_, colour, per_class) in enumerate(arms):
            axes.scatter(
                [100 * per_class[label][metric]["value"] for label in classes],
                [-place for place in range(len(classes))],
                s=30,
                color=colour,
                edgecolors="white",
                linewidths=0.6,
                zorder=3 if order else 4,
            )
        axes.set_yticks([-place for place in range(len(classes))], classes, parse_math=False)
        axes.tick_params(axis="y", labelsize=8.5, labelcolor=style.INK)
        axes.set_ylim(-len(classes) + 0.4, 0.6)
        axes.set_xlabel(f"{metric.capitalize()}, per cent")
        return style.svg_uri(chart)


def _draw_row(axes: Any, place: float, row: Row) -> None:
    axes.plot([row.low, row.high], [place, place], color=row.colour, linewidth=2.2, zorder=2)
    below = [place - 0.17] * len(row.dots)
    axes.scatter(row.dots, below, s=9, color=row.colour, alpha=0.55, linewidths=0, zorder=3)
    axes.scatter([row.value], [place], s=52, color=row.colour, edgecolors="white", zorder=4)
    for x, align, text, colour, weight in (
        (0, "left", row.title, style.INK, "normal"),
        (1, "right", row.text, row.colour, "bold"),
    ):
        axes.annotate(
            text,
            (x, place),
            xycoords=("axes fraction", "data"),
            xytext=(0, 9),
            textcoords="offset points",
            ha=align,
            fontsize=8.8,
            color=colour,
            fontweight=weight,
        )


def _span(rows: Sequence[Row], reference: float, band: float) -> tuple[float, float]:
    """Both ends of the axis; values stand at its right end, clear of the reference."""
    ends = [value for row in rows for value in (row.low, row.high, *row.dots)] + [reference]
    margin = max(0.06 * (max(ends) - min(ends)), 0.3)
    low = min(ends) - margin
    clear = low + (reference + band - low) / (1 - _VALUES)
    return low, max(max(ends) + margin, clear)
