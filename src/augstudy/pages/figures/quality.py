"""How good the synthetic images of each class are, beside real ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from augstudy.pages import style

PANELS = {
    "gan_test": "Label fidelity",
    "cas": "CAS (GAN-train)",
    "coverage": "Coverage",
}


def by_class(classes: Sequence[str], per_class: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Label fidelity, CAS and coverage of every class: a dot, its interval, a ring for real images.

    Args:
        classes: names, in the wanted order from the top.
        per_class: of quality.json; figures that no class has are left out.
    """
    names = [name for name in PANELS if all(name in per_class[label] for label in classes)]
    if not names:
        return None
    with style.figure(1.2 + 2.6 * len(names), 0.75 + 0.26 * len(classes)) as chart:
        panels = chart.subplots(1, len(names), sharey=True, squeeze=False)[0]
        for axes, name in zip(panels, names, strict=True):
            style.only_grid(axes, "x")
            axes.set_title(PANELS[name])
            for place, label in enumerate(classes):
                _draw(axes, -place, per_class[label][name])
            axes.set_xlim(-4, 104)
            axes.set_xlabel("per cent")
        panels[0].set_yticks([-place for place in range(len(classes))], classes, parse_math=False)
        panels[0].tick_params(axis="y", labelsize=8.5, labelcolor=style.INK)
        panels[0].set_ylim(-len(classes) + 0.4, 0.6)
        return style.svg_uri(chart)


def _draw(axes: Any, place: float, record: Mapping[str, Any]) -> None:
    low, value, high, real = (100 * record[key] for key in ("low", "value", "high", "real"))
    synthetic = style.colour("add")
    axes.plot([low, high], [place, place], color=synthetic, alpha=0.45, linewidth=2, zorder=2)
    axes.scatter([value], [place], s=34, color=synthetic, edgecolors="white", zorder=4)
    ring = style.colour("real")
    axes.scatter([real], [place], s=58, facecolors="none", edgecolors=ring, zorder=3)
