"""Every figure of synthetic images: its rules, and some of their formulas.

A figure is one function below that compares images with the reference; the rules above it, those
of :class:`Figure`, say the rest. :mod:`augstudy.metrics.measuring` computes it for synthetic and
for real images, with its interval, and for each class. What shares its work with others, or needs a
training, is named here and computed there. How to read them is in :mod:`augstudy.pages.readings`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from augstudy.core.arrays import Floats, Images, Labels
from augstudy.core.registry import Registry
from augstudy.metrics.gan_training import relative_diversity
from augstudy.metrics.generative import Indices

Direction = Literal["lower", "higher", "as real"]


@dataclass(frozen=True)
class Seen:
    """Images as the judge sees them, as many of each class and class by class.

    ``images`` are uint8 (N, height, width[, 3]), ``labels`` (N,), ``features`` (N, D), and
    ``probabilities`` (N, C).
    """

    images: Images
    labels: Labels
    features: Floats
    probabilities: NDArray[np.floating[Any]]

    def of(self, label: int) -> "Seen":
        """Those of one class."""
        return self.at(np.flatnonzero(self.labels == label))

    def at(self, rows: Indices) -> "Seen":
        """Those at `rows`."""
        return Seen(
            self.images[rows], self.labels[rows], self.features[rows], self.probabilities[rows]
        )


Compute = Callable[[Seen, Seen], float]


@dataclass(frozen=True)
class Figure:
    """A figure.

    Attributes:
        name: By which files call it.
        compute: Its value from the reference and the images that are judged, as many; None if it
            is computed together with others.
        direction: Which values are better.
        share: Whether it is a share of the images, shown in per cent.
    """

    name: str
    compute: Compute | None
    direction: Direction
    share: bool = False


FIGURES: Registry[Figure] = Registry("figure", Figure)

FIGURES.add("fid_qd", direction="lower")
FIGURES.add("kid", direction="lower")
FIGURES.add("precision", direction="higher", share=True)
FIGURES.add("recall", direction="higher", share=True)
FIGURES.add("density", direction="higher")
FIGURES.add("coverage", direction="higher", share=True)
FIGURES.add("gan_test", direction="higher", share=True)
FIGURES.add("cas", direction="higher", share=True)


@FIGURES.register(direction="as real")
def diversity(reference: Seen, images: Seen) -> float:
    """How far images of a class are from each other, over the same of the reference; mean."""
    ratios = [
        relative_diversity(images.of(label).images, reference.of(label).images)
        for label in np.unique(reference.labels)
    ]
    return float(np.mean(ratios))


FIGURES.add("nearest_training", direction="as real")
FIGURES.add("near_copies", direction="lower", share=True)
