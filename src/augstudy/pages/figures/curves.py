"""Learning curves of the classifiers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from augstudy.pages import style

_POINTS = 150


def training(history: pd.DataFrame, colour: str, limits: Mapping[str, tuple[float, float]]) -> str:
    """Accuracy above loss of one arm: mean over seeds, band from lowest to highest seed.

    Args:
        history: columns seed, epoch, accuracy, val_accuracy, loss, val_loss.
        colour: of the validation curve; training is grey.
        limits: ``accuracy`` and ``loss`` axis limits, shared between arms.
    """
    with style.figure(3.3, 3.5) as chart:
        top, bottom = chart.subplots(2, 1, sharex=True)
        for axes, name, title in ((top, "accuracy", "Accuracy"), (bottom, "loss", "Loss")):
            _band(axes, history, name, style.MUTED)
            _band(axes, history, f"val_{name}", colour)
            axes.set_title(title, fontsize=8.5, color=style.MUTED, fontweight="normal", pad=4)
            axes.set_ylim(*limits[name])
            style.only_grid(axes, "y")
        _name_curves(top, history, colour)
        bottom.set_xlabel("Epoch")
        bottom.set_xlim(1, max(2, int(history["epoch"].max())))
        style.whole(bottom.xaxis)
        return style.svg_uri(chart)


def shared_limits(histories: Sequence[pd.DataFrame]) -> dict[str, tuple[float, float]]:
    """Axis limits that suit every arm; the loss axis ignores a few extreme epochs."""
    joined = pd.concat(histories)
    accuracy = joined[["accuracy", "val_accuracy"]].to_numpy(float)
    loss = joined[["loss", "val_loss"]].to_numpy(float)
    return {
        "accuracy": (max(0.0, float(accuracy.min()) - 0.03), 1.02),
        "loss": (0.0, 1.05 * float(np.quantile(loss, 0.99))),
    }


def learning_rates(arms: Sequence[tuple[str, str, pd.DataFrame]]) -> str:
    """Learning rate by epoch of each arm's first seed; arms alike share one line.

    Args:
        arms: (title, colour, history) of each arm.
    """
    groups: dict[tuple[float, ...], list[tuple[str, str]]] = {}
    for title, colour, history in arms:
        first = first_run(history)
        groups.setdefault(tuple(first["learning_rate"]), []).append((title, colour))
    with style.figure(3.3, 2.3) as chart:
        axes = chart.subplots()
        style.only_grid(axes, "y")
        for rates, members in groups.items():
            colour = members[0][1] if len(members) == 1 else style.INK
            epochs = range(1, len(rates) + 1)
            style.line(axes, epochs, rates, color=colour, drawstyle="steps-post")
        axes.set_ylim(0, None)
        axes.yaxis.set_major_formatter(style.as_number)
        axes.set_xlabel("Epoch")
        style.whole(axes.xaxis)
        return style.svg_uri(chart)


def first_run(history: pd.DataFrame) -> pd.DataFrame:
    """The epochs of the first training: of the first seed and, where there are any, fold."""
    alone = [name for name in ("seed", "fold") if name in history]
    return history[(history[alone] == history[alone].iloc[0]).all(axis=1)]


def all_overlaid(runs: Sequence[tuple[str, str, pd.DataFrame]]) -> list[tuple[str, str]]:
    """(title, picture) of each column that all histories have; `runs` as in :func:`overlaid`."""
    titles = {
        "val_accuracy": "Validation accuracy",
        "accuracy": "Training accuracy",
        "val_loss": "Validation loss",
        "learning_rate": "Learning rate",
    }
    known = [name for name in titles if runs and all(name in history for *_, history in runs)]
    return [(titles[name], overlaid(runs, name, titles[name])) for name in known]


def overlaid(
    runs: Sequence[tuple[str, str, pd.DataFrame]], column: str, title: str, width: float = 4.2
) -> str:
    """One column of several histories over epochs: means over seeds, bands over all seeds.

    Args:
        runs: (name, colour, history) of each.
        column: of the histories; shares for accuracies.
        title: what the axis says.
        width: of the figure, in inches.
    """
    with style.figure(width, 2.7) as chart:
        axes = chart.subplots()
        style.only_grid(axes, "y")
        for name, colour, history in runs:
            _band(axes, history, column, colour, name)
        axes.set_xlabel("Epoch")
        style.whole(axes.xaxis)
        axes.set_ylabel(title, rotation_mode="anchor")
        if column == "learning_rate":
            axes.yaxis.set_major_formatter(style.as_number)
        return style.svg_uri(chart)


def _band(
    axes: Any, history: pd.DataFrame, column: str, colour: str, name: str | None = None
) -> None:
    grouped = history.groupby("epoch")[column]
    every = max(1, grouped.ngroups // _POINTS)
    low, middle, high = (
        part.iloc[::every] for part in (grouped.min(), grouped.mean(), grouped.max())
    )
    axes.fill_between(middle.index, low, high, color=colour, alpha=0.16, linewidth=0)
    style.line(axes, middle.index, middle, color=colour, label=name)


def _name_curves(axes: Any, history: pd.DataFrame, colour: str) -> None:
    """Write "training" above its curve and "validation" below, where they are far apart."""
    means = history.groupby("epoch")[["accuracy", "val_accuracy"]].mean()
    where = means.index[int(0.97 * (len(means) - 1))]
    higher = means["accuracy"][where] >= means["val_accuracy"][where]
    for column, text, shade, above in (
        ("accuracy", "training", style.MUTED, higher),
        ("val_accuracy", "validation", colour, not higher),
    ):
        axes.annotate(
            text,
            (where, means[column][where]),
            xytext=(0, 7 if above else -8),
            textcoords="offset points",
            ha="right" if len(means) > 1 else "left",
            va="bottom" if above else "top",
            fontsize=8.3,
            color=shade,
        )
