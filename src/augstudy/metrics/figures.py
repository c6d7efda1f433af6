"""Every figure of synthetic images: its name, how to read it, and some of their formulas.

A figure is one function below that compares images with the reference; :func:`figure` above it says
the rest. :mod:`augstudy.metrics.measuring` computes it for synthetic and for real images, with its
interval, and for each class. What shares its work with others, or needs a training, is named here
and computed there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from augstudy.core.arrays import Floats, Images, Labels
from augstudy.metrics.gan_training import relative_diversity
from augstudy.metrics.generative import Indices

Direction = Literal["lower", "higher", "as real"]


@dataclass(frozen=True)
class Seen:
    """Images as the judge sees them, as many of each class and class by class.

    ``images`` are uint8 (N, 28, 28), ``labels`` (N,), ``features`` (N, D), and ``probabilities``
    (N, C).
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
        title: What tables call it.
        text: How to read it.
        direction: Which values are better.
        share: Whether it is a share of the images, shown in per cent.
        compute: Its value from the reference and the images that are judged, as many; None if it
            is computed together with others.
    """

    name: str
    title: str
    text: str
    direction: Direction
    share: bool = False
    compute: Compute | None = None


FIGURES: dict[str, Figure] = {}


def figure(
    title: str, text: str, direction: Direction, share: bool = False
) -> Callable[[Compute], Compute]:
    """Make a figure, called like the function below; see :class:`Figure`."""

    def register(compute: Compute) -> Compute:
        name = compute.__name__
        FIGURES[name] = Figure(name, title, text, direction, share, compute)
        return compute

    return register


def _beside(name: str, title: str, text: str, direction: Direction, share: bool = False) -> None:
    """Name a figure that is computed elsewhere."""
    FIGURES[name] = Figure(name, title, text, direction, share)


_beside(
    "fid_qd",
    "FID-QD",
    "How far the judge's impressions of all synthetic images are from those of validation "
    "drawings. Not to be compared with published FIDs, nor with one of another number of "
    "images: fewer images give more.",
    "lower",
)
_beside(
    "kid",
    "KID",
    "The same question without the bias of few images: 0 is no difference, and a little below "
    "is chance.",
    "lower",
)
_beside(
    "precision",
    "Precision",
    "Share of synthetic images that look like some real one. Low: many are implausible.",
    "higher",
    share=True,
)
_beside(
    "recall",
    "Recall",
    "Share of real drawings that look like some synthetic one. Low: kinds of drawings are missing.",
    "higher",
    share=True,
)
_beside(
    "density",
    "Density",
    "Precision that counts how many real drawings an image is near to, so that outliers do "
    "not flatter it; it may exceed 1.",
    "higher",
)
_beside(
    "coverage",
    "Coverage",
    "Share of real drawings with a synthetic one nearby. Low: kinds of drawings are missing, "
    "and unlike recall it is not flattered by outliers.",
    "higher",
    share=True,
)
_beside(
    "gan_test",
    "GAN-test (label fidelity)",
    "Share of synthetic images in which the judge, trained on real ones, sees the class asked "
    "for. One good drawing a class is enough for 100 %.",
    "higher",
    share=True,
)
_beside(
    "cas",
    "CAS (GAN-train)",
    "The other way round: accuracy on validation drawings of a classifier trained on "
    "synthetic images alone, beside that of as many real ones. It takes right labels and "
    "variety.",
    "higher",
    share=True,
)


@figure(
    "Diversity within a class",
    "How much images of a class differ, over how much real ones do. Near 0: every class has "
    "become one picture. Noise may exceed 1.",
    "as real",
)
def diversity(reference: Seen, images: Seen) -> float:
    """How far images of a class are from each other, over the same of the reference; mean."""
    ratios = [
        relative_diversity(images.of(label).images, reference.of(label).images)
        for label in np.unique(reference.labels)
    ]
    return float(np.mean(ratios))


_beside(
    "nearest_training",
    "Distance to the training drawings",
    "From each synthetic image to the nearest drawing that the GAN has learnt from, beside "
    "the same for unseen real ones. Much less: copies, or blur.",
    "as real",
)
_beside(
    "near_copies",
    "Near copies",
    "Share of synthetic images nearer to a training drawing than 99 % of unseen real ones "
    "are. Far above 1 %: the GAN repeats what it has seen, or draws blurred averages.",
    "lower",
    share=True,
)
