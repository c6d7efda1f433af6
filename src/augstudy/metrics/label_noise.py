"""Which labels are probably wrong: confident learning on predictions for images not learnt from.

After Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels",
JAIR 70, 2021 (arXiv:1911.00068).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augstudy.core.arrays import Labels
from augstudy.core.errors import DataError

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class LabelNoise:
    """What N given labels of C classes are worth.

    ``thresholds`` (C,) is how sure one must be of a class to count an image as one of it.
    ``joint`` (C, C) is the estimated share of images with given label i and true label j; it sums
    to 1. ``suspicious`` bool (N,) are the images whose label is probably wrong, ``suggested`` (N,)
    the likeliest label and ``margin`` (N,) by how much its probability exceeds the given label's.
    """

    thresholds: NDArray[np.float64]
    joint: NDArray[np.float64]
    suspicious: NDArray[np.bool_]
    suggested: NDArray[np.intp]
    margin: NDArray[np.float64]

    @property
    def noise(self) -> float:
        """Estimated share of wrong labels."""
        return float(1 - np.trace(self.joint))

    def ranked(self) -> NDArray[np.intp]:
        """The suspicious images, the most suspicious first."""
        rows = np.flatnonzero(self.suspicious)
        return rows[np.argsort(-self.margin[rows], kind="stable")]


def find_label_noise(probabilities: Floats, labels: Labels) -> LabelNoise:
    """Find the labels that a classifier confidently contradicts.

    An image counts for the class of which the classifier is at least as sure as it is, on average,
    of images with that label. The counts by given and confident class (the confident joint),
    scaled to the number of images with each label, estimate how many labels of a class truly are
    of another; so many images are called suspicious, those with the largest margin first
    ("prune by noise rate").

    Args:
        probabilities: (N, C), of images that the classifier has not learnt from.
        labels: (N,), their given labels.

    Raises:
        DataError: the shapes do not fit together.
    """
    if probabilities.ndim != 2 or len(probabilities) != len(labels) or not len(labels):
        raise DataError(
            f"Predictions of shape {probabilities.shape} and {len(labels)} labels do not fit "
            "together: evaluate the arm again."
        )
    classes = probabilities.shape[1]
    thresholds = self_confidence(probabilities, labels)
    joint = _joint(probabilities, labels, thresholds)
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    suspicious = np.zeros(len(labels), bool)
    counts = np.rint(joint * len(labels)).astype(np.intp)
    for given in range(classes):
        rows = np.flatnonzero(labels == given)
        for true in range(classes):
            if true == given or not counts[given, true]:
                continue
            margins = probabilities[rows, true] - own[rows]
            worst = np.argsort(-margins, kind="stable")[: counts[given, true]]
            suspicious[rows[worst[margins[worst] > 0]]] = True
    return LabelNoise(
        thresholds=thresholds,
        joint=joint,
        suspicious=suspicious,
        suggested=probabilities.argmax(axis=1),
        margin=probabilities.max(axis=1).astype(np.float64) - own,
    )


def self_confidence(probabilities: Floats, labels: Labels) -> NDArray[np.float64]:
    """Mean probability of their own class, over the images of each class (section 3.1).

    Args:
        probabilities: (N, C), of images that the classifier has not learnt from.
        labels: (N,).

    Returns:
        (C,), in [0, 1]; infinite for a class without images.
    """
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    classes = probabilities.shape[1]
    counts = np.bincount(labels, minlength=classes)
    means = np.bincount(labels, weights=own, minlength=classes) / np.maximum(counts, 1)
    return np.where(counts > 0, means, np.inf)


def _joint(
    probabilities: Floats, labels: Labels, thresholds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The confident joint, scaled so that rows have the shares of the given labels."""
    classes = probabilities.shape[1]
    reached = probabilities >= thresholds
    confident = np.where(reached, probabilities, -1.0).argmax(axis=1)
    counted = reached.any(axis=1)
    pairs = labels[counted].astype(np.intp) * classes + confident[counted]
    counts = np.bincount(pairs, minlength=classes**2).reshape(classes, classes).astype(np.float64)
    empty = counts.sum(axis=1) == 0
    counts[np.diag(empty)] = 1.0  # nothing is known against a class without confident images
    shares = np.bincount(labels, minlength=classes) / len(labels)
    joint: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True) * shares[:, None]
    return joint
