"""What a sweep found: every point's difference from the base, one axis after the other."""

from collections.abc import Sequence
from dataclasses import dataclass

from augstudy.pages import style


@dataclass(frozen=True)
class Row:
    """One point, minus the base; ``clear`` where the verdict is that it helps or hurts."""

    title: str
    colour: str
    value: float
    low: float
    high: float
    clear: bool


def ladder(
    groups: Sequence[tuple[str, Sequence[Row]]],
    band: float,
    label: str,
) -> str:
    """Intervals of all points below each other, under the name of their axis.

    Args:
        groups: axis and its points.
        band: half the width of the shaded strip around zero.
        label: what the axis says.
    """
    count = sum(len(rows) for _, rows in groups)
    with style.figure(8.6, 0.7 + 0.215 * count + 0.3 * len(groups)) as chart:
        axes = chart.subplots()
        style.only_grid(axes, "x")
        axes.axvspan(-band, band, color=style.MUTED, alpha=0.13, linewidth=0, zorder=0)
        axes.axvline(0, color=style.MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        place, ticks = 0.0, []
        for title, rows in groups:
            place += 0.55
            ticks.append((place, title, True))
            for row in rows:
                place += 1
                shade = row.colour if row.clear else style.MUTED
                axes.plot([row.low, row.high], [place] * 2, color=shade, linewidth=2, zorder=2)
                axes.scatter([row.value], [place], s=34, color=shade, edgecolors="white", zorder=3)
                ticks.append((place, row.title, False))
            place += 0.85
        axes.set_ylim(place, -0.1)
        axes.set_yticks([at for at, _, _ in ticks], [text for _, text, _ in ticks])
        for tick, (_, _, heading) in zip(axes.get_yticklabels(), ticks, strict=True):
            tick.set(color=style.INK, fontsize=8.8, fontweight="bold" if heading else "normal")
        axes.set_xlabel(label)
        return style.svg_uri(chart)
