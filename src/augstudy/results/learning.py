"""Accuracy by level, and what each arm is worth in real images, from evaluations or summaries."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from scipy import stats

from augstudy.core import rng
from augstudy.core.arrays import Floats
from augstudy.core.errors import InputError
from augstudy.metrics.classification import CONFIDENCE
from augstudy.pages.wording import counted
from augstudy.results.material import ArmResult
from augstudy.stats.learning import LearningCurve, Worth, accuracy_draws, estimate
from augstudy.stats.paired import RESAMPLES

Draws = Mapping[tuple[int, str], Floats]
_NORMAL = float(stats.norm.ppf((1 + CONFIDENCE) / 2))


def learning_curve(evaluations: Mapping[int, Sequence[ArmResult]]) -> dict[str, Any]:
    """The learning curve of every arm, from evaluations at several levels.

    Args:
        evaluations: by level (real training images a class), the arms; ``real`` is among them.

    Returns:
        ``levels``; ``arms``, by label with ``arm``, ``share``, ``name`` and ``points`` (a record a
        level: ``level``, ``value``, ``low``, ``high``); ``curve``, that of `real` between the
        levels; ``worth``, a record an arm and level in real images a class, with its ``sentence``;
        ``basis``. All JSON-ready.

    Raises:
        InputError: fewer than two levels, or a level without the arm `real`.
    """
    cells = {(level, arm.label): arm for level in sorted(evaluations) for arm in evaluations[level]}
    first = next(iter(cells.values()), None)
    same = first is not None and all(
        np.array_equal(arm.rows, first.rows) and np.array_equal(arm.labels, first.labels)
        for arm in cells.values()
    )
    values = {cell: float(arm.correct.mean()) for cell, arm in cells.items()}
    kinds = {
        arm.label: {"arm": arm.arm, "share": arm.share, "name": arm.name} for arm in cells.values()
    }
    _check(sorted(evaluations), values)
    draws = accuracy_draws({cell: arm.correct for cell, arm in cells.items()}, same)
    return _assemble(values, draws, kinds, "evaluations")


def from_summaries(summaries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The same from summary.json files, where predictions are out of reach.

    A summary does not tell which images were missed, so `real` at one level cannot be paired
    with `real` at another: the intervals are wider than those of :func:`learning_curve`. Of two
    summaries of a level the first counts.

    Raises:
        InputError: see :func:`learning_curve`.
    """
    by_level: dict[int, Mapping[str, Any]] = {}
    for summary in summaries:
        by_level.setdefault(int(summary["data"]["level"]), summary)
    generator = rng.generator(0)
    values: dict[tuple[int, str], float] = {}
    draws: dict[tuple[int, str], Floats] = {}
    kinds: dict[str, dict[str, Any]] = {}
    for level, summary in sorted(by_level.items()):
        for label, found in summary["arms"].items():
            record = found["metrics"]["accuracy"]
            values[level, label] = float(record["value"])
            kind = {"arm": found["arm"], "share": found["share"], "name": found.get("name")}
            kinds.setdefault(label, kind)
            draws[level, label] = _normal(record, "value", generator)
    _check(sorted(by_level), values)
    for level, summary in by_level.items():
        for label, difference in summary["differences"].items():
            draws[level, label] = draws[level, "real"] + _normal(difference, "mean", generator)
    return _assemble(values, draws, kinds, "summaries")


def _check(levels: Sequence[int], cells: Mapping[tuple[int, str], Any]) -> None:
    if len(levels) < 2:
        raise InputError(
            f"A learning curve needs two levels at least, but there is {levels}: run the study at "
            "another level."
        )
    for level in levels:
        if (level, "real") not in cells:
            raise InputError(
                f"Level {level} has no arm 'real', with which the others are compared."
            )


def _normal(record: Mapping[str, Any], key: str, generator: np.random.Generator) -> Floats:
    spread = (record["high"] - record["low"]) / (2 * _NORMAL)
    return generator.normal(record[key], spread, RESAMPLES)


def _assemble(
    values: Mapping[tuple[int, str], float],
    draws: Draws,
    kinds: Mapping[str, Mapping[str, Any]],
    basis: str,
) -> dict[str, Any]:
    levels = sorted({level for level, _ in values})
    real = np.stack([draws[level, "real"] for level in levels])
    curve = LearningCurve(levels, [values[level, "real"] for level in levels], real)
    arms: dict[str, Any] = {label: {**kind, "points": []} for label, kind in kinds.items()}
    worth = []
    for (level, label), value in sorted(values.items(), key=lambda item: item[0][0]):
        found = estimate(value, draws[level, label])
        point = {"value": found.value, "low": found.low, "high": found.high}
        arms[label]["points"].append({"level": level, **point})
        if label != "real":
            record = curve.worth(level, value, draws[level, label])
            worth.append(_worth_record(label, level, record))
    places, heights = curve.points
    return {
        "basis": basis,
        "levels": levels,
        "arms": arms,
        "curve": {"level": places, "accuracy": heights},
        "worth": worth,
    }


def _worth_record(label: str, level: int, worth: Worth) -> dict[str, Any]:
    record = {"label": label, "level": level, **asdict(worth)}
    return {**record, "sentence": sentence(record)}


def sentence(worth: Mapping[str, Any]) -> str:
    """A record of ``worth`` in words: "`add` at level 50 is worth about 20 extra real images"."""
    low, high = (_bound(worth[key], worth) for key in ("low", "high"))
    span = low if low == high else f"{low} to {high}"
    what = f"`{worth['label']}` at level {worth['level']:,} {_words(worth)}"
    return f"{what} (95 % interval {span})."


def cell(worth: Mapping[str, Any]) -> str:
    """A record of ``worth`` for a table: ``+20 (-3 to 41)``; an end of what was measured: ``≥``."""
    value, low, high = (_short(worth[key], worth) for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _short(value: float, worth: Mapping[str, Any]) -> str:
    sign = "≥ " if value >= worth["ceiling"] else "≤ " if value <= worth["floor"] else ""
    return f"{sign}{round(value):+,}" if round(value) else f"{sign}0"


def _words(worth: Mapping[str, Any]) -> str:
    size, floor, ceiling = (round(worth[key]) for key in ("value", "floor", "ceiling"))
    if worth["value"] >= worth["ceiling"]:
        if ceiling == 0:
            return "is no worse than `real`; its worth in real images needs a larger level"
        return f"is worth {counted(ceiling, 'extra real image')} a class, or more"
    if worth["value"] <= worth["floor"]:
        if floor == 0:
            return "is worth no extra real images"
        return f"is like having {counted(-floor, 'real image')} a class fewer, or worse"
    if size < 0:
        return f"is like having about {counted(-size, 'real image')} a class fewer"
    return f"is worth about {counted(size, 'extra real image')} a class"


def _bound(value: float, worth: Mapping[str, Any]) -> str:
    if value >= worth["ceiling"]:
        return f"{worth['ceiling']:,.0f} or more"
    if value <= worth["floor"]:
        return f"{worth['floor']:,.0f} or less"
    return f"{round(value):,}"
