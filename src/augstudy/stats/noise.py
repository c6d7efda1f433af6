"""Where the scatter of many runs on many images comes from: a two-way analysis of variance."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from augstudy.stats.codes import Noise


def noise_of(values: NDArray[Any]) -> Noise:
    """Estimates of the variances of (S, N) outcomes or their differences.

    What one run or one image cannot show is 0, except that one run has all its noise in images.
    """
    seeds, images = values.shape
    if seeds == 1:
        return Noise(float(values.var(ddof=min(1, images - 1))), 0.0, 0.0)
    runs, cases, residual = _mean_squares(values)
    return Noise(
        image=max(0.0, cases - residual) / seeds,
        run=max(0.0, runs - residual) / images,
        residual=residual,
    )


def image_share(difference: NDArray[Any]) -> float:
    """Factor in [0, 1] that shrinks the spread of (S, N) over images to what images alone cause.

    It is 1 where no run contradicts another: all that there may be is then due to images.
    """
    _, cases, residual = _mean_squares(difference)
    if residual <= 0:
        return 1.0
    return float(np.sqrt(max(cases - residual, 0) / cases)) if cases > 0 else 0.0


def _mean_squares(values: NDArray[Any]) -> tuple[float, float, float]:
    """Of a two-way analysis of variance: between runs, between images, and what is left."""
    seeds, images = values.shape
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
