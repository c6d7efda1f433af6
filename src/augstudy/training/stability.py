"""Does the training of a GAN work? Alarms while it runs and a verdict at its end, in plain numpy.

Both rest on the rows of its history alone: losses every few steps, and at every moment of
evaluation the figures of :mod:`augstudy.metrics.gan_training` and how the discriminator takes
drawings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any, Literal

import numpy as np

Verdict = Literal["stable", "overfitted", "classless", "collapsed", "failed", "unknown"]
Row = Mapping[str, float]

FEWEST_STEPS = 25
MOMENTS_OF_FAILURE = 3
SHARE_OF_BEGINNING = 0.25


@dataclass(frozen=True)
class Limit:
    """The value of a signal from which on it is an alarm, and what that means.

    A `hopeless` one that stays ends the training.
    """

    signal: str
    value: float
    above: bool
    verdict: Verdict
    says: str
    hopeless: bool = False

    def broken_by(self, row: Row) -> bool:
        """Whether the row has the signal, and beyond the limit."""
        value = signal(row, self.signal)
        return value is not None and (value > self.value if self.above else value < self.value)


# Diversity measured with 60 drawings a class: 0.83-0.95 where drawings of a class differ visibly,
# 0.15-0.25 where each class has become one drawing.
LIMITS = (
    Limit("spread", 0.05, False, "failed", "all images look alike", hopeless=True),
    Limit("movement", 5e-3, False, "failed", "the generator stands still", hopeless=True),
    Limit(
        "source_loss",
        0.01,
        False,
        "failed",
        "the discriminator tells every image apart, which leaves the generator nothing to learn",
        hopeless=True,
    ),
    Limit("diversity", 0.5, False, "collapsed", "images of a class look alike (mode collapse)"),
    Limit(
        "class_fidelity",
        0.1,
        False,
        "classless",
        "images do not show the class asked for, unless real drawings do not show theirs either",
    ),
    Limit(
        "overfitting",
        0.3,
        True,
        "overfitted",
        "the discriminator takes its training drawings for real, but not others",
    ),
)


@dataclass(frozen=True)
class Alarm:
    """A signal beyond its limit, from when to when, and its last value there."""

    signal: str
    says: str
    limit: float
    value: float
    first_step: int
    last_step: int


@dataclass(frozen=True)
class Stability:
    """A verdict, one sentence why, the figures it rests on (all finite), and the alarms."""

    verdict: Verdict
    reason: str
    evidence: dict[str, float | int] = field(default_factory=dict)
    alarms: list[Alarm] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The content of ``stability.json``."""
        return asdict(self)


def signal(row: Row, name: str) -> float | None:
    """The named signal of a row of an evaluation; None of others, or if it has no such value.

    ``overfitting`` is the share of training drawings that the discriminator takes for real minus
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
            found.append(
                Alarm(limit.signal, limit.says, limit.value, _rounded(value), min(at), max(at))
            )
    return found


def _counted(history: Sequence[Row], steps: int) -> list[Row]:
    """The rows of evaluations past the beginning."""
    begun = max(SHARE_OF_BEGINNING * steps, FEWEST_STEPS)
    return [row for row in history if "spread" in row and row["step"] >= begun]


def _lasting(limit: Limit, moments: Sequence[Row]) -> list[Row]:
    """The moments with the limit broken there and at the one before or after."""
    pairs = [pair for pair in pairwise(moments) if all(map(limit.broken_by, pair))]
    return [row for pair in pairs for row in pair]


def failure(history: Sequence[Row], steps: int) -> str | None:
    """Why a training of so many `steps` can be given up, in a sentence; None if it can't.

    A loss that is no finite number; or the same hopeless alarm at three moments one after the
    other, none of them in the first quarter of the steps.
    """
    broken = first_broken(history)
    if broken is not None:
        return f"The losses are no finite numbers since step {broken}: lower learning_rate."
    moments = _counted(history, steps)[-MOMENTS_OF_FAILURE:]
    if len(moments) < MOMENTS_OF_FAILURE:
        return None
    for limit in LIMITS:
        if limit.hopeless and all(limit.broken_by(row) for row in moments):
            since = int(moments[0]["step"])
            value = signal(moments[-1], limit.signal)
            return _sentence(limit, value, f" since step {since}")
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
        reason = f"After so few steps ({done}) nothing can be said: {FEWEST_STEPS} are the fewest."
        return Stability("unknown", reason, evidence, found)
    for limit in LIMITS:
        if limit.broken_by({**final, "step": done}):
            reason = _sentence(limit, signal(final, limit.signal))
            return Stability(limit.verdict, reason, evidence, found)
    return Stability("stable", _praise(final, found), evidence, found)


def first_broken(history: Sequence[Row]) -> int | None:
    """The first step whose losses are not finite, or None."""
    for row in history:
        if not np.isfinite([row[name] for name in row if name.endswith("_loss")]).all():
            return int(row["step"])
    return None


def _praise(final: Row, found: Sequence[Alarm]) -> str:
    varied = f"images of a class vary {100 * final['diversity']:.0f} % as much as real ones"
    if not found and "source_loss" in final:
        return f"Losses stayed in balance and {varied}."
    passed = ", though there were alarms on the way" if found else ""
    return f"{varied.capitalize()}{passed}."


def _sentence(limit: Limit, value: float | None, when: str = "") -> str:
    side = "above" if limit.above else "below"
    says = f"{limit.says[0].upper()}{limit.says[1:]}{when}"
    return f"{says}: {limit.signal} is {value:.3g}, {side} {limit.value:g}."


def _rounded(value: Any) -> float:
    return round(float(value), 4)
