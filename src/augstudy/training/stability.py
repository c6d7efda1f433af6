"""Does the training of a GAN work? Alarms while it runs and a verdict at its end, in plain numpy.

Both rest on the rows of its history alone: losses every few steps, and at every moment of
evaluation the figures of :mod:`augstudy.metrics.gan_training` and how the discriminator takes
images.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any, Literal

import numpy as np

Verdict = Literal["stable", "overfitted", "classless", "collapsed", "failed", "unknown"]
Row = Mapping[str, float]
Cause = Mapping[str, Any]

FEWEST_STEPS = 25
MOMENTS_OF_FAILURE = 3
SHARE_OF_BEGINNING = 0.25


@dataclass(frozen=True)
class Limit:
    """The value of a signal from which on it is an alarm, and the verdict on what stays there.

    A `hopeless` one that stays ends the training.
    """

    signal: str
    value: float
    above: bool
    verdict: Verdict
    hopeless: bool = False

    def broken_by(self, row: Row) -> bool:
        """Whether the row has the signal, and beyond the limit."""
        value = signal(row, self.signal)
        return value is not None and (value > self.value if self.above else value < self.value)


# Diversity measured with 60 images per class: 0.83-0.95 where images of a class differ visibly,
# 0.15-0.25 where each class has become one image.
LIMITS = (
    Limit("spread", 0.05, False, "failed", hopeless=True),
    Limit("movement", 5e-3, False, "failed", hopeless=True),
    Limit("source_loss", 0.01, False, "failed", hopeless=True),
    Limit("diversity", 0.5, False, "collapsed"),
    Limit("class_fidelity", 0.1, False, "classless"),
    Limit("overfitting", 0.3, True, "overfitted"),
)


@dataclass(frozen=True)
class Alarm:
    """A signal beyond its limit, from when to when, and its last value there."""

    signal: str
    limit: float
    value: float
    first_step: int
    last_step: int


@dataclass(frozen=True)
class Stability:
    """A verdict, its cause, the figures it rests on (all finite), and the alarms.

    The cause has a ``code`` and the numbers that belong to it; :mod:`augstudy.pages.stability`
    puts it into words.
    """

    verdict: Verdict
    cause: Cause
    evidence: dict[str, float | int] = field(default_factory=dict)
    alarms: list[Alarm] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The content of ``stability.json``."""
        return asdict(self)


def signal(row: Row, name: str) -> float | None:
    """The named signal of a row of an evaluation; None of others, or if it has no such value.

    ``overfitting`` is the share of training images that the discriminator takes for real minus
    that of held-out ones.
    """
    if "spread" not in row:
        return None
    if name == "overfitting":
        if "held_out_accuracy" not in row:
            return None
        return row["real_accuracy"] - row["held_out_accuracy"]
    return row.get(name)


def alarms(history: Sequence[Row], steps: int) -> list[Alarm]:
    """What was beyond its limit at two moments one after the other, the gravest first.

    The first quarter of the `steps` does not count, nor do the first few at all: there no images
    are good yet.
    """
    found = []
    moments = _counted(history, steps)
    for limit in LIMITS:
        if rows := _lasting(limit, moments):
            value = signal(rows[-1], limit.signal)
            assert value is not None
            at = [int(row["step"]) for row in rows]
            found.append(Alarm(limit.signal, limit.value, _rounded(value), min(at), max(at)))
    return found


def _counted(history: Sequence[Row], steps: int) -> list[Row]:
    """The rows of evaluations past the beginning."""
    begun = max(SHARE_OF_BEGINNING * steps, FEWEST_STEPS)
    return [row for row in history if "spread" in row and row["step"] >= begun]


def _lasting(limit: Limit, moments: Sequence[Row]) -> list[Row]:
    """The moments with the limit broken there and at the one before or after."""
    pairs = [pair for pair in pairwise(moments) if all(map(limit.broken_by, pair))]
    return [row for pair in pairs for row in pair]


def failure(history: Sequence[Row], steps: int) -> Cause | None:
    """Why a training of so many `steps` can be given up; None if it can't.

    A loss that is no finite number; or the same hopeless alarm at three moments one after the
    other, none of them in the first quarter of the steps.
    """
    broken = first_broken(history)
    if broken is not None:
        return {"code": "diverged", "since": broken}
    moments = _counted(history, steps)[-MOMENTS_OF_FAILURE:]
    if len(moments) < MOMENTS_OF_FAILURE:
        return None
    for limit in LIMITS:
        if limit.hopeless and all(limit.broken_by(row) for row in moments):
            since = int(moments[0]["step"])
            return {**_broken(limit, moments[-1]), "since": since}
    return None


def assess(history: Sequence[Row], final: Row, steps: int | None = None) -> Stability:
    """Say whether a finished training worked.

    Args:
        history: its rows: ``step``, the losses, and at moments of evaluation the signals.
        final: the signals of the generator that was kept.
        steps: those asked for; by default so many as there are.
    """
    done = int(history[-1]["step"]) if history else 0
    steps = steps or done
    found = alarms(history, steps)
    evidence: dict[str, float | int] = {
        name: _rounded(value) for name, value in final.items() if np.isfinite(value)
    }
    evidence |= {"steps": done}
    gave_up = failure(history, steps)
    if gave_up:
        return Stability("failed", gave_up, evidence, found)
    if done < FEWEST_STEPS:
        cause = {"code": "too few steps", "steps": done, "fewest": FEWEST_STEPS}
        return Stability("unknown", cause, evidence, found)
    for limit in LIMITS:
        if limit.broken_by({**final, "step": done}):
            return Stability(limit.verdict, _broken(limit, final), evidence, found)
    balanced = not found and "source_loss" in final
    code = "balanced" if balanced else "alarms passed" if found else "varied"
    cause = {"code": code, "diversity": _rounded(final["diversity"])}
    return Stability("stable", cause, evidence, found)


def first_broken(history: Sequence[Row]) -> int | None:
    """The first step whose losses are not finite, or None."""
    for row in history:
        if not np.isfinite([row[name] for name in row if name.endswith("_loss")]).all():
            return int(row["step"])
    return None


def _broken(limit: Limit, row: Row) -> dict[str, Any]:
    value = signal(row, limit.signal)
    assert value is not None
    found = {"value": float(f"{value:.3g}"), "limit": limit.value, "above": limit.above}
    return {"code": "limit", "signal": limit.signal, **found}


def _rounded(value: Any) -> float:
    return round(float(value), 4)
