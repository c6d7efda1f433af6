"""The tests that others report, beside the interval that a verdict is read off."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from augstudy.core import rng
from augstudy.core.arrays import Floats
from augstudy.metrics.classification import image_weights, times_drawn
from augstudy.stats.balance import Balance, mean_of, weights
from augstudy.stats.draws import Draws
from augstudy.stats.paired import RESAMPLES, Outcomes, as_differences
from augstudy.stats.units import Groups, Units


def two_way_bootstrap(
    correct_a: Outcomes,
    correct_b: Outcomes,
    resamples: int = RESAMPLES,
    seed: int = 0,
    balance: Balance = None,
    groups: Groups = None,
    draws: Draws = None,
) -> Floats:
    """Mean differences of resamples of seeds and, independently, of images: (B,).

    The plain hierarchical bootstrap that others report (Owen 2007, "The pigeonhole bootstrap"). For
    verdicts :func:`~augstudy.stats.paired.paired_difference` is used, and says why.

    Args:
        correct_a: (S, N), as in :func:`~augstudy.stats.paired.paired_difference`.
        correct_b: (S, N).
        resamples: bootstrap resamples B; memory does not grow with them.
        seed: of the resampling.
        balance: (N,), the class of each image, within which images are then resampled, if the
            metric is balanced accuracy.
        groups: (N,), equal for images that belong together: whole groups are resampled.
        draws: (S,), of seeds that belong together: whole draws are resampled.

    Raises:
        DataError: the two shapes differ or are empty.
    """
    difference = as_differences(correct_a, correct_b)
    seeds, images = difference.shape
    generator = rng.generator(seed)
    columns = difference.T.astype(np.float64)
    within = np.zeros(images, np.int32) if balance is None else balance
    units = Units.of(images, balance, groups)
    if not units.plain:
        usual = mean_of(difference, balance) * images / units.count
        columns, within = units.deviations(difference).T + usual, np.zeros(units.count, np.int32)
    elif balance is not None:
        columns *= weights(balance)[:, None]
    repeated = np.arange(seeds) if draws is None else draws
    drawn = []
    for picked in image_weights(within, resamples, generator):
        times = times_drawn(repeated, len(picked), generator)
        drawn.append(((picked @ columns) * times).sum(axis=1))
    return np.asarray(np.concatenate(drawn) / (seeds * images))


@dataclass(frozen=True)
class McNemar:
    """One training run of either arm: images that only one of the two got right.

    ``p_value`` is of McNemar's exact test (McNemar 1947, Psychometrika 12): two-sided, and about
    other test images only, as it knows no other training run.
    """

    gained: int
    lost: int
    p_value: float


def mcnemar(correct_a: Outcomes, correct_b: Outcomes) -> list[McNemar]:
    """Compare two arms seed by seed: (S, N) each, same seeds and images in the same order.

    Raises:
        DataError: the two shapes differ or are empty.
    """
    difference = as_differences(correct_a, correct_b)
    gained, lost = (difference > 0).sum(axis=1), (difference < 0).sum(axis=1)
    p_values = np.minimum(1.0, 2 * stats.binom.cdf(np.minimum(gained, lost), gained + lost, 0.5))
    rows = zip(gained, lost, p_values, strict=True)
    return [McNemar(int(more), int(less), float(p_value)) for more, less, p_value in rows]
