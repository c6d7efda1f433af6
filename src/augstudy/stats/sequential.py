"""Looking at a study after every round of seeds, without more false alarms for having looked often.

After a round every comparison has an interval. All intervals of all rounds together hold the truth
95 % of the time: they are repeated confidence intervals (Jennison and Turnbull 1989, JRSS B 51),
with the error of 5 % spent over the rounds as by O'Brien and Fleming (Lan and DeMets 1983,
Biometrika 70). Little is spent early on, so the last interval is hardly wider than one without
looks. Whenever a study is stopped, whatever made it stop, its interval is honest.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy import stats

from augstudy.core.arrays import Floats
from augstudy.stats.codes import Verdict
from augstudy.stats.paired import CONFIDENCE, PairedDifference, unseen
from augstudy.stats.verdicts import MARGIN, told

_GRID = 400  # places at which a density is computed
_TAILS = 12.0  # standard deviations beyond which nothing is


@lru_cache
def levels(looks: tuple[int, ...], error: float = 1 - CONFIDENCE) -> tuple[float, ...]:
    """The two-sided level of the interval at each look, so that all together err as often.

    Between looks the mean of n seeds goes on as a sum of independent parts does. Test images are
    the same at every look, which makes looks more alike than that, and errors rarer. The levels
    are those of normal means; at a look Student's quantile of the same level is taken (Pocock
    1977, Biometrika 64).

    Args:
        looks: seeds at each look, ascending; the last one is the most that a study may take.
        error: how often any of the intervals may miss the truth.
    """
    shares = [seeds / looks[-1] for seeds in looks]
    edge = stats.norm.isf(error / 4)  # half of the error on either side
    spent = [float(4 * stats.norm.sf(edge / math.sqrt(share))) for share in shares]
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


def at_look(found: PairedDifference, level: float) -> PairedDifference:
    """A comparison with the interval of another level than 5 %.

    It is as much wider as the parts of its noise make it: a normal one from images, and Student's
    from training runs.
    """
    wider = _half(found, level) / _half(found, 1 - CONFIDENCE)
    return replace(
        found,
        low=max(-1.0, found.mean - wider * (found.mean - found.low)),
        high=min(1.0, found.mean + wider * (found.high - found.mean)),
    )


def verdicts_at(
    found: Sequence[PairedDifference],
    looks: tuple[int, ...],
    margin: float = MARGIN,
    error: float = 1 - CONFIDENCE,
) -> list[Verdict]:
    """The verdict on each of the comparisons of a study at the look of their number of seeds.

    For several comparisons the error is shared out, and what is clear leaves its share to others
    (Holm 1979). That no difference matters is read off the interval itself.

    Args:
        found: the comparisons, with all seeds so far.
        looks: see :func:`levels`.
        margin: differences below this share do not matter.
        error: how often a difference that is not there may be seen, over all looks.
    """
    if not found:
        return []
    look = looks.index(found[0].seeds)
    clear: set[int] = set()
    while len(clear) < len(found):
        level = levels(looks, error / (len(found) - len(clear)))[look]
        ends = {at: at_look(item, level) for at, item in enumerate(found) if at not in clear}
        more = {at for at, item in ends.items() if item.low > 0 or item.high < 0}
        if not more:
            break
        clear |= more
    own = levels(looks, error)[look]
    return [told(at_look(item, own), at in clear, margin) for at, item in enumerate(found)]


def decided(verdicts: Sequence[Verdict]) -> bool:
    """Whether a study can stop: every comparison has its verdict."""
    return "can't tell yet" not in verdicts


def _half(found: PairedDifference, level: float) -> float:
    """Half the width of an interval, as :func:`augstudy.stats.power.detectable` has it."""
    by_image, by_run = found.noise.parts(found.seeds, found.images)
    tail = level / 2
    freedom = found.noise.pooled * (found.seeds - 1) if found.seeds > 1 else math.inf
    half = math.hypot(stats.norm.isf(tail) * by_image, stats.t.isf(tail, freedom) * by_run)
    return max(half, unseen(found.images * found.noise.effective, level))


def _bound(places: Floats, density: Floats, step: float, spend: float) -> float:
    """Where a look has to have its bound, so that it is crossed there with so much probability."""
    low, high = 0.0, _TAILS
    for _ in range(60):
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
