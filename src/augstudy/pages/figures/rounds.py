"""How the interval of a difference shrank from round to round of a study that stops by itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from augstudy.pages import style
from augstudy.results.parts import Compared

_COLUMNS = 3


@dataclass(frozen=True)
class Path:
    """The difference of an arm from `real` at each look so far."""

    title: str
    colour: str
    steps: Sequence[Compared]


def draw(paths: Sequence[Path], looks: Sequence[int], margin: float) -> str:
    """A panel per arm: its difference in points by seeds, with intervals and the margin shaded.

    Args:
        paths: of the arms.
        looks: seeds at all looks, those to which it did not come as well.
        margin: a share.
    """
    columns = min(_COLUMNS, len(paths))
    rows = -(-len(paths) // columns)
    with style.figure(2.7 * columns + 0.4, 2.1 * rows + 0.3) as chart:
        panels = chart.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for axes, path in zip(panels.flat, paths, strict=False):
            style.only_grid(axes, "y")
            axes.axhspan(-100 * margin, 100 * margin, color=style.MUTED, alpha=0.13, linewidth=0)
            axes.axhline(0, color=style.MUTED, linewidth=1, linestyle=(0, (4, 3)))
            seeds = [step.seeds for step in path.steps]
            low, mean, high = (
                [100 * getattr(step, end) for step in path.steps] for end in ("low", "mean", "high")
            )
            axes.vlines(seeds, low, high, color=path.colour, linewidth=2.2)
            axes.plot(seeds, mean, marker="o", color=path.colour, linewidth=1, markersize=5)
            axes.set_title(path.title, fontsize=8.2, color=path.colour, pad=4)
            axes.set_xticks(looks)
            axes.set_xlim(looks[0] - 1, looks[-1] + 1)
            axes.tick_params(labelbottom=True)
        for axes in panels.flat[len(paths) :]:
            axes.set_axis_off()
        for axes in panels[:, 0]:
            axes.set_ylabel("Points")
        chart.supxlabel("Seeds", fontsize=8.5, color=style.MUTED)
        return style.svg_uri(chart)
