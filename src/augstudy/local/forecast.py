"""How long a study will take on this machine, judging by one that was run here before."""

import contextlib
import csv
import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augstudy.local.runner import CELL, PARALLEL_CELLS

RECENT = 50  # runs that are looked at
# What may differ: it changes how much is done, in a way that is known, or nothing at all.
_COUNTED = ("arms", "seeds", "looks", "folds", "draws", "level", "data_seed", "gan_seed")
_FREE = ("metric", "equivalence_margin", "copies")
_PER_CELL = (CELL, "evaluate")
_ONCE = ("ingest", "summarize")
_DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, csv.Error)


@dataclass(frozen=True)
class Forecast:
    """About how many seconds a study takes, if nothing comes from the cache, and by which run."""

    seconds: float
    run: str


def expected(runs: Path, pipeline: str, values: Mapping[str, Any]) -> Forecast | None:
    """What the newest comparable run of this machine says; None if there is none.

    Comparable are finished runs of the same classifier, generators and images. Trainings of a cell
    are taken to last in proportion to their number and to the level; the judge, the generators and
    the filter in proportion to draws and folds.

    Args:
        runs: the folder of runs.
        pipeline: its name.
        values: all parameters of the study.
    """
    for path in _newest(runs):
        # A damaged run tells nothing, and must not keep others from being run.
        with contextlib.suppress(*_DAMAGED):
            record = json.loads((path / "run.json").read_bytes())
            if record["state"] != "done" or record["pipeline"] != pipeline:
                continue
            if record["host"] != platform.node():
                continue
            before = record["parameters"]
            if _kept(before) == _kept(values) and (seconds := _seconds(path, before, values)):
                return Forecast(seconds, path.name)
    return None


def _newest(runs: Path) -> list[Path]:
    try:
        found = [path for path in runs.iterdir() if path.name.isdecimal()]
    except OSError:
        return []
    return sorted(found, key=lambda path: int(path.name), reverse=True)[:RECENT]


def _kept(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in (*_COUNTED, *_FREE)}


def _seconds(path: Path, before: Mapping[str, Any], values: Mapping[str, Any]) -> float | None:
    """How long the study would take; None if too little of that run was work of its own."""
    levels = _level(before), _level(values)
    if levels[0] != levels[1] and not all(levels):
        return None
    larger = levels[1] / levels[0] if all(levels) else 1.0
    parts, others = _parts(values), _parts(before)
    once, each, cells = 0.0, 0.0, dict.fromkeys(_PER_CELL, 0.0)
    trained: set[str] = set()
    for row in _timings(path):
        took = float(row["startup_s"]) + float(row["work_s"])
        if row["stage"] in _PER_CELL:
            if row["reused"] == "0":
                cells[row["stage"]] += took
                trained |= {row["label"]} if row["stage"] == CELL else set()
        elif row["reused"] != "0":
            return None
        elif row["stage"] in _ONCE:
            once += took
        else:
            each += took
    if not trained or not before.get("seeds"):
        return None
    training = sum(cells.values()) / (len(trained) * len(before["seeds"]) * others)
    ahead = len(values["arms"]) * len(values["seeds"]) * parts
    return once + each / others * parts + training * ahead * larger / PARALLEL_CELLS


def _timings(path: Path) -> Iterator[dict[str, str]]:
    with (path / "timings.csv").open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def _parts(values: Mapping[str, Any]) -> int:
    return int(values.get("draws", 1)) * max(1, int(values.get("folds", 0)))


def _level(values: Mapping[str, Any]) -> float:
    return float(values.get("level") or values.get("train_per_class") or 0)
