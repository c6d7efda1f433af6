"""Where the scatter of many runs on many images comes from: a two-way analysis of variance."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augstudy.stats.balance import Balance, effective, mean_of, strata, weights
from augstudy.stats.codes import Noise
from augstudy.stats.draws import Draws, by_draw, within
from augstudy.stats.scatter import RunError
from augstudy.stats.units import Units


def noise_of(values: NDArray[Any], balance: Balance = None, units: Units | None = None) -> Noise:
    """Estimates of the variances of (S, N) outcomes or their differences.

    What one run or one image cannot show is 0, except that one run has all its noise in images.
    Of images in groups or folds, all that is needed to know is in `units`, the balance included.
    """
    if units is not None and not units.plain:
        return _of_units(values, units)
    seeds, images = values.shape
    if seeds == 1:
        if balance is None:
            return Noise(float(values.var(ddof=min(1, images - 1))), 0.0, 0.0)
        return Noise(_within(values * weights(balance), balance), 0.0, 0.0, 1.0, effective(balance))
    runs, cases, residual = _mean_squares(values, balance)
    return Noise(
        image=max(0.0, cases - residual) / seeds,
        run=max(0.0, runs - residual) / images,
        residual=residual,
        effective=effective(balance),
    )


def noise_in_draws(values: NDArray[Any], draws: Draws, units: Units, error: RunError) -> Noise:
    """The same of (S, N) values whose seeds belong to several draws.

    With one seed per draw, what training runs add cannot be told from what draws do, and counts as
    that of draws.

    Args:
        values: outcomes or their differences.
        draws: (S,), the draw of each seed.
        units: how images were drawn and tested.
        error: of the mean over draws, with its degrees of freedom.
    """
    repeated, each = by_draw(values, draws), within(values, draws)
    own, count, seeds = noise_of(repeated, units.balance, units), len(repeated), len(each[0])
    residual, by_run = own.residual, own.residual / units.images
    if seeds > 1:
        inner = [noise_of(item, units.balance, units) for item in each]
        residual = float(np.mean([item.residual for item in inner]))
        runs = float(np.mean([item.run for item in inner]))
        by_run = (runs / units.folded + residual / units.images) / seeds
    return replace(
        own,
        run=runs if seeds > 1 else 0.0,
        residual=residual,
        draw=max(0.0, error.error**2 * count - by_run),
        pooled=error.degrees / (count - 1),
    )


def image_share(
    difference: NDArray[Any], balance: Balance = None, units: Units | None = None
) -> float:
    """Factor in [0, 1] that shrinks the spread of (S, N) over images to what images alone cause.

    It is 1 where no run contradicts another: all that there may be is then due to images.
    """
    if units is not None and not units.plain:
        cases, residual = units.mean_squares(difference)
    else:
        _, cases, residual = _mean_squares(difference, balance)
    if residual <= 0:
        return 1.0
    return float(np.sqrt(max(cases - residual, 0) / cases)) if cases > 0 else 0.0


def _of_units(values: NDArray[Any], units: Units) -> Noise:
    cases, residual = units.mean_squares(values)
    seeds, images, folds = len(values), units.images, units.folded
    counted = units.telling(values) / images
    if seeds == 1:
        return Noise(cases, 0.0, 0.0, 1.0, counted, folds)
    by_seed = float(units.by_fold(values).var(axis=0, ddof=1).sum())
    return Noise(
        image=max(0.0, cases - residual) / seeds,
        run=max(0.0, by_seed - residual / images) * folds,
        residual=residual,
        pooled=float(folds),
        effective=counted,
        folds=folds,
    )


def _mean_squares(values: NDArray[Any], balance: Balance) -> tuple[float, float, float]:
    """Of a two-way analysis of variance: between runs, between images, and what is left.

    With a `balance` images are compared with those of their class, and what a class adds to the
    variance of the metric is added up.
    """
    seeds, images = values.shape
    if balance is not None:
        scaled = values * weights(balance)
        by_run = images * float(np.var(mean_of(values, balance), ddof=1))
        cases = seeds * _within(scaled.mean(axis=0, keepdims=True), balance)
        return by_run, cases, _within(scaled - scaled.mean(axis=0), balance) / (seeds - 1)
    mean = values.mean()
    runs = values.mean(axis=1) - mean
    between_runs = float(images * (runs**2).sum() / (seeds - 1))
    if images == 1:
        return between_runs, 0.0, 0.0
    cases = values.mean(axis=0) - mean
    between_images = float(seeds * (cases**2).sum() / (images - 1))
    total = np.square(values - mean, dtype=np.float64).sum()
    rest = total - images * (runs**2).sum() - seeds * (cases**2).sum()
    return between_runs, between_images, float(rest / ((seeds - 1) * (images - 1)))


def _within(values: NDArray[Any], balance: Balance) -> float:
    """Variance of weighted (S, N) values about the mean of each run and class, summed over runs.

    Times 1 / N it is the variance of their mean. A class with a single image shows none.
    """
    found, images = 0.0, values.shape[1]
    for rows in strata(balance, images):
        if (count := len(rows)) > 1:
            own = values[:, rows]
            square = float(np.square(own - own.mean(axis=1, keepdims=True)).sum())
            found += square * count / (count - 1) / images
    return found
