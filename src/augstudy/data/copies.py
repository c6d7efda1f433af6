"""Which synthetic images are near copies of real ones, by their pixels and by what a judge sees.

A copy is nearer to a real image than real images are to each other. The yardstick are validation
images, which nobody has copied: how near each is to the nearest training image. Test images are
known by thumbnails alone, and the judge never sees them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import spatial

from augstudy.core.arrays import Images
from augstudy.data.near_copies import SAME, Pair, Prepared, near_copies, thumbnails

TRAIN, VAL, TEST = "train", "val", "test"
UNWANTED = (VAL, TEST)
_RARE = 0.01  # share of held-out real images that are nearer than the yardstick says
_SHOWN = 12  # pairs of each kind that are kept to be shown

Seer = Callable[[Images], npt.NDArray[np.float64]]
"""Gives what a judge sees in images (N, ...): (N, D)."""


@dataclass(frozen=True)
class Known:
    """Real images: those to train on (all of the pool), for validation, and thumbnails of test."""

    train: Images
    val: Images
    test: Images


@dataclass(frozen=True)
class Copies:
    """What was found in N images.

    ``of`` bool (N,) says, for each split, which images are copies of one in it; ``pairs`` hold
    places of some copies and of what they copy. ``repeated`` is how many are near copies of earlier
    ones of the set. ``correlation`` and ``distance`` are from where on images are copies; the
    latter is None without a judge. ``alike`` says for each split how many the judge alone found.
    """

    of: Mapping[str, npt.NDArray[np.bool_]]
    pairs: Mapping[str, list[tuple[int, int]]]
    repeated: int
    correlation: float
    distance: float | None = None
    alike: Mapping[str, int] = field(default_factory=dict)

    @property
    def unwanted(self) -> npt.NDArray[np.bool_]:
        """Copies of validation or test images: (N,)."""
        found: npt.NDArray[np.bool_] = np.any([self.of[name] for name in UNWANTED], axis=0)
        return found

    def record(self) -> dict[str, Any]:
        """What copies.json says."""
        return {
            "checked": len(self.unwanted),
            "found": {name: int(copied.sum()) for name, copied in self.of.items()},
            "by_judge_alone": dict(self.alike),
            "repeated": self.repeated,
            "correlation": round(self.correlation, 4),
            "distance": None if self.distance is None else round(self.distance, 4),
        }


class Check:
    """Finds copies of known real images; what it needs to know of those is computed once."""

    def __init__(self, known: Known, seer: Seer | None = None) -> None:
        self._known = {
            TRAIN: thumbnails(known.train),
            VAL: thumbnails(known.val),
            TEST: known.test,
        }
        self._real = Prepared(np.concatenate(list(self._known.values())))
        self._ends = np.cumsum([len(images) for images in self._known.values()])
        self._correlation = _limit(self._known[VAL], self._known[TRAIN])
        self._seer, self._trees, self._distance = seer, {}, None
        if seer and len(known.val) > 1:
            seen = {TRAIN: seer(known.train), VAL: seer(known.val)}
            self._trees = {name: spatial.KDTree(points) for name, points in seen.items()}
            usual, _ = self._trees[TRAIN].query(seen[VAL])
            self._distance = float(np.quantile(usual, _RARE)) / 2

    def shown(self, images: Images, found: Copies) -> dict[str, Images]:
        """Pictures of pairs by split: uint8 (K, 2, h, w[, 3]), the synthetic image first."""
        small = thumbnails(images)
        return {
            name: np.stack([np.stack([small[a], self._known[name][b]]) for a, b in pairs])
            for name, pairs in found.pairs.items()
            if pairs
        }

    def copies(self, images: Images) -> Copies:
        """Which of images uint8 (N, height, width[, 3]) are near copies."""
        small = Prepared(images)
        found: dict[str, list[Pair]] = {name: [] for name in self._known}
        for pair in near_copies(small, self._real, mirrored=True, same=self._correlation):
            split = int(np.searchsorted(self._ends, pair.second, side="right"))
            place = pair.second - ([0, *self._ends][split])
            found[list(found)[split]].append(Pair(pair.first, int(place), pair.correlation))
        of, pairs, alike = {}, {}, {}
        for name, listed in found.items():
            best = {pair.first: pair for pair in sorted(listed, key=lambda item: item.correlation)}
            of[name] = np.isin(np.arange(len(images)), list(best))
            shown = sorted(best.values(), key=lambda item: -item.correlation)[:_SHOWN]
            pairs[name] = [(pair.first, pair.second) for pair in shown]
        if self._distance is not None and self._seer is not None and len(images):
            seen = self._seer(images)
            for name, tree in self._trees.items():
                distance, nearest = map(np.asarray, tree.query(seen))
                near = (distance < self._distance) & ~of[name]
                alike[name] = int(near.sum())
                more = [(int(row), int(nearest[row])) for row in np.flatnonzero(near)]
                pairs[name] = (pairs[name] + more)[:_SHOWN]
                of[name] = of[name] | near
        repeated = {pair.second for pair in near_copies(small, same=max(SAME, self._correlation))}
        return Copies(of, pairs, len(repeated), self._correlation, self._distance, alike)


def _limit(held_out: Images, training: Images) -> float:
    """The correlation of copies: hardly any real image has more with one that it is no copy of.

    Where images are simple, as drawings are, real ones resemble each other as copies of photos do.
    """
    nearest = np.zeros(len(held_out))
    for pair in near_copies(held_out, training, mirrored=True):
        nearest[pair.first] = max(nearest[pair.first], pair.correlation)
    usual = float(np.quantile(nearest, 1 - _RARE)) if len(nearest) else 0.0
    return SAME if usual < SAME else (1 + usual) / 2
