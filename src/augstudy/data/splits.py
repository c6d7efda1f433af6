"""Clean what was read and split it: no blank image, none twice, and no group on two sides."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from augstudy.core.errors import InputError
from augstudy.core.rng import named_generator
from augstudy.data.dataset import SPLITS, Split
from augstudy.data.found import ClassImages, Found
from augstudy.data.near_copies import are_sought, near_copies
from augstudy.settings.data import DataSettings
from augstudy.settings.spec import ImageSpec

# Of an image that is in several given splits, the copy in the first of these is kept.
_PROTECTED = ("test", "val", "train")
Rows = NDArray[np.int64]


class TooFewError(InputError):
    """A class has too few usable images; ``unread`` says whether its source holds more."""

    def __init__(self, message: str, unread: bool) -> None:
        super().__init__(message)
        self.unread = unread


@dataclass
class Dropped:
    """How many images of a class were dropped, and why."""

    blank: int = 0
    repeated: int = 0  # identical to an earlier image of the class
    in_other_class: int = 0  # identical to an image of a class named before it
    on_other_side: int = 0  # identical to, or of a group with, images of a split that comes first

    @property
    def total(self) -> int:
        """All of them."""
        return self.blank + self.repeated + self.in_other_class + self.on_other_side


@dataclass
class Splits:
    """The splits and, for each class, what was dropped and what was left over."""

    splits: dict[str, Split]
    dropped: dict[str, Dropped] = field(default_factory=dict)
    unused: dict[str, int] = field(default_factory=dict)
    copies: list["NearCopy"] | None = None  # None where they were not sought


@dataclass(frozen=True)
class NearCopy:
    """Two images that are near copies: class and place within it of each, and their correlation."""

    first: tuple[str, int]
    second: tuple[str, int]
    correlation: float


@dataclass(frozen=True)
class _Pool:
    """The usable images of all classes, (N,) each: what they are, and what they belong with.

    ``position`` is the place within what was read of its class; ``unit`` the number of its group.
    """

    label: Rows
    position: Rows
    unit: Rows
    given: NDArray[np.str_]


def make_splits(found: Found, settings: DataSettings) -> Splits:
    """Drop blank and repeated images, then deal each class's out to the splits.

    Near copies count as one group. Groups are dealt whole: those of a class are shuffled; the first
    go to test, the next to validation, the next to the training pool, whose first ``level`` images
    are trained on while the rest is kept apart as ``extra``. So validation and test do not depend
    on the level, and a smaller level lies within a larger one. Where the source has splits, its
    test images are those of the dataset, and what it lacks is taken from its training images; a
    group on several of its
    sides stays on the one that matters most, test before validation before training.

    Raises:
        TooFewError: a class has too few usable images.
        InputError: groups are too large to be dealt out.
    """
    pool, dropped, copies = _usable(found, settings)
    names = list(found.classes)
    usable = np.bincount(pool.label, minlength=len(names))
    for label, name in enumerate(names):
        if not pool.given.any():
            _check_enough(found.classes[name], int(usable[label]), settings, dropped[name])
    dealer = _Dealer(pool, settings, int(usable.min()))
    parts: dict[str, list[Rows]] = {name: [] for name in SPLITS}
    unused = {}
    for label, name in enumerate(names):
        dealt = dealer.deal(label, name)
        _check_dealt(found.classes[name], dealt, settings)
        for split in SPLITS:
            parts[split].append(dealt[split])
        unused[name] = int(usable[label]) - sum(map(len, dealt.values()))
    grouped = len(np.unique(pool.unit)) < len(pool.unit)
    splits = {name: _split(np.concatenate(parts[name]), pool, found, grouped) for name in SPLITS}
    return Splits(splits, dropped, unused, copies)


def _usable(
    found: Found, settings: DataSettings
) -> tuple[_Pool, dict[str, Dropped], list[NearCopy] | None]:
    """The images to keep, how many of each class were dropped, and the near copies among them."""
    classes = found.classes
    kept, dropped = _distinct(classes, found.spec)
    label = np.repeat(np.arange(len(kept)), [len(rows) for rows in kept.values()])
    position = np.concatenate(list(kept.values()))
    groups = _texts([item.groups for item in classes.values()], list(kept.values()))
    given = _texts([item.splits for item in classes.values()], list(kept.values())).astype("U5")
    if given.any():
        given[given == ""] = "train"
    pairs, copies = _same(groups), None
    if are_sought(found.spec, settings.image_settings.near_copies):
        alike = near_copies(
            np.concatenate([item.images[kept[name]] for name, item in classes.items()])
        )
        pairs += [(pair.first, pair.second) for pair in alike]
        names = list(classes)
        places = [(names[at], int(row)) for at, row in zip(label, position, strict=True)]
        copies = [
            NearCopy(places[pair.first], places[pair.second], pair.correlation) for pair in alike
        ]
    unit = _units(len(label), pairs)
    stays = _on_one_side(unit, given)
    for index, name in enumerate(kept):
        dropped[name].on_other_side += int((~stays & (label == index)).sum())
    return _Pool(label[stays], position[stays], unit[stays], given[stays]), dropped, copies


def _distinct(
    classes: Mapping[str, ClassImages], spec: ImageSpec
) -> tuple[dict[str, Rows], dict[str, Dropped]]:
    """Positions of the images to keep: the first of several identical ones, and none blank."""
    first_seen: dict[bytes, tuple[str, str]] = {}
    kept: dict[str, list[int]] = {name: [] for name in classes}
    dropped = {name: Dropped() for name in classes}
    blank = None if spec.background is None else bytes([spec.background]) * spec.size
    for side in (*_PROTECTED, ""):
        for name, item in classes.items():
            lost = dropped[name]
            for position in _of_side(item, side):
                key = item.images[position].tobytes()
                owner, owners_side = first_seen.get(key, ("", side))
                if key == blank:
                    lost.blank += 1
                elif not owner:
                    first_seen[key] = name, side
                    kept[name].append(position)
                elif owners_side != side:
                    lost.on_other_side += 1
                elif owner == name:
                    lost.repeated += 1
                else:
                    lost.in_other_class += 1
    return {name: np.array(sorted(rows), np.int64) for name, rows in kept.items()}, dropped


def _of_side(item: ClassImages, side: str) -> Iterable[int]:
    if not item.splits:
        return () if side else range(len(item.images))
    return (position for position, split in enumerate(item.splits) if split == side)


def _texts(of_classes: Sequence[Sequence[str]], kept: Sequence[Rows]) -> NDArray[np.str_]:
    """The texts of the kept images of all classes; empty ones where a class has none."""
    return np.array(
        [
            texts[row] if texts else ""
            for texts, rows in zip(of_classes, kept, strict=True)
            for row in rows
        ],
        np.str_,
    )


def _same(groups: NDArray[np.str_]) -> list[tuple[int, int]]:
    """Neighbours in each group, by their places."""
    members: dict[str, int] = {}
    pairs = []
    for place, group in enumerate(groups):
        if group:
            pairs.append((members.get(group, place), place))
            members[group] = place
    return pairs


def _units(count: int, pairs: Sequence[tuple[int, int]]) -> Rows:
    """The number of each image's group: groups are what chains of pairs hold together."""
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    links = sparse.coo_array((np.ones(len(first)), (first, second)), (count, count))
    _, unit = sparse.csgraph.connected_components(links, directed=False)
    return unit.astype(np.int64)


def _on_one_side(unit: Rows, given: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Which images stay where groups lie on several given sides."""
    rank = np.full(len(unit), len(_PROTECTED))
    for place, side in enumerate(_PROTECTED):
        rank[given == side] = place
    best = np.full(unit.max(initial=-1) + 1, len(_PROTECTED))
    np.minimum.at(best, unit, rank)
    stays: NDArray[np.bool_] = rank == best[unit]
    return stays


class _Dealer:
    """Deals groups out to test, val and train, class by class; one that was dealt stays there."""

    def __init__(self, pool: _Pool, settings: DataSettings, fewest: int) -> None:
        self._pool, self._settings, self._fewest = pool, settings, fewest
        self._given = {"test", "val"} & set(pool.given)
        self._side = {
            int(unit): str(side)
            for unit, side in zip(pool.unit, pool.given, strict=True)
            if side in ("test", "val")
        }

    def deal(self, label: int, name: str) -> dict[str, Rows]:
        """Places in the pool of each split's images of a class, in the order of dealing."""
        mine = np.flatnonzero(self._pool.label == label)
        members: dict[int, list[int]] = defaultdict(list)
        for place in mine:
            members[int(self._pool.unit[place])].append(int(place))
        count = Counter[str]()
        for unit, places in members.items():
            count[self._side.get(unit, "")] += len(places)
        wanted = self._wanted(count)
        dealt: dict[str, list[int]] = {"test": [], "val": [], "train": []}
        # Of images without groups the units are in the order of the images: as drawings were dealt.
        for unit in named_generator(self._settings.seed, "split", name).permutation(list(members)):
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


def _check_enough(item: ClassImages, usable: int, settings: DataSettings, lost: Dropped) -> None:
    needed = settings.needed_per_class
    if usable >= needed:
        return
    told = (
        f"{item.uri} gave {usable} usable images ({lost.blank} blank, {lost.total - lost.blank} "
        "repeated ones dropped)"
    )
    if settings.asks_for_counts:
        told += (
            f", but train_per_class, val_per_class and test_per_class ask for {needed}: lower "
            f"them by {needed - usable} in all."
        )
    else:
        told += (
            f", but each class needs {needed}, one each to train, validate and test: add images, "
            "or name the other classes with classes."
        )
    raise TooFewError(told, unread=item.unread)


def _check_dealt(item: ClassImages, dealt: Mapping[str, Rows], settings: DataSettings) -> None:
    """See that every split has its images."""
    asked = {"train": settings.train_per_class, "val": settings.val_per_class}
    asked["test"] = settings.test_per_class
    there = {side: len(dealt[side]) for side in asked}
    there["train"] += len(dealt["extra"])
    for side, count in asked.items():
        if there[side] < max(1, count):
            raise TooFewError(
                f"{item.uri} gave {there['train']} training, {there['val']} validation and "
                f"{there['test']} test images, fewer than the {max(1, count)} that {side} needs: "
                "add images, leave the class out with classes, or ask for fewer; images of a "
                "group stay together.",
                unread=item.unread,
            )


def _split(places: Rows, pool: _Pool, found: Found, grouped: bool) -> Split:
    """The images at `places` of the pool, class by class."""
    labels, positions = pool.label[places], pool.position[places]
    images = np.empty((len(places), *found.spec.stored), np.uint8)
    rows = np.empty(len(places), np.int64)
    for label, item in enumerate(found.classes.values()):
        mine = labels == label
        images[mine], rows[mine] = item.images[positions[mine]], item.rows[positions[mine]]
    groups = pool.unit[places] if grouped else None
    return Split(images, labels.astype(np.int32), rows, groups)
