"""What a search tried: how good each trial was, and for how long it was trained."""

from collections.abc import Sequence
from dataclasses import dataclass

from augstudy.pages import style


@dataclass(frozen=True)
class Dot:
    """One trial; ``curve``, of accuracies, and ``accuracy``, what it reached, in per cent."""

    number: int
    accuracy: float
    curve: Sequence[float]
    pruned: bool
    finalist: bool


def progress(trials: Sequence[Dot], label: str) -> str:
    """What every trial reached in the order of their numbers, and the best so far as a line.

    Trials that were pruned are crosses at the best that they reached.
    """
    with style.figure(4.2, 2.9) as chart:
        axes = chart.subplots()
        style.only_grid(axes, "y")
        best, so_far = 0.0, []
        for trial in trials:
            best = max(best, 0.0 if trial.pruned else trial.accuracy)
            so_far.append(best)
        numbers = [trial.number for trial in trials]
        axes.plot(numbers, so_far, color=style.MUTED, drawstyle="steps-post", zorder=1)
        for trial in trials:
            mark = "x" if trial.pruned else "o"
            axes.scatter(
                [trial.number], [trial.accuracy], marker=mark, s=30, color=_shade(trial), zorder=2
            )
        style.whole(axes.xaxis)
        axes.set_xlabel("Trial")
        axes.set_ylabel(label)
        return style.svg_uri(chart)


def curves(trials: Sequence[Dot]) -> str:
    """Validation accuracy of every trial by epoch; a cross is where one was pruned."""
    with style.figure(4.2, 2.9) as chart:
        axes = chart.subplots()
        style.only_grid(axes, "y")
        for trial in sorted(trials, key=lambda item: item.finalist):
            epochs, colour = range(1, len(trial.curve) + 1), _shade(trial)
            width = 1.8 if trial.finalist else 0.9
            style.line(axes, epochs, trial.curve, color=colour, linewidth=width)
            if trial.pruned:
                axes.scatter([epochs[-1]], [trial.curve[-1]], marker="x", s=30, color=colour)
        style.whole(axes.xaxis)
        axes.set_xlabel("Epoch")
        axes.set_ylabel("Validation accuracy, per cent")
        return style.svg_uri(chart)


def _shade(trial: Dot) -> str:
    if trial.finalist:
        return style.GOOD
    return style.BAD if trial.pruned else style.MUTED
