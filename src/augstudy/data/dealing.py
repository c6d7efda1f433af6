"""Deal groups of images out to splits and folds: whole groups, class by class."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from augstudy.core.rng import named_generator
from augstudy.settings.data import DataSettings

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Pool:
    """The usable images of all classes, (N,) each: what they are, and what they belong with.

    ``position`` is the place within what was read of its class; ``unit`` the number of its group.
    """

    label: Rows
    position: Rows
    unit: Rows
    given: NDArray[np.str_]

    def at(self, places: Rows) -> "Pool":
        """The images at `places`."""
        numbers = (self.label[places], self.position[places], self.unit[places])
        return Pool(*numbers, self.given[places])

    def members(self, label: int) -> dict[int, list[int]]:
        """The places of the images of a class by group, both in the order of the images."""
        found: dict[int, list[int]] = defaultdict(list)
        for place in np.flatnonzero(self.label == label):
            found[int(self.unit[place])].append(int(place))
        return found


class Dealer:
    """Deals groups out to test, val and train, class by class; one that was dealt stays there.

    ``fewest`` are the usable images of the smallest class; each ``fold`` and each ``draw`` has an
    order of its own.
    """

    def __init__(
        self,
        pool: Pool,
        settings: DataSettings,
        fewest: int,
        fold: int | None = None,
        draw: int = 0,
    ) -> None:
        self._pool, self._settings, self._fewest = pool, settings, fewest
        self._order: tuple[object, ...] = () if fold is None else (fold,)
        if draw:
            self._order += ("draw", draw)
        self._given = {"test", "val"} & set(pool.given)
        self._side = {
            int(unit): str(side)
            for unit, side in zip(pool.unit, pool.given, strict=True)
            if side in ("test", "val")
        }

    def deal(self, label: int, name: str) -> dict[str, Rows]:
        """Places in the pool of each split's images of a class, in the order of dealing."""
        members = self._pool.members(label)
        count = Counter[str]()
        for unit, places in members.items():
            count[self._side.get(unit, "")] += len(places)
        wanted = self._wanted(count)
        dealt: dict[str, list[int]] = {"test": [], "val": [], "train": []}
        # Of images without groups the units are in the order of the images: as drawings were dealt.
        order = named_generator(self._settings.seed, "split", name, *self._order)
        for unit in order.permutation(list(members)):
            places = members[int(unit)]
            if int(unit) not in self._side:
                self._side[int(unit)] = next(
                    (side for side in wanted if _fits(len(places), count[side], wanted[side])),
                    "train",
                )
                count[self._side[int(unit)]] += len(places)
            dealt[self._side[int(unit)]] += places
        rows = {side: np.array(places, np.int64) for side, places in dealt.items()}
        return self._cut(rows)

    def tested(self) -> Pool:
        """The images as another draw has them: those dealt to test are given, and stay there."""
        pool = self._pool
        to_test = np.array([self._side.get(int(unit)) == "test" for unit in pool.unit], bool)
        rest = np.where(pool.given == "", "train", pool.given)
        return replace(pool, given=np.where(to_test, "test", rest))

    def _wanted(self, count: Counter[str]) -> dict[str, int]:
        """How many images of a class to deal to test and val, those that the source lacks."""
        settings = self._settings
        part = dict(zip(("train", "val", "test"), settings.image_settings.shares, strict=True))
        free = sum(count.values()) - sum(count[side] for side in self._given)
        left = 1 - sum(part[side] for side in self._given)
        val = settings.val_per_class or max(1, round(free * part["val"] / left))
        test = settings.test_per_class or max(1, round(free * part["test"] / left))
        if settings.train_per_class and not settings.test_per_class:
            test = max(1, self._fewest - settings.train_per_class - val)
        wanted = {"test": test, "val": val}
        return {side: wanted[side] for side in wanted if side not in self._given}

    def _cut(self, dealt: dict[str, Rows]) -> dict[str, Rows]:
        """The dealt images in the four splits of a dataset, no more than were asked for."""
        settings = self._settings
        train = dealt["train"][: settings.train_per_class or None]
        level = settings.level or len(train)
        return {
            "train": train[:level],
            "extra": train[level:],
            "val": dealt["val"][: settings.val_per_class or None],
            "test": dealt["test"][: settings.test_per_class or None],
        }


def _fits(size: int, has: int, wanted: int) -> bool:
    """Whether a group of `size` brings a split nearer to what is wanted; the first one always."""
    return has < wanted and (has == 0 or has + size / 2 <= wanted)


def in_folds(pool: Pool, names: Sequence[str], settings: DataSettings) -> list[Pool]:
    """The images as each fold has them: its own are given as test images, all others are not.

    Every class is dealt out by itself, so that the folds have as many images of it as its groups
    allow. With ``test_per_class`` there are images that no fold tests: those are left out of all.
    """
    fold = _folds(pool, names, settings)
    used = pool.at(np.flatnonzero(fold >= 0))
    own = fold[fold >= 0]
    return [
        replace(used, given=np.where(own == number, "test", "train"))
        for number in range(settings.folds)
    ]


def _folds(pool: Pool, names: Sequence[str], settings: DataSettings) -> Rows:
    """The fold of each image (N,); -1 for those that are left out."""
    fold, limit = np.full(len(pool.label), -1), settings.test_per_class
    of_unit: dict[int, int] = {}
    total = np.zeros(settings.folds, np.int64)
    for label, name in enumerate(names):
        members = pool.members(label)
        order = named_generator(settings.seed, "folds", name).permutation(list(members)).tolist()
        if not limit:  # the large ones first, and the small ones level the folds out
            order.sort(key=lambda unit: -len(members[unit]))
        sizes = np.zeros(settings.folds, np.int64)
        for unit in sorted(order, key=lambda unit: unit not in of_unit):
            if unit not in of_unit:
                least = np.lexsort((total, sizes))[0]
                of_unit[unit] = -1 if limit and sizes[least] >= limit else int(least)
            if (number := of_unit[unit]) < 0:
                continue
            places = members[unit][: limit - sizes[number] if limit else None]
            fold[places] = number
            sizes[number] += len(places)
            total[number] += len(places)
    return fold
