"""How small an effect a study can see, and what it would take to see a smaller one."""

import bisect
import math
from collections.abc import Callable

import numpy as np
from scipy import optimize, stats

from augstudy.stats.balance import Balance, effective
from augstudy.stats.codes import MOST, Needed, Noise
from augstudy.stats.paired import CONFIDENCE, unseen
from augstudy.stats.scatter import DOUBTFUL, mistaken
from augstudy.stats.units import COUNTED_IN

POWER = 0.8


def assumed_noise(
    comparisons: int = 1,
    discordance: float = 0.12,
    systematic: float = 0.2,
    run_std: float = 0.005,
    balance: Balance = None,
    folds: int = 1,
) -> Noise:
    """The noise to expect of two arms that are about as good as each other.

    The usual values lie between what was measured on eleven mammals with 3 seeds: at an accuracy
    of 0.83 two runs of different arms disagreed on 8 % of the test images, at 0.57 on 17 %; a fifth
    of that was systematic, and runs differed by less than a point beyond what their images explain.

    Args:
        comparisons: arms that are compared with the same one; all of them tell how runs scatter.
        discordance: share of test images that one run gets right and the other wrong.
        systematic: share of the variance over images that all runs of an arm have in common.
        run_std: standard deviation between runs of the true difference in the metric, as a share.
        balance: classes of the test images, if the metric is balanced accuracy.
        folds: of cross-fitting, by which every seed has as many training runs.
    """
    counted = effective(balance)
    image, residual = discordance * systematic, discordance * (1 - systematic)
    pooled = comparisons * folds
    return Noise(image / counted, run_std**2, residual / counted, pooled, counted, folds)


def detectable(
    noise: Noise,
    seeds: int,
    images: int,
    comparisons: int = 1,
    power: float = POWER,
    error: float = 1 - CONFIDENCE,
    draws: int = 1,
) -> float:
    """The smallest true difference that a study finds with probability `power`, as a share.

    "Finds" means that the 95 % interval of :func:`~augstudy.stats.paired.paired_difference`
    excludes zero, after Holm's correction in the worst case. Its half-width is that of a normal
    image part and of a run part after Student, added like standard errors. The estimate itself
    scatters with the degrees of freedom of Satterthwaite (1946). With folds, some studies take runs
    that are independent to go together, and have wide intervals
    (:func:`~augstudy.stats.scatter.mistaken`). `benchmarks/coverage.py` compares all this with
    simulations. With one seed it is about other test images alone. With folds, `images` are all
    that were tested, and a seed stands for a run in each fold. However little noise there is, a
    difference must show in more images than could have been missed.

    Args:
        noise: measured, or :func:`assumed_noise`.
        seeds: training runs of each arm, in each draw.
        images: test images.
        comparisons: arms that are compared with the same one.
        power: probability of finding it.
        error: how often the interval may miss the truth.
        draws: repetitions of split and generators; the interval covers those if there are several.
    """
    by_image, by_run = noise.parts(seeds, images, draws)
    repetitions = draws if draws > 1 else seeds
    variance = by_image**2 + by_run**2
    least = unseen(images * noise.effective)
    if variance == 0:
        return least
    freedom, joint = math.inf, math.inf
    if repetitions > 1 and by_run > 0:
        freedom = noise.pooled * (repetitions - 1)
        joint = variance**2 / (by_run**4 / freedom)
    level = 1 - error / 2 / comparisons
    # What the images that are counted in add to it, as far as it is due to images.
    share = noise.image / (noise.image + noise.residual / (seeds * draws)) if noise.image else 0.0
    counted_in = COUNTED_IN * share / (images**2 * noise.effective)
    image_half = stats.norm.ppf(level) * math.sqrt(by_image**2 + counted_in)

    def half(degrees: float, times: float = 1.0) -> float:
        run_half = stats.t.ppf(level, degrees) * by_run * math.sqrt(times)
        return max(math.hypot(image_half, run_half), least)

    spread = math.sqrt(variance)
    usual = half(freedom)
    found = float(usual + stats.t.ppf(power, joint) * spread)
    # Fewer degrees of freedom are those of runs that were found to go together.
    if noise.folds > 1 and noise.pooled >= noise.folds and math.isfinite(freedom):
        degrees = freedom / noise.folds
        wide = np.array([half(degrees, times) for times in mistaken(noise.folds, degrees)])

        def lacks(size: float) -> float:
            usually = stats.t.cdf((size - usual) / spread, joint)
            mistakenly = stats.t.cdf((size - wide) / spread, joint).mean()
            return float(power - (1 - DOUBTFUL) * usually - DOUBTFUL * mistakenly)

        found = float(optimize.brentq(lacks, 0.0, 1.0)) if lacks(1.0) < 0 else 1.0
    return min(1.0, found)


def half_width(
    noise: Noise, seeds: int, images: int, draws: int = 1, error: float = 1 - CONFIDENCE
) -> float:
    """About half the width of the interval of a mean difference, as a share.

    It is made of a normal part from images and of one after Student from runs, or from draws if
    there are several, and is never less than what could have been missed.

    Args:
        noise: measured, or :func:`assumed_noise`.
        seeds: training runs of each arm, in each draw.
        images: test images.
        draws: repetitions of split and generators.
        error: how often the interval may miss the truth.
    """
    by_image, by_run = noise.parts(seeds, images, draws)
    repetitions = draws if draws > 1 else seeds
    freedom = noise.pooled * (repetitions - 1) if repetitions > 1 else math.inf
    tail = error / 2
    half = math.hypot(stats.norm.isf(tail) * by_image, stats.t.isf(tail, freedom) * by_run)
    return float(max(half, unseen(images * noise.effective, error)))


def halving(noise: Noise, seeds: int, images: int, draws: int = 1) -> Needed:
    """What more it would take for an interval of half the width; see :func:`half_width`."""
    goal = half_width(noise, seeds, images, draws) / 2
    return needed(lambda *counts: half_width(noise, *counts) <= goal, seeds, images, draws)


def needed(
    sees: Callable[[int, int, int], bool], seeds: int, images: int, draws: int = 1
) -> Needed:
    """What must be added to a study until it sees what it is to see.

    Args:
        sees: whether so many seeds, test images and draws are enough; more never hurt.
        seeds: there are in each draw.
        images: there are.
        draws: there are; one is not asked to become more.
    """
    more_seeds = _first(lambda count: sees(count, images, draws), seeds, MOST * seeds)
    more_images = _first(lambda count: sees(seeds, count, draws), images, MOST * images)
    more_draws = None
    if draws > 1:
        more_draws = _first(lambda count: sees(seeds, images, count), draws, MOST * draws)
    both = None
    if more_seeds is None and more_images is None and more_draws is None:
        times = _first(lambda k: sees(k * seeds, k * images, draws), 1, MOST)
        both = None if times is None else (times * seeds, _rounded(times * images))
    images_too = None if more_images is None else _rounded(more_images)
    return Needed(more_seeds, images_too, both, more_draws)


def _first(enough: Callable[[int], bool], have: int, most: int) -> int | None:
    """How many more than `have` are enough; None if even `most` are not."""
    counts = range(have + 1, most + 1)
    found = bisect.bisect_left(counts, True, key=enough)
    return found + 1 if found < len(counts) else None


def _rounded(count: int) -> int:
    """Two digits, upwards: 1,234 is 1,300."""
    unit = int(10 ** max(0, len(str(count)) - 2))
    return math.ceil(count / unit) * unit
