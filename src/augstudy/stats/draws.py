"""Repetitions of a study's split and generators.

Classifiers of a draw learn from the same images and from what the same generators made of them, so
they have its luck in common, and however many of them there are, it is the same luck. Only whole
draws are independent: the scatter of a comparison is that of its means over the seeds of a draw
(Bouthillier et al. 2021, "Accounting for variance in machine learning benchmarks", MLSys 3).
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

# The draw of each training run (S,); None where all are of the same one.
Draws: TypeAlias = NDArray[np.integer[Any]] | None


def several(draws: Draws) -> bool:
    """Whether there is more than one."""
    return draws is not None and len(np.unique(draws)) > 1


def by_draw(values: NDArray[Any], draws: Draws) -> NDArray[Any]:
    """The means over the seeds of each draw of (S, ...) values: (D, ...); as they are without."""
    if draws is None or not several(draws):
        return values
    return np.stack([values[draws == draw].mean(axis=0) for draw in np.unique(draws)])


def within(values: NDArray[Any], draws: Draws) -> list[NDArray[Any]]:
    """The (S, ...) values of each draw."""
    return [values] if draws is None else [values[draws == draw] for draw in np.unique(draws)]
