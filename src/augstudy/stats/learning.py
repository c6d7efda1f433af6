"""Learning curves over levels, and what an arm is worth in real images."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import interpolate, stats

from augstudy.core import rng
from augstudy.core.arrays import Floats
from augstudy.stats.balance import Balance, mean_of, strata, weights
from augstudy.stats.noise import noise_of
from augstudy.stats.paired import ENDS, RESAMPLES, Outcomes
from augstudy.stats.units import Units

_GRID = 64  # places between two levels at which the curve is computed

Cell = tuple[int, str]


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Worth:
    """Real images per class by which `real` would have to grow to be as good as an arm.

    ``floor`` and ``ceiling`` are the least and the most that the measured levels can show: a number
    that reaches one of them may lie beyond.
    """

    value: float
    low: float
    high: float
    floor: float
    ceiling: float


def accuracy_draws(
    outcomes: Mapping[Cell, Outcomes],
    same_images: bool,
    resamples: int = RESAMPLES,
    seed: int = 0,
    balance: Mapping[Cell, Balance] | None = None,
    units: Mapping[Cell, Units] | None = None,
) -> dict[Cell, Floats]:
    """Accuracies that another study might have had: (B,) for each level and arm.

    As in :func:`~augstudy.stats.paired.paired_difference` the error has an image part, which
    cells with the same images have in common, and a run part, Student's t. The run part is
    independent from cell to cell; its size is estimated over all arms of a level together, since
    a few seeds of one cell say little.

    Args:
        outcomes: by (level, label) whether seed s was right about image n, (S, N). With one
            seed in every cell of a level, other training runs are not accounted for.
        same_images: whether all levels have the same N test images in the same order.
        resamples: B.
        seed: of the resampling.
        balance: by (level, label), if the metric is balanced accuracy.
        units: by (level, label), where images are in groups or folds.
    """
    drawn = units or {cell: Units(item.shape[1]) for cell, item in outcomes.items()}
    balances = balance or dict.fromkeys(outcomes)
    generator = rng.generator(seed)
    levels = sorted({level for level, _ in outcomes})
    by_level = [[cell for cell in outcomes if cell[0] == level] for level in levels]
    groups = [list(outcomes)] if same_images else by_level
    draws: dict[Cell, Floats] = {}
    for group in groups:
        own = balances[group[0]]
        cells = {cell: outcomes[cell] for cell in group}
        draws |= _image_draws(cells, resamples, generator, own, drawn[group[0]])
    for group in by_level:
        by_seed = {cell: mean_of(outcomes[cell], balances[cell]) for cell in group}
        for cell, deviations in _run_draws(by_seed, resamples, generator).items():
            draws[cell] = draws[cell] + deviations
    return draws


def estimate(value: float, draws: Floats) -> Estimate:
    """`value` with the 95 % interval of its draws, which holds it in any case."""
    low, high = np.quantile(draws, ENDS)
    return Estimate(value, float(min(low, value)), float(max(high, value)))


class LearningCurve:
    """Accuracy of `real` as a function of real images per class.

    Between the levels it is the monotone cubic interpolation of Fritsch and Butland (1984) over
    the logarithm of the level, after isotonic regression: more real images never make it worse. No
    shape such as a power law is assumed, and nothing is said beyond the levels measured.
    """

    def __init__(self, levels: Sequence[int], accuracy: Sequence[float], draws: Floats) -> None:
        """Fit the curve and each of its draws.

        Args:
            levels: ascending, at least two.
            accuracy: of `real` at each.
            draws: (L, B), see :func:`accuracy_draws`.
        """
        self.levels = list(levels)
        together = np.column_stack([np.asarray(accuracy), draws])
        curve = interpolate.PchipInterpolator(np.log(self.levels), _isotonic(together))
        last = len(levels) - 1
        steps = np.linspace(0, last, _GRID * last + 1)
        self._places = np.interp(steps, range(last + 1), np.log(self.levels))
        self._heights = np.asarray(curve(self._places))

    @property
    def points(self) -> tuple[list[float], list[float]]:
        """The curve for drawing: real images per class and accuracies."""
        return np.exp(self._places).tolist(), self._heights[:, 0].tolist()

    def worth(self, level: int, accuracy: float, draws: Floats) -> Worth:
        """What an arm at `level` is worth; draws are (B,), of the same resamples as the curve's."""
        reached = self._inverse(np.append(accuracy, draws)) - level
        found = estimate(float(reached[0]), reached[1:])
        floor, ceiling = self.levels[0] - level, self.levels[-1] - level
        return Worth(found.value, found.low, found.high, floor, ceiling)

    def _inverse(self, accuracies: Floats) -> Floats:
        """Real images per class at which each curve reaches its accuracy; clipped to the levels."""
        last = len(self._places) - 1
        below = (self._heights < accuracies).sum(axis=0)
        upper = below.clip(1, last)
        column = np.arange(len(accuracies))
        low, high = self._heights[upper - 1, column], self._heights[upper, column]
        rise = high - low
        share = np.divide(accuracies - low, rise, out=np.zeros_like(rise), where=rise > 0)
        start, end = self._places[upper - 1], self._places[upper]
        inside = np.exp(start + share.clip(0, 1) * (end - start))
        ends = [below == 0, below > last]
        return np.select(ends, [self.levels[0], self.levels[-1]], inside).astype(np.float64)


def _image_draws(
    outcomes: Mapping[Cell, Outcomes],
    resamples: int,
    generator: np.random.Generator,
    balance: Balance,
    units: Units,
) -> dict[Cell, Floats]:
    """Accuracies on other images, for cells that share their images.

    A mean over images is normal, with the covariance of the images' own chances of being got right:
    what single runs scatter about those belongs to the run part, and is taken off.
    """
    means = np.stack([correct.mean(axis=0) for correct in outcomes.values()])
    scatter = [noise_of(item, balance, units).residual / len(item) for item in outcomes.values()]
    spread = _covariance(means, balance) if units.plain else units.covariance(means)
    covariance = np.atleast_2d(spread) - np.diag(scatter)
    values, vectors = np.linalg.eigh(covariance / means.shape[1])
    root = vectors * np.sqrt(values.clip(0))
    drawn = generator.normal(size=(resamples, len(means))) @ root.T + mean_of(means, balance)
    return {cell: drawn[:, at] for at, cell in enumerate(outcomes)}


def _covariance(means: Floats, balance: Balance) -> Floats:
    """Of (K, N) values over images; with a `balance`, of weighted ones within their class."""
    if balance is None:
        return np.asarray(np.cov(means))
    scaled, images = means * weights(balance), means.shape[1]
    groups = [rows for rows in strata(balance, images) if len(rows) > 1]
    parts = [np.cov(scaled[:, rows]) * len(rows) / images for rows in groups]
    return np.asarray(np.sum(parts, axis=0))


def _run_draws(
    by_seed: Mapping[Cell, Floats], resamples: int, generator: np.random.Generator
) -> dict[Cell, Floats]:
    """Deviations due to training runs; zero where no cell of the level has two seeds."""
    freedom = sum(len(runs) - 1 for runs in by_seed.values())
    if not freedom:
        return {cell: np.zeros(resamples) for cell in by_seed}
    squares = [(len(runs) - 1) * runs.var(ddof=1) for runs in by_seed.values() if len(runs) > 1]
    spread = math.sqrt(sum(squares) / freedom)
    quantiles = stats.t.ppf((np.arange(resamples) + 0.5) / resamples, freedom)
    return {
        cell: generator.permutation(quantiles) * spread / math.sqrt(len(runs))
        for cell, runs in by_seed.items()
    }


def _isotonic(values: NDArray[np.float64]) -> Floats:
    """Least-squares fit that never falls along the first axis: (L, B) to (L, B).

    It is the largest, over starts before a place, of the least, over ends after it, of the mean.
    """
    count = len(values)
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    fitted = np.full(values.shape, -np.inf)
    for start in range(count):
        ends = np.arange(start, count)
        means = (sums[ends + 1] - sums[start]) / (ends - start + 1)[:, None]
        least = np.minimum.accumulate(means[::-1], axis=0)[::-1]
        fitted[start:] = np.maximum(fitted[start:], least)
    return fitted
