"""How each arm makes its training set of real and synthetic drawings."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from augstudy.config import Arm
from augstudy.errors import InputError

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Drawings:
    """Images (N, height, width) uint8 with their labels (N,)."""

    images: Images
    labels: Labels

    def first(self, count: int, classes: int) -> "Drawings":
        """The first `count` drawings of each class, class by class.

        Raises:
            InputError: a class has fewer.
        """
        chosen = [np.flatnonzero(self.labels == label)[:count] for label in range(classes)]
        fewest = min(len(rows) for rows in chosen)
        if fewest < count:
            raise InputError(
                f"{count} synthetic drawings a class are needed but there are only {fewest}: "
                "raise synthetic_per_class or lower the arm's share."
            )
        rows = np.concatenate(chosen)
        return Drawings(self.images[rows], self.labels[rows])


@dataclass(frozen=True)
class Synthetic:
    """Synthetic drawings: rightly labelled, and with the student report's labelling fault."""

    right: Drawings
    fault: Drawings


def training_set(
    arm: Arm, real: Drawings, synthetic: Synthetic | None, *, classes: int, seed: int
) -> Drawings:
    """Make the training set of `arm`; the same `seed` replaces the same real drawings in every arm.

    - ``real`` and ``classic``: the real drawings alone.
    - ``replace``: a share of each class's real drawings gives way to synthetic ones.
    - ``add``: synthetic drawings are added, as a share of the real ones.
    - ``mislabelled``: like ``replace``, with drawings that carry the report's labelling fault.

    Raises:
        InputError: the arm needs synthetic drawings and there are none, or too few.
    """
    if arm.share is None:
        return real
    if synthetic is None:
        raise InputError(f"Arm {arm.label!r} needs synthetic drawings: give --synthetic.")
    level = min(int(np.sum(real.labels == label)) for label in range(classes))
    count = round(arm.share * level)
    source = synthetic.fault if arm.arm == "mislabelled" else synthetic.right
    chosen = source.first(count, classes)
    kept = real if arm.arm == "add" else _drop(real, count, classes, seed)
    return Drawings(
        np.concatenate([kept.images, chosen.images]), np.concatenate([kept.labels, chosen.labels])
    )


def _drop(real: Drawings, count: int, classes: int, seed: int) -> Drawings:
    """Remove `count` drawings of each class, chosen at random."""
    generator = np.random.default_rng([seed, 0x5EED])
    keep = np.ones(len(real.labels), bool)
    for label in range(classes):
        rows = np.flatnonzero(real.labels == label)
        keep[generator.permutation(rows)[:count]] = False
    return Drawings(real.images[keep], real.labels[keep])
