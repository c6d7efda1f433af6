"""What another sample would bring: other images, or other groups of images that belong together.

Images of a group (a patient, a camera burst, near copies) are alike, so a hundred of them tell less
than a hundred images of their own: the standard error of a mean is then that of the sums of groups
(Liang and Zeger 1986, Biometrika 73; for evaluations of models Miller 2024, arXiv:2411.00640). With
folds each image is tested once, by the classifiers of its fold, and is compared with those of its
fold.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from augstudy.core.arrays import Floats
from augstudy.stats.balance import Balance, effective, weights

# The group, or the fold, of each image (N,); None where each is its own, or there is one split.
Groups: TypeAlias = NDArray[np.integer[Any]] | None
Folds: TypeAlias = NDArray[np.integer[Any]] | None

COUNTED_IN = 2  # images that every interval counts in, see paired_difference


@dataclass(frozen=True)
class Units:
    """How N images were drawn and tested: best made by :meth:`of`.

    Args:
        images: N.
        balance: their classes, if the metric is balanced accuracy.
        groups: the group of each.
        folds: the fold of each.
    """

    images: int
    balance: Balance = None
    groups: Groups = None
    folds: Folds = None

    @classmethod
    def of(
        cls, images: int, balance: Balance = None, groups: Groups = None, folds: Folds = None
    ) -> "Units":
        """The same without groups of one image each, and without a single fold."""
        if groups is not None and len(np.unique(groups)) == images:
            groups = None
        if folds is not None and len(np.unique(folds)) == 1:
            folds = None
        return cls(images, balance, groups, folds)

    @cached_property
    def plain(self) -> bool:
        """Whether images are drawn one by one and were all tested by the same classifiers."""
        return self.groups is None and self.folds is None

    @cached_property
    def count(self) -> int:
        """Units: groups, or images."""
        return len(self._sizes)

    @cached_property
    def effective(self) -> float:
        """Units of equal size that tell as much (Kish 1965, "Survey Sampling")."""
        return float(self._sizes.sum() ** 2 / np.square(self._sizes).sum())

    @cached_property
    def folded(self) -> int:
        """Folds, 1 without."""
        return 1 if self.folds is None else len(np.unique(self.folds))

    @cached_property
    def freedom(self) -> float:
        """Degrees of freedom of what is estimated between units; 0 if a group is all there is."""
        if self.groups is not None and self.count <= self.folded:
            return 0.0
        return max(1.0, self.effective - self._lost)

    @cached_property
    def inflation(self) -> float:
        """What the spread of a bootstrap over units lacks: few are not as good as a normal.

        A bootstrap over G units is too narrow by the root of (G - 1) / G, and its tails are those
        of a normal distribution, not of Student's t (Cameron, Gelbach and Miller 2008, Review of
        Economics and Statistics 90).
        """
        tails = float(stats.t.ppf(0.975, self.freedom) / stats.norm.ppf(0.975))
        return tails * math.sqrt(self.count / self._left)

    def by_fold(self, values: NDArray[Any]) -> Floats:
        """What each run of each fold adds to the metric of its seed: (S, N) to (S, K)."""
        weighed = values * self._weights / self.images
        folds = np.zeros(self.images, np.intp) if self.folds is None else self.folds
        return _summed(weighed, np.unique(folds, return_inverse=True)[1])

    def deviations(self, values: NDArray[Any]) -> Floats:
        """Of (S, N) values from what is usual, in their fold (and class), summed by unit: (S, G).

        The variance of the metric over samples is the sum of their squares over N squared.
        """
        own = self._own(values)
        return own if self.groups is None else _summed(own, self._unit)

    def mean_squares(self, values: NDArray[Any]) -> tuple[float, float]:
        """Between units, and what is left within runs: of (S, N) values, per image."""
        found = self.deviations(values)
        seeds, usual = len(found), found.mean(axis=0)
        scale = self._left * self.images / self.count
        between = seeds * float(np.square(usual).sum()) / scale
        rest = float(np.square(found - usual).sum()) / scale
        return between, rest / max(1, seeds - 1)

    def covariance(self, values: NDArray[Any]) -> Floats:
        """Of (K, N) values, per image: over N it is that of their metrics over samples, (K, K)."""
        found = self.deviations(values)
        return np.asarray(found @ found.T * self.count / (self.images * self._left))

    def design_effect(self, values: NDArray[Any]) -> float:
        """How many images of these groups tell as much as one of its own.

        It is estimated from (S, N) values, with the images that intervals count in taken to be in
        groups that are all alike: what hardly ever happens shows nothing of how it is grouped.
        """
        if self.groups is None:
            return 1.0
        own = self._own(values).mean(axis=0, keepdims=True)
        together, most = _summed(own, self._unit), self.images / self.effective
        alike = float(np.square(together).sum()) + COUNTED_IN * most
        return float(np.clip(alike / (np.square(own).sum() + COUNTED_IN), 1.0, max(1.0, most)))

    def telling(self, values: NDArray[Any]) -> float:
        """Images of equal classes, each on its own, that tell as much as these: for (S, N)."""
        return self.images * effective(self.balance) / self.design_effect(values)

    def _own(self, values: NDArray[Any]) -> Floats:
        sums = _summed(values.astype(np.float64), self._strata)
        usual = sums / np.bincount(self._strata)
        return np.asarray((values - usual[:, self._strata]) * self._weights)

    @cached_property
    def _weights(self) -> Floats:
        return np.ones(self.images) if self.balance is None else weights(self.balance)

    @cached_property
    def _unit(self) -> NDArray[np.intp]:
        if self.groups is None:
            return np.arange(self.images)
        return np.unique(self.groups, return_inverse=True)[1]

    @cached_property
    def _strata(self) -> NDArray[np.intp]:
        """The images that each is compared with: of its fold and, in balance, its class."""
        keys = [it for it in (self.balance, self.folds) if it is not None]
        if not keys:
            return np.zeros(self.images, np.intp)
        return np.unique(np.stack(keys), axis=1, return_inverse=True)[1].reshape(-1)

    @cached_property
    def _sizes(self) -> Floats:
        return np.asarray(np.bincount(self._unit, self._weights), np.float64)

    @cached_property
    def _left(self) -> int:
        """Units less the means that were taken off them."""
        return max(1, self.count - self._lost)

    @cached_property
    def _lost(self) -> int:
        return self.folded if self.groups is not None else len(np.unique(self._strata))


def _summed(values: NDArray[Any], place: NDArray[np.intp]) -> Floats:
    """(S, N) values summed by the place (N,) of each, which is between 0 and P - 1: (S, P)."""
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    return np.asarray(np.add.reduceat(values[:, order], starts, axis=1))
