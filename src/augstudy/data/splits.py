"""Clean what was read and split it: no blank image, none twice, and no group on two sides."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from augstudy.core.errors import InputError
from augstudy.data.dataset import SPLITS, Split
from augstudy.data.dealing import Dealer, Pool, Rows, in_folds
from augstudy.data.found import ClassImages, Found
from augstudy.data.near_copies import are_sought, near_copies
from augstudy.data.parts import Layout
from augstudy.settings.data import DataSettings
from augstudy.settings.spec import ImageSpec

# Of an image that is in several given splits, the copy in the first of these is kept.
_PROTECTED = ("test", "val", "train")
_FEWER = "lower folds or the counts per class, or leave the class out with classes."
FOLDS_GIVEN = (
    "The source says which images are for test or validation, but folds test every image: leave "
    "folds out, or name a folder or a table without splits."
)


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
    """The splits and, for each class, what was dropped and what was left over.

    Where there are several parts, ``splits`` are those of the first one, and ``more`` those of the
    others, in the order that the ``layout`` has them in.
    """

    splits: dict[str, Split]
    dropped: dict[str, Dropped] = field(default_factory=dict)
    unused: dict[str, int] = field(default_factory=dict)
    copies: list["NearCopy"] | None = None  # None where they were not sought
    more: list[dict[str, Split]] = field(default_factory=list)
    layout: Layout = field(default_factory=Layout)


@dataclass(frozen=True)
class NearCopy:
    """Two images that are near copies: class and place within it of each, and their correlation."""

    first: tuple[str, int]
    second: tuple[str, int]
    correlation: float


def make_splits(found: Found, settings: DataSettings) -> Splits:
    """Drop blank and repeated images, then deal each class's out to the splits.

    Near copies count as one group. Groups are dealt whole: those of a class are shuffled; the first
    go to test, the next to validation, the next to the training pool, whose first ``level`` images
    are trained on while the rest is kept apart as ``extra``. So validation and test do not depend
    on the level, and a smaller level lies within a larger one. Where the source has splits, its
    test images are those of the dataset, and what it lacks is taken from its training images; a
    group on several of its
    sides stays on the one that matters most, test before validation before training.

    With folds the groups are dealt out to these first, see :func:`augstudy.data.dealing.in_folds`,
    and then, for each fold, those of the other folds to validation and training.

    With several draws all but the test images are dealt out anew in each.

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
    deal = partial(
        _dealt,
        found=found,
        settings=settings,
        fewest=int(usable.min()),
        grouped=len(np.unique(pool.unit)) < len(pool.unit),
    )
    if settings.folds:
        _check_folds(found, pool, settings)
        folds: list[tuple[int | None, Pool]] = list(enumerate(in_folds(pool, names, settings)))
    else:
        folds = [(None, pool)]
    parts = [deal(own, fold=fold) for fold, own in folds]
    used = _used([splits for splits, _ in parts], len(names))
    for draw in range(1, settings.draws):
        for at, (fold, _) in enumerate(folds):
            splits, _ = deal(parts[at][1], fold=fold, draw=draw)
            parts.append(({**splits, "test": parts[at][0]["test"]}, parts[at][1]))
    first, *more = (splits for splits, _ in parts)
    unused = {name: int(usable[label] - used[label]) for label, name in enumerate(names)}
    layout = Layout(settings.draws, settings.folds or 1)
    return Splits(first, dropped, unused, copies, more, layout)


def _dealt(
    pool: Pool,
    found: Found,
    settings: DataSettings,
    fewest: int,
    grouped: bool,
    fold: int | None = None,
    draw: int = 0,
) -> tuple[dict[str, Split], Pool]:
    """The splits of a pool, and the pool as the other draws have it: see :class:`Dealer`."""
    dealer, parts = Dealer(pool, settings, fewest, fold, draw), []
    for label, (name, item) in enumerate(found.classes.items()):
        parts.append(dealer.deal(label, name))
        _check_dealt(item, parts[-1], settings)
    splits = {
        name: _split(np.concatenate([part[name] for part in parts]), pool, found, grouped)
        for name in SPLITS
    }
    return splits, dealer.tested()


def _used(splits: Sequence[Mapping[str, Split]], classes: int) -> Rows:
    """Images of each class in any split; with folds those that are tested, as each is once."""
    parts = list(splits[0].values()) if len(splits) == 1 else [item["test"] for item in splits]
    labels = np.concatenate([part.labels for part in parts])
    return np.bincount(labels, minlength=classes)


def _usable(
    found: Found, settings: DataSettings
) -> tuple[Pool, dict[str, Dropped], list[NearCopy] | None]:
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
    return Pool(label[stays], position[stays], unit[stays], given[stays]), dropped, copies


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


def _check_folds(found: Found, pool: Pool, settings: DataSettings) -> None:
    """See that every fold can have images of every class, and that none are given."""
    if {"test", "val"} & set(pool.given):
        raise InputError(FOLDS_GIVEN)
    for label, item in enumerate(found.classes.values()):
        groups = len(np.unique(pool.unit[pool.label == label]))
        if groups < settings.groups_per_class:
            raise TooFewError(too_few_groups(item.uri, groups, settings), unread=item.unread)


def too_few_groups(where: str, groups: int, settings: DataSettings) -> str:
    """That a class has too few groups for its folds, in a sentence."""
    return (
        f"{where} has {groups} groups of images that belong together (an image of its own is one), "
        f"but {settings.folds} folds need {settings.groups_per_class}: lower folds, or leave the "
        "class out with classes."
    )


def _check_enough(item: ClassImages, usable: int, settings: DataSettings, lost: Dropped) -> None:
    needed = settings.needed_per_class
    if usable >= needed:
        return
    told = (
        f"{item.uri} gave {usable} usable images ({lost.blank} blank, {lost.total - lost.blank} "
        "repeated ones dropped)"
    )
    if settings.folds:
        told += f", but {settings.folds} folds need {needed} per class: {_FEWER}"
    elif settings.asks_for_counts:
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


def _split(places: Rows, pool: Pool, found: Found, grouped: bool) -> Split:
    """The images at `places` of the pool, class by class."""
    labels, positions = pool.label[places], pool.position[places]
    images = np.empty((len(places), *found.spec.stored), np.uint8)
    rows = np.empty(len(places), np.int64)
    for label, item in enumerate(found.classes.values()):
        mine = labels == label
        images[mine], rows[mine] = item.images[positions[mine]], item.rows[positions[mine]]
    groups = pool.unit[places] if grouped else None
    return Split(images, labels.astype(np.int32), rows, groups)
