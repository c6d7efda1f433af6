"""What a comparison is about: accuracy, or balanced accuracy, in which every class counts alike.

Balanced accuracy is the mean over classes of the share of their images that are got right
(Brodersen et al. 2010, ICPR): a weighted mean over images, each weighing N / (C n), with n of the N
images in its class and C classes. So all that is paired, resampled and taken apart is so for both.
Images are then resampled within their class, whose size is part of the metric.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from augstudy.core.arrays import Floats, Labels
from augstudy.settings.comparing import AskedMetric
from augstudy.stats.codes import Metric

# Labels (N,) of images whose classes count alike; None where images do.
Balance: TypeAlias = Labels | None


def metric_of(asked: AskedMetric, labels: Labels) -> Metric:
    """What is measured on test images (N,): if ``auto``, accuracy where classes are equal."""
    if asked != "auto":
        return asked
    return "accuracy" if _equal(labels) else "balanced_accuracy"


def balance_of(metric: Metric, labels: Labels) -> Balance:
    """What `metric` needs to know of images; with equal classes both metrics are the same."""
    return None if metric == "accuracy" or _equal(labels) else labels


def part_of(balance: Balance, images: NDArray[Any]) -> Balance:
    """The balance of some of the images, by their rows or a mask."""
    return None if balance is None else balance[images]


def strata(balance: Balance, images: int) -> list[NDArray[np.intp]]:
    """Rows of the images that are resampled together: those of each class, or all."""
    if balance is None:
        return [np.arange(images)]
    return [np.flatnonzero(balance == label) for label in np.unique(balance)]


def weights(balance: Labels) -> Floats:
    """What each image weighs, (N,); the mean is 1."""
    classes, place, counts = np.unique(balance, return_inverse=True, return_counts=True)
    return np.asarray(len(balance) / (len(classes) * counts[place]))


def mean_of(outcomes: NDArray[Any], balance: Balance) -> Floats:
    """Accuracy or balanced accuracy of outcomes (..., N), or the difference of two: (...)."""
    if balance is None:
        return np.asarray(outcomes.mean(axis=-1, dtype=np.float64))
    return np.asarray((outcomes * weights(balance)).mean(axis=-1))


def value_of(outcomes: NDArray[np.bool_], balance: Balance) -> float:
    """The mean over seeds of :func:`mean_of` outcomes (S, N)."""
    return float(outcomes.mean() if balance is None else mean_of(outcomes, balance).mean())


def effective(balance: Balance) -> float:
    """As a share of the images, how many of equal classes tell as much; 1 where images count."""
    if balance is None:
        return 1.0
    _, counts = np.unique(balance, return_counts=True)
    return float(len(counts) ** 2 / (1 / counts).sum() / counts.sum())


def _equal(labels: Labels) -> bool:
    return len(set(np.unique(labels, return_counts=True)[1].tolist())) <= 1
