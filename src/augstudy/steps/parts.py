"""Do the work of a step for each part of a dataset, with what earlier steps made for that part.

What a step makes of a dataset with folds lies in ``fold-0``, ``fold-1`` and so on within its
output, with draws in ``draw-0``, with both in ``draw-0-fold-0``: one artifact (or folder of sets)
each, as they would be without. So nothing that learns from a part can see what belongs to another
one, and a part that is done stays done. A note that a step was skipped stands for all parts.
"""

import functools
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from augstudy.core import telemetry
from augstudy.core.telemetry import Stage
from augstudy.data.parts import Layout, Part, layout_of
from augstudy.steps.study import Handed

SKIPPED = "skipped.txt"
DATASET = "dataset"
Paths: TypeAlias = Mapping[str, Path]
Work: TypeAlias = Callable[[Handed, Stage], None]


def places(at: Paths) -> list[dict[str, Path]]:
    """The places of artifacts in each part of the ``dataset`` among them; `at` if it is one."""
    layout = layout_of(at[DATASET])
    return [_within(at, layout, part) for part in layout.parts] if layout.several else [dict(at)]


def in_turn(found: Handed, work: Callable[[Handed], None]) -> None:
    """Do `work` for each part, with the seeds of its draw; progress is counted over all of them."""
    layout = layout_of(found.paths[DATASET])
    parts = list(zip(layout.parts, places(found.paths), strict=True))
    what = "fold" if layout.draws == 1 else "draw" if layout.folds == 1 else "part"
    for number, (part, place) in enumerate(parts):
        own = replace(found, paths=place, study=found.study.in_draw(part.draw))
        with telemetry.part(number, len(parts), what) if layout.several else nullcontext():
            work(own)


def each_part(work: Work) -> Work:
    """Do the work of a step once per part, or once where there is one."""

    @functools.wraps(work)
    def run(found: Handed, me: Stage) -> None:
        in_turn(found, lambda own: work(own, me))

    return run


def _within(at: Paths, layout: Layout, part: Part) -> dict[str, Path]:
    found = {}
    for name, path in at.items():
        if name == DATASET:
            found[name] = layout.place(path, part)
        elif (path / SKIPPED).exists():
            found[name] = path
        else:
            found[name] = path / layout.name(part)
    return found
