"""What arms are made of: real, further and synthetic images, and who hands them out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from augstudy.core import rng
from augstudy.core.arrays import Images, Labels
from augstudy.data import shares
from augstudy.data.curation import Opinion, TooFewDrawingsError, choose, fold_shortage
from augstudy.settings.arms import Arm

_MORE_SYNTHETIC = "raise synthetic_per_class or lower the arm's share"
_MORE_REAL = "lower the level or the arm's share, or raise train_per_class"


@dataclass(frozen=True)
class Drawings:
    """Images uint8 (N, height, width[, 3]) with their labels (N,), and how to train on them.

    ``weights`` float32 (N,) are those in the loss, by default 1; ``before`` is what is trained on
    first; ``pool`` holds the images that the last ones, from ``exchanged`` on, are exchanged for in
    every epoch.
    """

    images: Images
    labels: Labels
    weights: npt.NDArray[np.float32] | None = None
    before: "Drawings | None" = None
    pool: "Drawings | None" = None
    exchanged: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    def __add__(self, other: "Drawings") -> "Drawings":
        weights = None
        if self.weights is not None or other.weights is not None:
            weights = np.concatenate([self._weights(), other._weights()])
        return Drawings(
            np.concatenate([self.images, other.images]),
            np.concatenate([self.labels, other.labels]),
            weights,
            pool=other.pool,
            exchanged=len(self) + other.exchanged if other.pool else 0,
        )

    def after(self, first: "Drawings") -> "Drawings":
        """These, trained on after the `first`."""
        return replace(self, before=first)

    def in_epoch(self, epoch: int, seed: int) -> Images:
        """The images of an epoch, (N, ...): with a pool others in each, of equal labels."""
        if self.pool is None:
            return self.images
        images, generator = self.images.copy(), rng.generator(seed, 0xF2E5, epoch)
        for label in np.unique(self.labels[self.exchanged :]):
            places = self.exchanged + np.flatnonzero(self.labels[self.exchanged :] == label)
            rows = np.flatnonzero(self.pool.labels == label)
            images[places] = self.pool.images[generator.permutation(rows)[: len(places)]]
        return images

    def _weights(self) -> npt.NDArray[np.float32]:
        return np.ones(len(self), np.float32) if self.weights is None else self.weights

    def at(self, rows: npt.NDArray[np.intp]) -> "Drawings":
        """The images at `rows`, in their order."""
        return Drawings(self.images[rows], self.labels[rows])

    def counts(self, classes: int) -> npt.NDArray[np.intp]:
        """How many there are of each class."""
        return np.bincount(self.labels, minlength=classes)


@dataclass(frozen=True)
class Synthetic:
    """Synthetic images: rightly labelled, and with the student report's labelling fault."""

    right: Drawings
    fault: Drawings


@dataclass(frozen=True)
class Sources:
    """What an arm may choose from.

    ``real`` are the training images of the level, ``extra`` those of the pool beyond it.
    ``synthetic_opinion`` and ``real_opinion`` are what the filter says of the rightly labelled
    synthetic images and of ``real``; ``balance`` is whether it keeps as many of every class, and
    ``folds`` how many images per class it needs at least to judge ``real``.
    """

    real: Drawings
    extra: Drawings | None = None
    synthetic: Synthetic | None = None
    synthetic_opinion: Opinion | None = None
    real_opinion: Opinion | None = None
    balance: bool = True
    folds: int = 0


def training_set(arm: Arm, sources: Sources, *, classes: int, seed: int) -> Drawings:
    """Make the training set of `arm`; the same `seed` replaces the same real images in every arm.

    How each kind of arm does it is in :mod:`augstudy.settings.arms`.

    Raises:
        TooFewDrawingsError: there are fewer drawings than the arm needs, or none of their kind, or
            its share comes to no image.
    """
    if short := shares.shortage(arm, sources.real.counts(classes).tolist()):
        raise TooFewDrawingsError(short)
    made: Drawings = arm.kind.make(Mixer(arm, sources, classes, seed))
    return made


@dataclass(frozen=True)
class Mixer:
    """Hands an arm the images that it asks for; each method says if there are too few.

    ``classes`` is their number, and ``seed`` that of the repetition.
    """

    arm: Arm
    sources: Sources
    classes: int
    seed: int

    @property
    def real(self) -> Drawings:
        """The real training images of the level."""
        return self.sources.real

    @property
    def counts(self) -> list[int]:
        """Images of each class to add or replace: the arm's share of the class's real images."""
        return shares.of_each(self.arm.share, self.real.counts(self.classes).tolist())

    def synthetic(self) -> Drawings:
        """The first synthetic images of each class, :attr:`counts` of them; else all."""
        if self.arm.share is None:
            return self._generated().right
        return self._first(self._generated().right, "synthetic images", _MORE_SYNTHETIC)

    def exchanged(self) -> Drawings:
        """The same, exchanged in every epoch for others of the set."""
        return replace(self.synthetic(), pool=self._generated().right)

    def missing(self) -> Drawings:
        """The first synthetic images of each class, as many as it lacks of the largest."""
        lacking = self._lacking()
        if not any(lacking):
            raise TooFewDrawingsError(
                f"Arm {self.arm.label!r} has nothing to fill, as all classes are equally large: "
                "leave it out."
            )
        right = self._generated().right
        return self._first(right, "synthetic images", _MORE_SYNTHETIC, lacking)

    def repeated(self) -> Drawings:
        """Real images chosen at random, as many of each class as it lacks of the largest."""
        generator, rows = rng.generator(self.seed, 0x0E5A), []
        for label, count in enumerate(self._lacking()):
            own = np.flatnonzero(self.real.labels == label)
            rows.append(np.resize(generator.permutation(own), count))
        return self.real.at(np.concatenate(rows))

    def balanced(self) -> Drawings:
        """The real images, with weights by which every class counts alike, 1 on average."""
        counts = np.maximum(self.real.counts(self.classes), 1)
        weights = len(self.real) / (self.classes * counts[self.real.labels])
        return replace(self.real, weights=weights.astype(np.float32))

    def weighed(self, drawings: Drawings, weight: float) -> Drawings:
        """Drawings with a weight in the loss."""
        return replace(drawings, weights=np.full(len(drawings), weight, np.float32))

    def _lacking(self) -> list[int]:
        counts = self.real.counts(self.classes)
        lacking: list[int] = (counts.max() - counts).tolist()
        return lacking

    def mislabelled(self) -> Drawings:
        """As many whose labels carry the student report's fault."""
        return self._first(self._generated().fault, "synthetic images", _MORE_SYNTHETIC)

    def filtered(self) -> Drawings:
        """As many synthetic images, chosen by the filter."""
        right, balance = self._generated().right, self.sources.balance
        judged = self._judged(self.sources.synthetic_opinion)
        return right.at(choose(judged, right.labels, self.counts, balance))

    def extra(self) -> Drawings:
        """As many real images beyond those of the level."""
        extra = self.sources.extra or self.real.at(np.empty(0, np.intp))
        return self._first(extra, "further real images", _MORE_REAL)

    def thinned(self) -> Drawings:
        """The real images without :attr:`counts` of each class, chosen at random."""
        generator = rng.generator(self.seed, 0x5EED)
        keep = np.ones(len(self.real), bool)
        for label, count in enumerate(self.counts):
            rows = np.flatnonzero(self.real.labels == label)
            keep[generator.permutation(rows)[:count]] = False
        return self.real.at(np.flatnonzero(keep))

    def filtered_real(self) -> Drawings:
        """The real images that the filter keeps; balanced, the same share of every class."""
        unjudged, folds = self.sources.real_opinion is None, self.sources.folds
        if unjudged and (short := fold_shortage(self.real.labels, folds)):
            raise TooFewDrawingsError(
                f"Arm {self.arm.label!r} needs filtered real images, but {short}."
            )
        judged = self._judged(self.sources.real_opinion)
        passed = int(judged.kept.sum())
        counts = [round(n * passed / len(self.real)) for n in self.real.counts(self.classes)]
        if not (max(counts) if self.sources.balance else passed):
            raise TooFewDrawingsError(
                f"Arm {self.arm.label!r} has too few images, because only {passed} of "
                f"{len(self.real)} real images pass the filter: lower the filter's strictness."
            )
        if not self.sources.balance:
            return self.real.at(np.flatnonzero(judged.kept))
        counts = [max(1, count) for count in counts]  # no class is lost
        return self.real.at(choose(judged, self.real.labels, counts, balance=True))

    def _generated(self) -> Synthetic:
        if self.sources.synthetic is None:
            raise TooFewDrawingsError(
                f"Arm {self.arm.label!r} needs synthetic images: give --synthetic."
            )
        return self.sources.synthetic

    def _judged(self, judged: Opinion | None) -> Opinion:
        if judged is None:
            raise TooFewDrawingsError(
                f"Arm {self.arm.label!r} needs the results of the filter: give --curation."
            )
        return judged

    def _first(
        self, drawings: Drawings, what: str, advice: str, counts: Sequence[int] | None = None
    ) -> Drawings:
        """The first images of each class, class by class: `counts`, or :attr:`counts`."""
        rows, wanted = [], self.counts if counts is None else counts
        for label, (count, there) in enumerate(
            zip(wanted, drawings.counts(self.classes).tolist(), strict=True)
        ):
            if there < count:
                raise TooFewDrawingsError(
                    f"Arm {self.arm.label!r} needs {count:,} {what} per class, but there are only "
                    f"{there:,}: {advice}."
                )
            rows.append(np.flatnonzero(drawings.labels == label)[:count])
        return drawings.at(np.concatenate(rows))
