"""Is one arm better than another? Paired differences on the same test images and seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from augstudy.core import rng
from augstudy.core.arrays import Floats
from augstudy.core.errors import DataError
from augstudy.metrics.classification import exact_interval
from augstudy.stats.balance import Balance, mean_of, strata
from augstudy.stats.codes import Noise
from augstudy.stats.draws import Draws, by_draw, several
from augstudy.stats.noise import image_share, noise_in_draws, noise_of
from augstudy.stats.scatter import RunError, RunScatter, own_scatter
from augstudy.stats.units import Folds, Groups, Units

CONFIDENCE = 0.95
ENDS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
RESAMPLES = 10_000
_NO_WIDTH = 1e-12
_AT_ONCE = 4_000_000  # numbers of a bootstrap in memory

Outcomes = NDArray[np.bool_]
Differences = NDArray[np.signedinteger[Any]]


@dataclass(frozen=True)
class PairedDifference:
    """The metric of arm a minus that of arm b, as shares (0.012 is 1.2 points).

    ``low`` and ``high`` bound the 95 % interval, ``p_value`` is two-sided and agrees with it.
    ``seed_std`` is the standard deviation of the difference over seeds (0 for one seed). ``seeds``
    are those of all ``draws`` together.
    """

    mean: float
    low: float
    high: float
    p_value: float
    seeds: int
    images: int
    seed_std: float
    by_seed: tuple[float, ...]
    noise: Noise
    draws: int = 1

    @property
    def seeds_each(self) -> int:
        """Seeds of each draw."""
        return self.seeds // self.draws

    @property
    def repetitions(self) -> int:
        """How often all was repeated of which the noise is about: draws, or seeds with one."""
        return self.draws if self.draws > 1 else self.seeds


def run_difference(
    by_seed_a: Sequence[float], by_seed_b: Sequence[float], runs: RunScatter | None = None
) -> tuple[float, float, float, float]:
    """Mean difference of a figure of two arms' runs: value, 95 % interval, and p-value.

    It covers other training runs on the same images. With a single run nothing is known: the
    interval is the whole range from -1 to 1.

    Args:
        by_seed_a: the figure, a share, for each seed.
        by_seed_b: the same for the other arm, same seeds.
        runs: of :func:`~augstudy.stats.scatter.run_scatter`; by default the differences' alone.
    """
    differences = np.subtract(by_seed_a, by_seed_b)
    mean, count = float(differences.mean()), len(differences)
    if count < 2:
        return mean, -1.0, 1.0, 1.0
    found = _run_error(differences, runs)
    if found.error < _NO_WIDTH:
        return mean, mean, mean, float(mean == 0)
    half = float(stats.t.ppf(ENDS[1], found.degrees)) * found.error
    p_value = 2 * float(stats.t.sf(abs(mean) / found.error, found.degrees))
    return mean, mean - half, mean + half, p_value


def paired_difference(
    correct_a: Outcomes,
    correct_b: Outcomes,
    resamples: int = RESAMPLES,
    seed: int = 0,
    runs: RunScatter | None = None,
    balance: Balance = None,
    groups: Groups = None,
    folds: Folds = None,
    draws: Draws = None,
) -> PairedDifference:
    """Compare two arms that saw the same test images and were trained with the same seeds.

    Seeds and images are crossed: every training run judges every image, as readers judge cases in
    a diagnostic trial. So the variance of the mean difference is taken apart as there (Obuchowski
    and Rockette 1995; Hillis 2007, Statistics in Medicine 26, 596-619): a part between runs and
    a part between images. The image part is an ordinary bootstrap over images, rescaled to that
    part; the run part follows Student's t, with S - 1 degrees of freedom or, where other arms
    tell how runs scatter, with more. A bootstrap over the
    seeds themselves would claim too much: over 3 seeds its spread is 18 % too small and its tails
    are those of a normal distribution. ``docs/statistics.md`` shows how often this interval and
    others hold the truth of simulated studies.

    A bootstrap knows no image of a sort that it has not seen, so it claims too much where arms
    differ on a handful of images. So two more are counted in, one that every run of arm a gains
    and one that it loses (half an image in each cell of the table: Agresti and Min 2005,
    Statistics in Medicine 24, 729-740): with one run, five gained and none lost can still be
    chance, as in McNemar's exact test, and six cannot. And no interval is narrower than the exact
    one for having seen nothing of a sort in so many images.

    Images of a group are drawn together, see :mod:`augstudy.stats.units`. The two that are counted
    in then have the variance of two images in such groups, and the spread is Student's, with as
    many degrees of freedom as groups of equal size that tell as much.

    With K folds each image is judged by the S runs of its fold, and a seed stands for K runs: see
    :func:`~augstudy.stats.scatter.own_scatter`. Images are compared with those of their fold, so
    what all runs of a fold have in common, its training images, is in neither part. It is in what
    is estimated: the mean over the folds of what classifiers trained on these images do with
    others (Bayle et al. 2020, "Cross-validation confidence intervals for test error", NeurIPS).
    What training sets of other images would do is not covered, as it is not with one split: the
    training sets of folds overlap, and no estimate of that variance is unbiased (Bengio and
    Grandvalet 2004, JMLR 5; Nadeau and Bengio 2003, Machine Learning 52).

    Where split and generators were repeated, draws take the place of runs: see
    :mod:`augstudy.stats.draws`. The interval then covers other draws of the training images, other
    generators and other runs.

    Args:
        correct_a: (S, N), whether seed s classified image n correctly, arm a.
        correct_b: (S, N), the same for arm b, same seeds and images in the same order.
        resamples: bootstrap resamples.
        seed: of the resampling.
        runs: how runs scatter, of :func:`~augstudy.stats.scatter.run_scatter` over all arms that
            were trained with these seeds; by default what these two alone tell.
        balance: (N,), the class of each image, if the metric is balanced accuracy.
        groups: (N,), equal for images that belong together.
        folds: (N,), the fold in which each image was tested.
        draws: (S,), the repetition of split and generators that each seed belongs to.

    Raises:
        DataError: the two shapes differ or are empty.
    """
    difference = as_differences(correct_a, correct_b)
    units = Units.of(difference.shape[1], balance, groups, folds)
    by_seed = mean_of(difference, balance)
    mean = float(by_seed.mean())
    # The same numbers are drawn whichever arm is called a: only the sign differs.
    sign = -1 if mean < 0 else 1
    deviations = _deviations(sign * difference, resamples, seed, runs, units, draws)
    least = unseen(units.telling(difference))
    if np.ptp(np.quantile(deviations, ENDS)) < 2 * least:
        normal = _even(stats.norm, resamples)
        deviations = least * normal / np.quantile(normal, ENDS[1])
    drawn = sign * (sign * mean + deviations)
    drawn[np.abs(drawn) < _NO_WIDTH] = 0.0  # what is zero but for rounding
    low, high = np.quantile(drawn, ENDS)
    return PairedDifference(
        mean=mean,
        low=float(np.clip(low, -1.0, mean)),
        high=float(np.clip(high, mean, 1.0)),
        p_value=_p_value(drawn),
        seeds=len(by_seed),
        images=difference.shape[1],
        seed_std=float(by_seed.std(ddof=1)) if len(by_seed) > 1 else 0.0,
        by_seed=tuple(float(value) for value in by_seed),
        noise=_noise(difference, runs, units, draws),
        draws=len(np.unique(draws)) if draws is not None else 1,
    )


def by_run(values: NDArray[Any], units: Units) -> Floats:
    """The metric of each seed, (S,), or with folds what each of its runs adds to it, (S, K)."""
    return mean_of(values, units.balance) if units.folds is None else units.by_fold(values)


def unseen(images: float, level: float = 1 - CONFIDENCE) -> float:
    """How large a share something may have that was seen in none of so many images, at most.

    The upper end of Clopper and Pearson's interval of a level, by default 5 %: the least half-width
    of a difference's.
    """
    if level == 1 - CONFIDENCE:
        return exact_interval(0.0, images)[1]
    return float(1 - (level / 2) ** (1 / images))


def as_differences(correct_a: Outcomes, correct_b: Outcomes) -> NDArray[np.int8]:
    """Of two arms' outcomes (S, N): 1 where only a is right, -1 where only b is.

    Raises:
        DataError: the two shapes differ or are empty.
    """
    if correct_a.shape != correct_b.shape or correct_a.ndim != 2 or correct_a.size == 0:
        raise DataError(
            f"Outcomes of shapes {correct_a.shape} and {correct_b.shape} cannot be paired: "
            "evaluate both arms with the same seeds and test images."
        )
    return correct_a.astype(np.int8) - correct_b.astype(np.int8)


def _deviations(
    difference: Differences,
    resamples: int,
    seed: int,
    runs: RunScatter | None,
    units: Units,
    draws: Draws,
) -> Floats:
    """Resamples of (estimated mean - true mean), from the image part and the run part: (B,)."""
    generator = rng.generator(seed)
    if not units.freedom:  # a single group tells nothing of others
        return _even(stats.uniform, resamples, -4.0, 8.0)
    image_part = (
        _image_part(difference, resamples, generator, units.balance)
        if units.plain
        else _unit_part(difference, resamples, generator, units)
    )
    if len(difference) == 1:
        return image_part
    repeated = by_draw(difference, draws)
    found = _run_error(by_run(repeated, units), runs)
    run_part = generator.permutation(_even(stats.t, resamples, found.degrees)) * found.error
    share = image_share(repeated, units.balance, units)
    return np.asarray(image_part * share + run_part)


def _image_part(
    difference: Differences, resamples: int, generator: np.random.Generator, balance: Balance
) -> Floats:
    """What other images change about the mean: (B,).

    Of the two images that are counted in, a class has its part, so that they weigh the same however
    many classes there are.
    """
    seeds, images = difference.shape
    groups = strata(balance, images)
    found = np.zeros(resamples)
    for rows in groups:
        # An image enters only by its sum over seeds, so resampling images is resampling those sums.
        every = np.append(difference[:, rows].sum(axis=0), [seeds, -seeds])
        sums, times = np.unique(every, return_counts=True)
        counts = times - (np.abs(sums) == seeds) * (1 - 1 / len(groups))
        total = counts.sum()
        drawn = generator.multinomial(int(total), counts / total, resamples)
        expected = (counts @ sums) * (int(total) / total)
        found += (drawn @ sums - expected) / (seeds * len(rows)) / len(groups)
    return found


def _unit_part(
    difference: Differences, resamples: int, generator: np.random.Generator, units: Units
) -> Floats:
    """What other groups, or other images of the same folds, change about the mean: (B,)."""
    seeds = len(difference)
    counted_in = seeds * math.sqrt(units.design_effect(difference))
    every = np.append(units.deviations(difference).sum(axis=0), [counted_in, -counted_in])
    sums, times = np.unique(every.round(9), return_counts=True)
    drawn = []
    for start in range(0, resamples, step := max(1, _AT_ONCE // len(sums))):
        count = min(step, resamples - start)
        drawn.append(generator.multinomial(len(every), times / len(every), count) @ sums)
    found = np.concatenate(drawn) - times @ sums
    return np.asarray(found / (seeds * units.images) * units.inflation)


def _even(distribution: Any, count: int, *parameters: float) -> Floats:
    """So many quantiles of a distribution, evenly spread, in their order: (B,)."""
    return np.asarray(distribution.ppf((np.arange(count) + 0.5) / count, *parameters))


def _run_error(differences: Floats, runs: RunScatter | None) -> RunError:
    """From all arms, or from the differences of these two alone, (S,) or (S, K)."""
    if runs is not None:
        return runs.error(differences)
    if differences.ndim == 1:
        return RunError(
            float(differences.std(ddof=1) / np.sqrt(len(differences))), len(differences) - 1
        )
    square, degrees = own_scatter(differences)
    return RunError(float(np.sqrt(square / len(differences))), degrees)


def _noise(difference: Differences, runs: RunScatter | None, units: Units, draws: Draws) -> Noise:
    """The noise of a difference; what other arms tell of runs, or of draws, goes into it."""
    if several(draws):
        error = _run_error(by_run(by_draw(difference, draws), units), runs)
        return noise_in_draws(difference, draws, units, error)
    own, seeds = noise_of(difference, units.balance, units), len(difference)
    if seeds == 1 or (runs is None and units.folds is None):
        return own
    found = _run_error(by_run(difference, units), runs)
    run = found.error**2 * seeds - own.residual / difference.shape[1]
    return replace(own, run=max(0.0, run) * own.folds, pooled=found.degrees / (seeds - 1))


def _p_value(drawn: Floats) -> float:
    below, above = (drawn <= 0).sum(), (drawn >= 0).sum()
    return float(min(1.0, 2 * (min(below, above) + 1) / (len(drawn) + 1)))
