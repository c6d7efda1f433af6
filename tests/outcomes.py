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


def grouped_outcomes(generator, seeds, sizes, shift=0.0, between_runs=0.0, alike=0.5):
    """The same of images in groups of these sizes, whose images are alike, and those groups."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    count, images = len(sizes), len(groups)
    ease = 0.9 + generator.normal(0, 0.7, count)[groups] + generator.normal(0, 0.7, images)
    arms = []
    for offset in (shift, 0.0):
        run = generator.normal(offset, between_runs, (seeds, 1))
        own = generator.normal(0, 0.1, (seeds, count))[:, groups]
        taste = generator.normal(0, alike, count)[groups] + generator.normal(0, 0.15, images)
        arms.append(ease + taste + run + own + generator.normal(0, 0.6, (seeds, images)) > 0)
    return arms, groups


def folded_outcomes(
    generator, seeds, images, folds, shift=0.0, between_runs=0.0, training=0.0, alike=0.0
):
    """The same with folds: (S, N) outcomes of two arms, the fold of each image, and the truth.

    A fold's classifiers learn from the images of all other folds, each of which adds to how good
    they are, the same in all runs of the fold; `training` is the standard deviation of the sum.
    Runs of a seed have in common what `alike` is the standard deviation of. The truth is the mean
    over folds of what their classifiers do with other images.
    """
    fold = np.arange(images) % folds
    ease = generator.normal(0.9, 1.0, images)
    arms, means = [], []
    for offset in (shift, 0.0):
        parts = generator.normal(0, training * np.sqrt(folds - 1), folds)
        learnt = offset + (parts.sum() - parts) / (folds - 1)
        runs = learnt + generator.normal(0, between_runs, (seeds, folds))
        runs = runs + generator.normal(0, alike, (seeds, 1))
        taste = generator.normal(0, 0.25, images)
        arms.append(ease + taste + runs[:, fold] + generator.normal(0, 0.6, (seeds, images)) > 0)
        spread = np.sqrt(1 + 0.25**2 + 0.6**2 + between_runs**2 + alike**2)
        means.append(stats.norm.cdf((0.9 + learnt) / spread).mean())
    return arms, fold, means[0] - means[1]


ASSUMED = (0.25, 0.33, 0.016)  # taste, noise and runs: about what stats.power assumes of two arms


def assumed_outcomes(generator, seeds, images, folds, size, arms=2):
    """Arms (S, N) of which the first is better by `size`, and the fold of each image."""
    taste, noise, between_runs = ASSUMED
    spread = np.sqrt(1 + sum(part**2 for part in ASSUMED))
    base = stats.norm.cdf(0.9 / spread)
    shift = stats.norm.ppf(base + size) * spread - 0.9
    fold = np.arange(images) % folds
    ease = generator.normal(0.9, 1, images)
    made = [
        ease
        + generator.normal(offset, taste, images)
        + generator.normal(0, between_runs, (seeds, folds))[:, fold]
        + generator.normal(0, noise, (seeds, images))
        > 0
        for offset in (shift, *[0.0] * (arms - 1))
    ]
    return made, fold
