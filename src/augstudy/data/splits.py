"""Clean what was read and split it: no blank drawing, and no drawing twice."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from augstudy.core.errors import InputError
from augstudy.core.rng import named_generator
from augstudy.data.dataset import SPLITS, Split
from augstudy.data.reading import ClassDrawings
from augstudy.settings.data import DataSettings


class TooFewError(InputError):
    """A class has too few usable drawings; ``unread`` says whether its file holds more."""

    def __init__(self, message: str, unread: bool) -> None:
        super().__init__(message)
        self.unread = unread


@dataclass
class Dropped:
    """How many drawings of a class were dropped, and why."""

    blank: int = 0
    repeated: int = 0  # identical to an earlier drawing of the class
    in_other_class: int = 0  # identical to a drawing of a class named before it


@dataclass
class Splits:
    """The splits and, for each class, what was dropped and what was left over."""

    splits: dict[str, Split]
    dropped: dict[str, Dropped] = field(default_factory=dict)
    unused: dict[str, int] = field(default_factory=dict)


def make_splits(drawings: Mapping[str, ClassDrawings], settings: DataSettings) -> Splits:
    """Drop blank and repeated drawings, then deal each class's out to the splits.

    A class's usable drawings are shuffled; the first go to test, the next to validation, the next
    to the training pool, whose first ``used_level`` are trained on while the rest is kept apart as
    ``extra``. So validation and test do not depend on the level, and a smaller level lies within a
    larger one. With ``test_per_class`` 0, test gets what the other splits leave over: as many in
    every class as the class with the fewest has.

    Raises:
        TooFewError: a class has too few usable drawings.
    """
    usable, dropped = _usable(drawings)
    for name in settings.classes:
        _check_enough(drawings[name], len(usable[name]), settings.needed_per_class, dropped[name])
    counts = _counts(settings, min(len(kept) for kept in usable.values()))
    parts: dict[str, list[Split]] = {name: [] for name in SPLITS}
    for label, name in enumerate(settings.classes):
        item = drawings[name]
        shuffled = named_generator(settings.seed, "split", name).permutation(usable[name])
        first = 0
        for split, count in counts.items():
            chosen = shuffled[first : first + count]
            first += count
            parts[split].append(
                Split(item.images[chosen], np.full(count, label, np.int32), item.rows[chosen])
            )
    unused = {name: len(kept) - sum(counts.values()) for name, kept in usable.items()}
    return Splits({name: _joined(parts[name]) for name in SPLITS}, dropped, unused)


def _counts(settings: DataSettings, fewest: int) -> dict[str, int]:
    """Drawings a class of each split, in the order in which they are dealt out."""
    train, val = settings.train_per_class, settings.val_per_class
    return {
        "test": settings.test_per_class or fewest - train - val,
        "val": val,
        "train": settings.used_level,
        "extra": train - settings.used_level,
    }


def _usable(
    drawings: Mapping[str, ClassDrawings],
) -> tuple[dict[str, np.ndarray], dict[str, Dropped]]:
    """Positions of the drawings to keep: the first of several identical ones."""
    first_seen: dict[bytes, str] = {}
    usable, dropped = {}, {}
    for name, item in drawings.items():
        kept, lost = [], Dropped()
        for position, image in enumerate(item.images):
            owner = first_seen.get(key := image.tobytes())
            if not image.any():
                lost.blank += 1
            elif owner is None:
                first_seen[key] = name
                kept.append(position)
            elif owner == name:
                lost.repeated += 1
            else:
                lost.in_other_class += 1
        usable[name], dropped[name] = np.array(kept, np.int64), lost
    return usable, dropped


def _check_enough(item: ClassDrawings, usable: int, needed: int, lost: Dropped) -> None:
    if usable < needed:
        raise TooFewError(
            f"{item.info.uri} gave {usable} usable images ({lost.blank} blank, "
            f"{lost.repeated + lost.in_other_class} repeated ones dropped), but train_per_class, "
            f"val_per_class and test_per_class ask for {needed}: lower them by "
            f"{needed - usable} in all.",
            unread=len(item.images) < item.available,
        )


def _joined(parts: list[Split]) -> Split:
    return Split(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.rows for part in parts]),
    )
