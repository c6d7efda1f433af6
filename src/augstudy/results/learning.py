"""What each arm is worth in real images, from evaluations at several levels or their summaries."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

import numpy as np
from scipy import stats

from augstudy.core import rng
from augstudy.core.arrays import Floats
from augstudy.core.errors import InputError
from augstudy.metrics.classification import CONFIDENCE
from augstudy.results.material import ArmResult
from augstudy.results.models import Study
from augstudy.results.parts import Change, Ends, Part, Score
from augstudy.stats.learning import Cell, LearningCurve, accuracy_draws
from augstudy.stats.paired import RESAMPLES

Draws = Mapping[Cell, Floats]
_NORMAL = float(stats.norm.ppf((1 + CONFIDENCE) / 2))


class Worth(Ends):
    """What an arm at a level is worth: see :class:`augstudy.stats.learning.Worth`."""

    label: str
    level: int
    value: float
    floor: float
    ceiling: float


class Learning(Part):
    """What arms are worth in real images per class, by arm and level.

    ``basis`` says how the intervals were made; those from summaries are wider.
    """

    basis: Literal["evaluations", "summaries"]
    worth: tuple[Worth, ...]


def learning_curve(evaluations: Mapping[int, Sequence[ArmResult]]) -> Learning:
    """What every arm is worth, from evaluations at several levels.

    Args:
        evaluations: by level (real training images per class), the arms; ``real`` is among them.

    Raises:
        InputError: fewer than two levels, or a level without the arm `real`.
    """
    cells = {(level, arm.label): arm for level in sorted(evaluations) for arm in evaluations[level]}
    first = next(iter(cells.values()), None)
    same = first is not None and all(
        np.array_equal(arm.rows, first.rows) and np.array_equal(arm.labels, first.labels)
        for arm in cells.values()
    )
    values = {cell: arm.value for cell, arm in cells.items()}
    _check(sorted(evaluations), values)
    balance = {cell: arm.balance for cell, arm in cells.items()}
    draws = accuracy_draws(
        {cell: arm.correct for cell, arm in cells.items()},
        same,
        balance=balance,
        units={cell: arm.units for cell, arm in cells.items()},
    )
    return _assemble(values, draws, "evaluations")


def from_summaries(summaries: Sequence[Study]) -> Learning:
    """The same from what studies found, where predictions are out of reach.

    A summary does not tell which images were missed, so `real` at one level cannot be paired
    with `real` at another: the intervals are wider than those of :func:`learning_curve`. Of two
    summaries of a level the first counts.

    Raises:
        InputError: see :func:`learning_curve`.
    """
    by_level: dict[int, Study] = {}
    for summary in summaries:
        by_level.setdefault(summary.data.level, summary)
    generator = rng.generator(0)
    values: dict[Cell, float] = {}
    draws: dict[Cell, Floats] = {}
    for level, summary in sorted(by_level.items()):
        for label in summary.arms:
            score = summary.score(label)
            values[level, label] = score.value
            draws[level, label] = _normal(score.value, score, generator)
    _check(sorted(by_level), values)
    for level, summary in by_level.items():
        for label, found in summary.differences.items():
            deviations = _normal(found.mean, found, generator)
            draws[level, label] = draws[level, "real"] + deviations
    return _assemble(values, draws, "summaries")


def _check(levels: Sequence[int], cells: Mapping[Cell, Any]) -> None:
    if len(levels) < 2:
        raise InputError(
            f"A learning curve needs at least two levels, but there is {levels}: run the study at "
            "another level."
        )
    for level in levels:
        if (level, "real") not in cells:
            raise InputError(
                f"Level {level} has no arm 'real', with which the others are compared."
            )


def _normal(value: float, ends: Score | Change, generator: np.random.Generator) -> Floats:
    return generator.normal(value, (ends.high - ends.low) / (2 * _NORMAL), RESAMPLES)


def _assemble(
    values: Mapping[Cell, float], draws: Draws, basis: Literal["evaluations", "summaries"]
) -> Learning:
    levels = sorted({level for level, _ in values})
    real = np.stack([draws[level, "real"] for level in levels])
    curve = LearningCurve(levels, [values[level, "real"] for level in levels], real)
    found = (
        Worth(label=label, level=level, **asdict(curve.worth(level, value, draws[level, label])))
        for (level, label), value in sorted(values.items(), key=lambda item: item[0][0])
        if label != "real"
    )
    return Learning(basis=basis, worth=tuple(found))
