"""Do the work of a step for each fold of a dataset, with what earlier steps made for that fold.

What a step makes of a dataset with folds lies in ``fold-0``, ``fold-1`` and so on within its
output, one artifact (or folder of sets) each, as they would be without folds. So nothing that
learns from a fold can see what belongs to another one, and a fold that is done stays done. A note
that a step was skipped stands for all folds.
"""

import functools
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from augstudy.core import telemetry
from augstudy.core.telemetry import Stage
from augstudy.data.folds import folds_of, place_of_fold
from augstudy.steps.study import Handed

SKIPPED = "skipped.txt"
DATASET = "dataset"
Paths: TypeAlias = Mapping[str, Path]
Work: TypeAlias = Callable[[Handed, Stage], None]


def places(at: Paths) -> list[dict[str, Path]]:
    """The places of artifacts in each fold of the ``dataset`` among them; `at` if it has none."""
    count = folds_of(at[DATASET])
    return [_within(at, number) for number in range(count)] if count else [dict(at)]


def in_turn(at: Paths, work: Callable[[dict[str, Path]], None]) -> None:
    """Do `work` in each place, while progress is counted over all of them."""
    found = places(at)
    for number, place in enumerate(found):
        several = len(found) > 1
        with telemetry.part(number, len(found), "fold") if several else nullcontext():
            work(place)


def each_fold(work: Work) -> Work:
    """Do the work of a step once per fold, or once where there are none."""

    @functools.wraps(work)
    def run(found: Handed, me: Stage) -> None:
        in_turn(found.paths, lambda place: work(replace(found, paths=place), me))

    return run


def _within(at: Paths, number: int) -> dict[str, Path]:
    found = {}
    for name, path in at.items():
        if name == DATASET:
            found[name] = place_of_fold(path, number)
        elif (path / SKIPPED).exists():
            found[name] = path
        else:
            found[name] = path / f"fold-{number}"
    return found
