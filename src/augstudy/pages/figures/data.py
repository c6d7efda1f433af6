"""What the data looks like in numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from augstudy.pages import style

_MEANS = {
    "ink": "mean brightness, per cent of full ink",
    "brightness": "mean brightness, per cent of white",
}
_SHARES = {
    "ink": "pixels with ink, per cent of the image",
    "brightness": "mean brightness of the image, per cent of white",
}


def by_class(classes: Sequence[str], shares: Sequence[float], kind: str) -> str:
    """Mean ``ink`` or ``brightness`` of each class (0 to 1) as bars, most of it first."""
    order = np.argsort(shares)[::-1]
    with style.figure(4.2, 0.55 + 0.23 * len(classes)) as chart:
        axes = chart.subplots()
        axes.grid(False)
        values = [100 * shares[index] for index in order]
        axes.barh(range(len(values)), values, height=0.62, color="#8fa3b8")
        for place, value in enumerate(values):
            axes.text(value, place, f" {value:.1f}", va="center", fontsize=8, color=style.MUTED)
        axes.set_yticks(range(len(values)), [classes[index] for index in order], parse_math=False)
        axes.tick_params(axis="y", labelsize=8.5, labelcolor=style.INK)
        axes.invert_yaxis()
        axes.set_xticks([])
        axes.spines[["bottom", "left"]].set_visible(False)
        axes.set_xlabel(_MEANS[kind])
        return style.svg_uri(chart)


def histogram(found: Mapping[str, Any], kind: str) -> str:
    """Distribution of a share of each image: ``edges`` (B + 1) and ``counts`` (B)."""
    edges = 100 * np.asarray(found["edges"], float)
    counts = np.asarray(found["counts"], float)
    filled = np.flatnonzero(counts)
    stop = int(filled[-1]) + 2 if len(filled) else len(counts)
    with style.figure(4.2, 2.3) as chart:
        axes = chart.subplots()
        style.only_grid(axes, "y")
        axes.stairs(counts[:stop], edges[: len(counts[:stop]) + 1], fill=True, color="#8fa3b8")
        axes.set_xlabel(_SHARES[kind])
        axes.set_ylabel("images", rotation_mode="anchor")
        axes.set_ylim(0, None)
        return style.svg_uri(chart)
