"""The filter: which images a classifier's opinion lets into a training set.

An image passes if the classifier takes it for what its label says, and is at least as sure of it
as it is, on average, of validation images of that class. The mean self-confidence is the
threshold of confident learning (Northcutt, Jiang and Chuang, "Confident Learning: Estimating
Uncertainty in Dataset Labels", JAIR 70, 2021, arXiv:1911.00068, section 3.1): each class has its
own, so a class that the classifier is shy about is not emptied, and it needs no calibrated
probabilities. Here it comes from validation images, which the classifier has not learnt from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from augstudy.core.arrays import Labels
from augstudy.core.errors import InputError

Floats = npt.NDArray[np.floating[Any]]
Rows = npt.NDArray[np.intp]


class TooFewDrawingsError(InputError):
    """An arm needs more images than there are."""


@dataclass(frozen=True)
class Opinion:
    """What the filter says of N images.

    ``confidence`` float32 (N,) is its probability of the image's label; ``kept`` bool (N,).
    """

    confidence: npt.NDArray[np.float32]
    kept: npt.NDArray[np.bool_]


def opinion_of(
    probabilities: Floats, labels: Labels, thresholds: npt.NDArray[np.float64]
) -> Opinion:
    """Keep images whose label the classifier agrees with, surely enough.

    Args:
        probabilities: (N, C).
        labels: (N,).
        thresholds: (C,), the least confidence for each label.
    """
    own = probabilities[np.arange(len(labels)), labels]
    agrees = probabilities.argmax(axis=1) == labels
    return Opinion(own.astype(np.float32), agrees & (own >= thresholds[labels]))


def choose(judged: Opinion, labels: Labels, counts: Sequence[int], balance: bool) -> Rows:
    """Rows of so many images of each class: those that were kept, in the order they came in.

    Where too few were kept, the most confident of the others follow. With `balance` that holds in
    every class; without, over all classes together, so that a class which passes more often
    contributes more.

    Args:
        judged: what the filter says of N images.
        labels: (N,).
        counts: (C,), how many of each class.
        balance: whether to choose within each class.

    Raises:
        TooFewDrawingsError: there are not so many drawings, kept or not.
    """
    order = np.lexsort((_within_class(labels), -_merit(judged)))
    if balance:
        groups = [(order[labels[order] == label], count) for label, count in enumerate(counts)]
    else:
        groups = [(order, sum(counts))]
    for group, wanted in groups:
        if len(group) < wanted:
            raise TooFewDrawingsError(
                f"The filter must choose {wanted} images but has only {len(group)} to choose from"
                f"{' in a class' if balance else ''}: raise synthetic_per_class or lower the share."
            )
    return np.concatenate([group[:wanted] for group, wanted in groups])


def fold_shortage(labels: Labels, folds: int) -> str:
    """Why images with these labels cannot be dealt to so many folds; empty if they can."""
    fewest = int(np.unique(labels, return_counts=True)[1].min())
    if fewest >= folds:
        return ""
    return f"a class has {fewest} training images, too few for {folds} folds"


def _merit(judged: Opinion) -> npt.NDArray[np.float64]:
    """Kept drawings are all alike, and better than any that was not."""
    return np.where(judged.kept, 2.0, judged.confidence.astype(np.float64))


def _within_class(labels: Labels) -> Rows:
    """The number of each image within its class: 0, 1, 2, ..."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], labels[order], side="left")
    numbers = np.empty(len(labels), np.intp)
    numbers[order] = np.arange(len(labels)) - starts
    return numbers
