"""What each training of a run recorded, epoch by epoch or step by step."""

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from augstudy.core import artifacts
from augstudy.runs.shelf import Found, Shelf

_HISTORY, _BEFORE = "history.csv", "history_before.csv"
# Columns that say which training a line is of, and when in it.
_WHICH = ("point", "seed", "fold")
_WHEN = ("epoch", "step")
_FOLD = re.compile(r"fold-\d+")
_RENAMED = {"accuracy": "train_accuracy", "loss": "train_loss"}  # as the tracker calls them


@dataclass
class Training:
    """One training: of an arm and a seed, of a generator, or of the judge.

    Attributes:
        of: Whose it is: an arm, a point of a sweep, or a set of synthetic images.
        name: Which one, such as ``seed-0``; empty where there is only one.
        settings: Of the artifact that it is from.
        curves: Of each column of its history the epochs or steps, and the values there.
    """

    of: str
    name: str
    settings: Mapping[str, Any]
    curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)


def of_arm(shelf: Shelf, label: str) -> list[Training]:
    """The trainings of an arm's classifiers, as its evaluation has collected them."""
    return [
        training for item in shelf.of("evaluation", label)[-1:] for training in _read(shelf, item)
    ]


def of_run(shelf: Shelf) -> list[Training]:
    """All trainings of a run, each once: artifacts are handed on from step to step."""
    evaluated = set(shelf.arms("evaluation"))
    found: dict[tuple[str, str], Training] = {}
    seen = set()
    for item in shelf.found:
        if item.manifest.content_hash not in seen:
            seen.add(item.manifest.content_hash)
            for training in _read(shelf, item, before_only=_is_evaluated(item, evaluated)):
                found[training.of, training.name] = training
    return list(found.values())


def _is_evaluated(item: Found, evaluated: set[str]) -> bool:
    """Whether an evaluation holds the histories of a classifier, by seed and by fold."""
    return item.kind == "classifier" and item.arm in evaluated


def _read(shelf: Shelf, item: Found, before_only: bool = False) -> Iterator[Training]:
    """The trainings whose histories an artifact holds."""
    wanted = (_BEFORE,) if before_only else (_HISTORY, _BEFORE)
    settings = _settings(shelf, item)
    for name in item.manifest.files:
        *folders, file = name.split("/")
        if file not in wanted:
            continue
        path = artifacts.read(shelf.fetched(item.folder), item.kind).file(name)
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        inside = [part for part in item.folder.split("/") if _FOLD.fullmatch(part)]
        before = ["before"] if file == _BEFORE else []
        yield from _parted(rows, _owner(item), [*inside, *folders, *before], settings)


def _settings(shelf: Shelf, item: Found) -> Mapping[str, Any]:
    """The settings of the trainings that an artifact tells of."""
    made = shelf.of("classifier", item.arm)[-1:] if item.kind == "evaluation" else [item]
    config = made[0].manifest.config if made else {}
    settings = config.get("settings", config)
    return settings if isinstance(settings, Mapping) else {}


def _parted(
    rows: Sequence[Mapping[str, str]], owner: str, named: Sequence[str], settings: Mapping[str, Any]
) -> Iterator[Training]:
    """The trainings in the lines of one history."""
    found: dict[tuple[str, str], Training] = {}
    for row in rows:
        which = [f"{it}-{row[it]}" for it in _WHICH[1:] if row.get(it)]
        of, name = row.get("point") or owner, "-".join([*which, *named])
        training = found.setdefault((of, name), Training(of, name, settings))
        when = next((row[it] for it in _WHEN if row.get(it)), None)
        for column, text in row.items():
            if when is not None and column not in (*_WHICH, *_WHEN):
                value = float(text or "nan")
                if math.isfinite(value):  # a training that failed has others
                    points = training.curves.setdefault(_RENAMED.get(column, column), [])
                    points.append((int(when), value))
    yield from found.values()


def _owner(item: Found) -> str:
    """Whose trainings an artifact holds: its arm, or what it makes."""
    parts = [part for part in item.folder.split("/") if not _FOLD.fullmatch(part)]
    if item.arm or item.kind != "gan":
        return item.arm or item.kind
    # The generators of a study lie in a folder with the name of their set each.
    return f"generator {parts[-2]}" if parts[-1:] == ["gan"] and parts[1:] else "generator"
