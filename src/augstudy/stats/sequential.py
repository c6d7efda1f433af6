"""Looking at a study after every round of seeds, without more false alarms for having looked often.

A study that stops when it can tell looks at its results several times, and each look is a chance to
be misled. The 5 % of error that an interval may have are therefore spent over the looks: all
intervals of all looks together hold the truth 95 % of the time. These are repeated confidence
intervals (Jennison and Turnbull 1989, JRSS B 51), with error spent as a power of the share of seeds
that a look has (Lan and DeMets 1983, Biometrika 70; Kim and DeMets 1987, Biometrika 74). So a study
may stop at any look and for any reason, and its interval is honest.
"""

import bisect
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from augstudy.core.arrays import Floats
from augstudy.stats.paired import CONFIDENCE, PairedDifference
from augstudy.stats.power import half_width

SPENDING = 1.5  # of the share; 1 spends more early on, 3 is close to O'Brien and Fleming's rule
_GRID = 200  # places at which a density is computed
_TAILS = 12.0  # standard deviations beyond which nothing is
_ERRORS = np.geomspace(1e-8, 1.0, 41)


@lru_cache
def levels(looks: tuple[int, ...], error: float = 1 - CONFIDENCE) -> tuple[float, ...]:
    """The two-sided level of the interval at each look, so that all together err as often.

    Between looks the mean of n seeds goes on as a sum of independent parts does. Test images are
    the same at every look, and so are draws, which makes looks more alike than that, and errors
    rarer. The levels are those of normal means; at a look, Student's quantile of the same level is
    taken (Pocock 1977, Biometrika 64).

    Args:
        looks: seeds of each draw at each look, ascending; the last one is the most that a study
            may take.
        error: how often any of the intervals may miss the truth.
    """
    shares = [seeds / looks[-1] for seeds in looks]
    spent = [error * share**SPENDING for share in shares]
    found: list[float] = []
    places, density, last = np.zeros(0), np.zeros(0), 0.0
    for share, goal, before in zip(shares, spent, [0.0, *spent], strict=False):
        step = math.sqrt(share - last)
        bound = _bound(places, density, step, goal - before)
        found.append(float(2 * stats.norm.sf(bound / math.sqrt(share))))
        new = np.linspace(-bound, bound, _GRID + 1)
        density = _density(places, density, step, new)
        places, last = new, share
    return tuple(found)


def level_at(looks: Sequence[int], seeds: int) -> float:
    """The level of the interval after so many seeds; between two looks, that of the second.

    Args:
        looks: see :func:`levels`; with fewer than two, nothing is paid.
        seeds: there are.
    """
    return levels(tuple(looks))[_place(looks, seeds)] if len(looks) > 1 else 1 - CONFIDENCE


def at_look(found: PairedDifference, looks: Sequence[int]) -> PairedDifference:
    """A comparison with the interval and the p-value that it has at one of several looks.

    The interval is as much wider as the parts of its noise make it: a normal one from images, and
    Student's from training runs. The p-value is the smallest error, over all looks, with which the
    interval excludes zero; Holm's correction can be applied to it.

    Args:
        found: the comparison, with all seeds so far.
        looks: see :func:`levels`.
    """
    if len(looks) < 2:
        return found
    wider = _half(found, level_at(looks, found.seeds_each)) / _half(found, 1 - CONFIDENCE)
    return replace(
        found,
        low=max(-1.0, found.mean - wider * (found.mean - found.low)),
        high=min(1.0, found.mean + wider * (found.high - found.mean)),
        p_value=_p_value(found, tuple(looks)),
    )


def _p_value(found: PairedDifference, looks: tuple[int, ...]) -> float:
    side = found.mean - found.low if found.mean > 0 else found.high - found.mean
    if found.mean == 0 or side <= 0:
        return 1.0
    needed = abs(found.mean) / side * _half(found, 1 - CONFIDENCE)
    low, high = math.log(_ERRORS[0]), 0.0
    if _half(found, 1.0) > needed:
        return 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _half(found, math.exp(middle)) > needed else (low, middle)
    known = _table(looks)[:, _place(looks, found.seeds_each)]
    return float(np.exp(np.interp(high, np.log(known), np.log(_ERRORS))))


@lru_cache
def _table(looks: tuple[int, ...]) -> NDArray[np.float64]:
    """The levels of each error, (E, L)."""
    return np.maximum([levels(looks, float(error)) for error in _ERRORS], np.finfo(float).tiny)


def _place(looks: Sequence[int], seeds: int) -> int:
    return min(bisect.bisect_left(looks, seeds), len(looks) - 1)


def _half(found: PairedDifference, level: float) -> float:
    return half_width(found.noise, found.seeds_each, found.images, found.draws, level)


def _bound(places: Floats, density: Floats, step: float, spend: float) -> float:
    """Where a look has to have its bound, so that it is crossed there with so much probability."""
    low, high = 0.0, _TAILS
    for _ in range(50):
        middle = (low + high) / 2
        if _crossed(places, density, step, middle) > spend:
            low = middle
        else:
            high = middle
    return high


def _crossed(places: Floats, density: Floats, step: float, bound: float) -> float:
    """How probable it is to be beyond a bound after a step from where no bound was crossed."""
    if not len(density):
        return float(2 * stats.norm.sf(bound / step))
    beyond = stats.norm.sf((bound - places) / step) + stats.norm.sf((bound + places) / step)
    return float(np.trapezoid(density * beyond, places))


def _density(places: Floats, density: Floats, step: float, new: Floats) -> Floats:
    """Of being at `new` places after a step."""
    if not len(density):
        return np.asarray(stats.norm.pdf(new, scale=step))
    moves = stats.norm.pdf(new[:, None] - places, scale=step)
    return np.asarray(np.trapezoid(moves * density, places, axis=1))
