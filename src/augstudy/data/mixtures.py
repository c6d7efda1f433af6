"""How each arm makes its training set of real and synthetic drawings."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from augstudy.config import Arm
from augstudy.data.curation import Judged, TooFewDrawingsError, choose

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Drawings:
    """Images (N, height, width) uint8 with their labels (N,)."""

    images: Images
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, rows: npt.NDArray[np.intp]) -> "Drawings":
        """The drawings at `rows`, in their order."""
        return Drawings(self.images[rows], self.labels[rows])

    def counts(self, classes: int) -> npt.NDArray[np.intp]:
        """How many there are of each class."""
        return np.bincount(self.labels, minlength=classes)


@dataclass(frozen=True)
class Synthetic:
    """Synthetic drawings: rightly labelled, and with the student report's labelling fault."""

    right: Drawings
    fault: Drawings


@dataclass(frozen=True)
class Sources:
    """What an arm may choose from.

    ``real`` are the training drawings of the level, ``extra`` those of the pool beyond it.
    ``judged_synthetic`` and ``judged_real`` are what the filter says of the rightly labelled
    synthetic drawings and of ``real``; ``balance`` is whether it keeps as many of every class.
    """

    real: Drawings
    extra: Drawings | None = None
    synthetic: Synthetic | None = None
    judged_synthetic: Judged | None = None
    judged_real: Judged | None = None
    balance: bool = True


def training_set(arm: Arm, sources: Sources, *, classes: int, seed: int) -> Drawings:
    """Make the training set of `arm`; the same `seed` replaces the same real drawings in every arm.

    - ``real``, ``classic`` and ``same_steps``: the real drawings alone.
    - ``real_filtered``: those real drawings that the filter lets through.
    - ``replace``: a share of each class's real drawings gives way to synthetic ones.
    - ``mislabelled``: like ``replace``, with drawings that carry the report's labelling fault.
    - ``add`` and ``classic_add``: synthetic drawings are added, as a share of the real ones.
    - ``add_filtered``: like ``add``, with drawings that the filter lets through.
    - ``extra_real``: like ``add``, with further real drawings.

    Raises:
        TooFewDrawingsError: there are fewer drawings than the arm needs, or none of their kind.
    """
    real = sources.real
    if arm.arm in ("real", "classic", "same_steps"):
        return real
    if arm.arm == "real_filtered":
        return real.at(_filtered_real(sources, classes))
    count = added_per_class(arm, real, classes)
    added = _added(arm, sources, count, classes)
    kept = _drop(real, count, classes, seed) if arm.arm in ("replace", "mislabelled") else real
    return Drawings(
        np.concatenate([kept.images, added.images]), np.concatenate([kept.labels, added.labels])
    )


def added_per_class(arm: Arm, real: Drawings, classes: int) -> int:
    """Drawings a class that `arm` adds or replaces: its share of the class with the fewest."""
    return round((arm.share or 0.0) * int(real.counts(classes).min()))


def _added(arm: Arm, sources: Sources, count: int, classes: int) -> Drawings:
    if arm.arm == "extra_real":
        extra = sources.extra or sources.real.at(np.empty(0, np.intp))
        advice = "lower the level or the arm's share, or raise train_per_class"
        return _first(extra, count, classes, "further real drawings", arm, advice)
    if sources.synthetic is None:
        raise TooFewDrawingsError(f"Arm {arm.label!r} needs synthetic drawings: give --synthetic.")
    advice = "raise synthetic_per_class or lower the arm's share"
    if arm.arm == "mislabelled":
        return _first(sources.synthetic.fault, count, classes, "synthetic drawings", arm, advice)
    right = sources.synthetic.right
    if arm.arm != "add_filtered":
        return _first(right, count, classes, "synthetic drawings", arm, advice)
    judged = _given(sources.judged_synthetic, arm)
    return right.at(choose(judged, right.labels, count, classes, sources.balance))


def _first(
    drawings: Drawings, count: int, classes: int, what: str, arm: Arm, advice: str
) -> Drawings:
    """The first `count` drawings of each class, class by class."""
    fewest = int(drawings.counts(classes).min())
    if fewest < count:
        raise TooFewDrawingsError(
            f"Arm {arm.label!r} needs {count} {what} a class, but there are only {fewest}: "
            f"{advice}."
        )
    rows = [np.flatnonzero(drawings.labels == label)[:count] for label in range(classes)]
    return drawings.at(np.concatenate(rows))


def _filtered_real(sources: Sources, classes: int) -> npt.NDArray[np.intp]:
    """Rows of the real drawings that the filter keeps; balanced, as many as it keeps on average."""
    judged = _given(sources.judged_real, "real_filtered")
    if not sources.balance:
        return np.flatnonzero(judged.kept)
    count = round(int(judged.kept.sum()) / classes)
    count = min(count, int(sources.real.counts(classes).min()))
    return choose(judged, sources.real.labels, count, classes, balance=True)


def _given(judged: Judged | None, arm: Arm | str) -> Judged:
    if judged is None:
        label = arm.label if isinstance(arm, Arm) else arm
        raise TooFewDrawingsError(f"Arm {label!r} needs the filter's judgement: give --curation.")
    return judged


def _drop(real: Drawings, count: int, classes: int, seed: int) -> Drawings:
    """Remove `count` drawings of each class, chosen at random."""
    generator = np.random.default_rng([seed, 0x5EED])
    keep = np.ones(len(real.labels), bool)
    for label in range(classes):
        rows = np.flatnonzero(real.labels == label)
        keep[generator.permutation(rows)[:count]] = False
    return Drawings(real.images[keep], real.labels[keep])
