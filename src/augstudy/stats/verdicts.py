"""Every rule by which a comparison gets its verdict: codes, never sentences.

A verdict is decided when a run is summarised and stands in its results from then on; pages, tables
and comparisons take it from there.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from augstudy.core.arrays import Labels
from augstudy.settings.comparing import ComparisonSettings
from augstudy.stats.balance import mean_of
from augstudy.stats.codes import Expected, Judgement, Needed, Rank, Verdict
from augstudy.stats.paired import CONFIDENCE, PairedDifference
from augstudy.stats.power import detectable, needed
from augstudy.stats.units import Groups, Units

MARGIN = ComparisonSettings().equivalence_margin
ALPHA = 1 - CONFIDENCE

_WELL = ("stable", "unknown")  # verdicts on a generator's training


def significant(p_adjusted: float) -> bool:
    """Whether chance alone does so rarely enough, by a p-value that is corrected."""
    return p_adjusted < ALPHA


def excludes_zero(low: float, high: float) -> bool:
    """Whether an interval lies on one side of zero."""
    return not low <= 0 <= high


def within(low: float, high: float, margin: float) -> bool:
    """Whether a whole interval lies within the margin: nothing that would matter is possible."""
    return -margin < low and high < margin


def has_learnt(correct: NDArray[np.bool_], labels: Labels, groups: Groups = None) -> bool:
    """Whether classifiers do better than guessing, as far as the images can show at 5 %.

    By the mean recall of the classes, which is 1 / C for whoever has not looked at the images, even
    if it always says the same. It is tested with the binomial distribution, one-sided, as if all
    runs were one: they see the same images, so more runs alone prove nothing.

    Args:
        correct: (S, N), whether the run with seed s was right about image n.
        labels: (N,), the classes of the images.
        groups: (N,), equal for images that belong together.
    """
    classes = len(np.unique(labels))
    if classes < 2:
        return True
    images = round(Units.of(len(labels), labels, groups).telling(correct))
    right = round(float(mean_of(correct, labels).mean()) * images)
    return bool(stats.binom.sf(right - 1, images, 1 / classes) < ALPHA)


def verdict(
    difference: PairedDifference,
    p_adjusted: float | None = None,
    margin: float = MARGIN,
    learnt: tuple[bool, bool] = (True, True),
) -> Verdict:
    """What the interval and the p-value allow to be said of a difference in accuracy.

    - ``helps``, ``hurts``: the 95 % interval excludes zero, and so does Holm's p-value at 5 %.
    - ``no difference``: otherwise, and the whole interval lies within the margin. That is the
      equivalence test of two one-sided tests (Schuirmann 1987, J. Pharmacokinet. Biopharm. 15)
      at 2.5 % each: stricter than the usual 5 %, so that it can be read off the interval shown.
    - ``can't tell yet``: all else. With one seed nothing can be told: the luck of a training run
      looks like an effect.
    - ``at chance``: nothing can be told of an arm that has learnt nothing, and of one that is
      compared with such an arm only if it helps.

    Args:
        difference: the comparison.
        p_adjusted: its p-value after :func:`~augstudy.stats.correction.holm`; None if it is the
            only comparison.
        margin: differences below this share do not matter to the one who asks.
        learnt: of :func:`has_learnt`, of the arm and of the one that it is compared with.
    """
    p_value = difference.p_value if p_adjusted is None else p_adjusted
    clear = significant(p_value) and excludes_zero(difference.low, difference.high)
    clear = clear and difference.seeds > 1
    if not learnt[0] or not (learnt[1] or (clear and difference.mean > 0)):
        return "at chance"
    if difference.seeds == 1:
        return "can't tell yet"
    if clear:
        return "helps" if difference.mean > 0 else "hurts"
    return "no difference" if within(difference.low, difference.high, margin) else "can't tell yet"


def judge(
    expected: Expected, by: float, low: float, high: float, p_adjusted: float, margin: float
) -> Judgement:
    """What the 95 % interval of a difference says of a claim that was made before.

    - ``higher`` holds where the interval is beyond what was claimed and zero is excluded after
      correction; it does not hold where even the interval's far end falls short of the claim, or,
      if none was put in numbers, of the `margin` that matters. ``lower`` is its mirror image.
    - ``same`` holds where the whole interval is within the `margin`, and does not hold where the
      whole interval is outside.
    - All else cannot be told.

    Args:
        expected: what was claimed.
        by: how much at least, a share; 0 if the claim names no number.
        low: lower end of the interval, a share.
        high: its upper end.
        p_adjusted: of the difference, corrected for the number of claims.
        margin: below which a difference does not matter.
    """
    if expected == "same":
        if within(low, high, margin):
            return "holds"
        return "does not hold" if low > margin or high < -margin else "can't tell"
    if expected == "lower":
        low, high = -high, -low
    if low > by and significant(p_adjusted):
        return "holds"
    return "does not hold" if high < (by or margin) else "can't tell"


def is_stable(trainings: Iterable[str]) -> bool:
    """Whether nothing is known against any of a generator's trainings, by their verdicts."""
    return all(word in _WELL for word in trainings)


def rank(gain: tuple[float, float, float] | None, p_adjusted: float | None, seeds: int) -> Rank:
    """Whether a generator that trains stably is better than another, as far as can be told.

    Args:
        gain: mean, low and high of the difference in the figure that decides, turned so that more
            is better; None if one of the two was not measured.
        p_adjusted: its corrected p-value.
        seeds: training runs of each.
    """
    if gain is None or p_adjusted is None or seeds < 2:
        return "can't tell yet"
    mean, low, high = gain
    if not (significant(p_adjusted) and excludes_zero(low, high)):
        return "can't tell yet"
    return "better" if mean > 0 else "worse"


def needs(
    difference: PairedDifference,
    margin: float = MARGIN,
    comparisons: int = 1,
    error: float = ALPHA,
) -> Needed | None:
    """What more it takes to tell, if the truth is what was found; None if there is one seed.

    Enough is what has an 80 % chance of showing either that the difference is not zero or that it
    is within the margin, whichever is less work.

    Args:
        difference: the comparison.
        margin: see :func:`verdict`.
        comparisons: arms that are compared with the same one.
        error: how often the interval may miss the truth, less where a study is looked at often.
    """
    if difference.seeds == 1:
        return None
    size, noise = abs(difference.mean), difference.noise

    def sees(seeds: int, images: int, draws: int) -> bool:
        clear = detectable(noise, seeds, images, comparisons, error=error, draws=draws) <= size
        within = margin - size
        return clear or detectable(noise, seeds, images, error=error, draws=draws) <= within

    return needed(sees, difference.seeds_each, difference.images, difference.draws)
