"""Every score of a classifier on labelled images: how it is computed, and its rules.

A score is one function below; the rules above it, those of :class:`Score`, say the rest. The
evaluation, dashboards, the report, the tracker and comparisons know a score from here alone, in the
order of this file. What people read of it is in :mod:`augstudy.pages.readings`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from augstudy.core.registry import Registry

if TYPE_CHECKING:  # the command line reads the words without waiting for numpy
    from augstudy.core.arrays import Floats


@dataclass(frozen=True)
class Counts:
    """What every score is computed from; the last axis is the class, others are in front of it.

    Attributes:
        support: Images of each class.
        predicted: Images predicted as it.
        hits: Images that are both.
    """

    support: "Floats"
    predicted: "Floats"
    hits: "Floats"


Compute = Callable[[Counts], "Floats"]


@dataclass(frozen=True)
class Score:
    """A score over all classes.

    Attributes:
        name: By which files call it.
        compute: Its values from counts, without their last axis.
        share: Whether it is a share of the images, shown in per cent.
        shown: Whether tables that have no room for all scores show it.
        direction: Which values are better.
    """

    name: str
    compute: Compute
    share: bool = True
    shown: bool = True
    direction: Literal["higher", "lower"] = "higher"

    @property
    def column(self) -> str:
        """Its name in the tables of runs: ``recall`` for ``recall_macro``."""
        return self.name.removesuffix("_macro")


SCORES: Registry[Score] = Registry("score", Score)


def ratio(top: "Floats", bottom: "Floats") -> "Floats":
    """`top` over `bottom`, 0 where that is not positive."""
    import numpy as np

    return np.divide(top, bottom, out=np.zeros_like(top, dtype=np.float64), where=bottom > 0)


def precision(counts: Counts) -> "Floats":
    """Of the images predicted as a class, the share that are of it."""
    return ratio(counts.hits, counts.predicted)


def recall(counts: Counts) -> "Floats":
    """Of the images of a class, the share predicted as it."""
    return ratio(counts.hits, counts.support)


def f1(counts: Counts) -> "Floats":
    """The harmonic mean of precision and recall."""
    return ratio(2 * counts.hits, counts.support + counts.predicted)


def _mean(by_class: "Floats") -> "Floats":
    mean: Floats = by_class.mean(axis=-1)
    return mean


BY_CLASS: dict[str, Compute] = {"precision": precision, "recall": recall, "f1": f1}


@SCORES.register()
def accuracy(counts: Counts) -> "Floats":
    """The share of images predicted rightly."""
    return ratio(counts.hits.sum(axis=-1), counts.support.sum(axis=-1))


@SCORES.register()
def precision_macro(counts: Counts) -> "Floats":
    """The mean over classes of :func:`precision`."""
    return _mean(precision(counts))


@SCORES.register()
def recall_macro(counts: Counts) -> "Floats":
    """The mean over classes of :func:`recall`."""
    return _mean(recall(counts))


@SCORES.register()
def f1_macro(counts: Counts) -> "Floats":
    """The mean over classes of :func:`f1`."""
    return _mean(f1(counts))
