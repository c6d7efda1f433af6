"""Simulated outcomes of two arms, and the true difference between them."""

import numpy as np
from scipy import stats


def outcomes(generator, seeds, images, shift=0.0, between_runs=0.0):
    """Whether (S, N) training runs of two arms got images right that differ in difficulty."""
    ease = generator.normal(0.9, 1.0, images)
    arms = []
    for offset in (shift, 0.0):
        run = generator.normal(offset, between_runs, (seeds, 1))
        taste = generator.normal(0, 0.25, images)
        arms.append(ease + taste + run + generator.normal(0, 0.6, (seeds, images)) > 0)
    return arms


def true_difference(shift, between_runs=0.0):
    """The difference in accuracy that infinitely many runs and images would show."""
    spread = np.sqrt(1 + 0.25**2 + 0.6**2 + between_runs**2)
    return stats.norm.cdf((0.9 + shift) / spread) - stats.norm.cdf(0.9 / spread)
