"""How the training of the generator went."""

from collections.abc import Iterable, Mapping

import pandas as pd

from augstudy.pages import style

_POINTS = 200

LOSSES = {
    "discriminator_loss": ("discriminator", "#3b6fb6"),
    "generator_loss": ("generator", "#c4502f"),
    "shape_loss": ("much noise", "#3b6fb6"),
    "stroke_loss": ("little noise", "#c4502f"),
}
ACCURACIES = {
    "source_accuracy": ("real or not?", "#3b6fb6"),
    "class_accuracy": ("class of real", "#3d4855"),
    "fake_class_accuracy": ("class of synthetic", "#0f8a6d"),
}
# Of the moments at which the averaged generator is evaluated alone.
SCORE = {"score": ("score of the averaged generator", "#c4502f")}
WATCHED = {
    "real_accuracy": ("training images", "#3b6fb6"),
    "held_out_accuracy": ("held-out images", "#3d4855"),
}


def over_steps(
    history: pd.DataFrame, columns: Mapping[str, tuple[str, str]], percent: bool
) -> str | None:
    """Curves over generator steps: the records faint, their running mean strong; None without any.

    Args:
        history: column ``step`` and one column a curve; absent curves are left out.
        columns: (name, colour) of each curve by column.
        percent: whether the values are shares, drawn on a fixed axis from 0 to 100.
    """
    columns = {column: item for column, item in columns.items() if column in history}
    if not columns:
        return None
    scale = 100 if percent else 1
    history = history.dropna(subset=list(columns))
    history = history.iloc[:: max(1, len(history) // _POINTS)]
    with style.figure(4.2, 2.7) as chart:
        axes = chart.subplots()
        style.only_grid(axes, "y")
        for column, (name, colour) in columns.items():
            values = scale * history[column]
            window = max(1, len(values) // 15)
            smooth = values.rolling(window, min_periods=1, center=True).mean()
            axes.plot(history["step"], values, color=colour, alpha=0.28, linewidth=0.8)
            style.line(axes, history["step"], smooth, color=colour, label=name)
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.0),
            ncols=3,
            frameon=False,
            fontsize=8.3,
            labelcolor="linecolor",
            handlelength=0.9,
            columnspacing=1.2,
            handletextpad=0.4,
        )
        axes.set_xlabel("Generator steps")
        style.whole(axes.xaxis)
        axes.set_ylabel("per cent" if percent else _unit(columns), rotation_mode="anchor")
        if percent:
            axes.set_ylim(0, 101)
        return style.svg_uri(chart)


def _unit(columns: Iterable[str]) -> str:
    """The unit of figures that are not shares: losses, or distances from real images."""
    return "loss" if all(name.endswith("_loss") for name in columns) else "distance"
