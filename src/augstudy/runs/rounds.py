"""A study that goes on until it can tell: rounds of more and more seeds, a run each.

What a round has trained the next one takes from the cache, or on a cluster from the checkpoints, so
only the seeds that are new cost time, and a study that was killed goes on with the round it was in.
"""

import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from augstudy.core.errors import InputError

if TYPE_CHECKING:  # the command line starts without them
    from augstudy.results.files import AnySummary

# Why a study ended: every arm that answers its question has a verdict, or can get none as its
# classifiers only guess, or the budget is spent.
End = Literal["told", "chance", "seeds", "hours"]
Run = TypeVar("Run")


@dataclass(frozen=True)
class Finished(Generic[Run]):
    """A finished run, what it found, and how long its new seeds took to train, in seconds."""

    run: Run
    found: "AnySummary | None"
    trained_s: float


@dataclass(frozen=True)
class Round:
    """A finished round, and what comes next.

    ``open`` are the arms that have no verdict. ``following`` is how many seeds the next round
    has, and ``end`` why there is none; one of the two is None. The next round takes about
    ``expected_s`` seconds; 0 where that is not known, as everything came from the cache.
    """

    seeds: int
    open: tuple[str, ...]
    following: int | None
    end: End | None
    expected_s: float


def run(
    values: Mapping[str, Any],
    once: Callable[[Mapping[str, Any]], Finished[Run]],
    say: Callable[[Round], None],
    hours: float | None = None,
) -> Finished[Run]:
    """Run a study to its end: once, or in rounds if its parameters name ``looks``.

    Args:
        values: all parameters, with the seeds of the first round.
        once: runs the pipeline with such parameters.
        say: told how each round ended.
        hours: that it may take; no round begins which would end later, as far as can be foreseen.

    Returns:
        The last run.

    Raises:
        InputError: hours were given for a study that does not choose its number of seeds.
    """
    looks = [int(item) for item in values.get("looks", ())]
    if not looks:
        if hours is not None:
            raise InputError("max_hours is for studies that choose their seeds: use --seeds auto.")
        return once(values)
    began, before, rate = time.monotonic(), 0, 0.0
    for seeds in looks[looks.index(len(values["seeds"])) :]:
        result = once({**values, "seeds": _extended(values["seeds"], seeds)})
        rate = result.trained_s / (seeds - before) or rate
        before = seeds
        left = math.inf if hours is None else 3600 * hours - (time.monotonic() - began)
        found = _round(result.found, seeds, looks, rate, left)
        say(found)
        if found.end:
            break
    return result


def _extended(seeds: Sequence[int], count: int) -> list[int]:
    """So many seeds: those that there are, then the smallest of all others."""
    others = (seed for seed in itertools.count() if seed not in seeds)
    return [*seeds, *itertools.islice(others, count - len(seeds))]


def _round(
    found: "AnySummary | None", seeds: int, looks: list[int], rate: float, left: float
) -> Round:
    """How a round ended, where training takes `rate` seconds per seed and `left` seconds remain."""
    from augstudy.results.models import Study
    from augstudy.results.study import guessing, undecided

    study = found if isinstance(found, Study) else None
    still = undecided(study) if study else []
    following = next((look for look in looks if look > seeds), None)
    expected = rate * (following - seeds) if following else 0.0
    end: End | None = None
    if not still:
        still = guessing(study) if study else []
        end = "chance" if still else "told"
    elif following is None:
        end = "seeds"
    elif expected >= left:
        end = "hours"
    return Round(seeds, tuple(still), None if end else following, end, expected)
