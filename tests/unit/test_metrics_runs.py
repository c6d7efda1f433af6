from dataclasses import replace

import numpy as np
import pytest

from augstudy.stats.paired import run_difference
from augstudy.stats.scatter import RunScatter, run_scatter


def test_the_common_variance_is_that_of_a_block_design():
    by_seed = np.array([[0.60, 0.62], [0.70, 0.75], [0.50, 0.53]])
    gains = by_seed[:, 1] - by_seed[:, 0]
    found = run_scatter(by_seed)
    # For two blocks the residual is half of the gains' variance; a difference has twice that.
    assert found.variance == pytest.approx(gains.var(ddof=1))
    assert found.degrees == 2
    assert found.of_one_arm().variance == pytest.approx(found.variance / 2)


def test_nothing_is_known_of_two_arms_one_seed_or_runs_that_do_not_scatter():
    by_seed = np.array([[0.60, 0.62], [0.70, 0.75], [0.50, 0.53]])
    assert run_scatter(by_seed[:2]) is None
    assert run_scatter(by_seed[:, :1]) is None
    assert run_scatter(np.array([[0.6, 0.7], [0.5, 0.6], [0.4, 0.5]])) is None  # seeds, not runs


def test_a_comparison_is_drawn_towards_the_common_variance():
    differences = np.array([0.01, 0.03, 0.05, 0.02])
    own = differences.var(ddof=1)
    found = RunScatter(variance=0.0004, degrees=30, weight=6.0).error(differences)
    assert found.error == pytest.approx(np.sqrt((6 * 0.0004 + 3 * own) / 9 / 4))
    assert found.degrees == 9
    alone = RunScatter(variance=0.0004, degrees=30, weight=1e-9).error(differences)
    assert alone.error == pytest.approx(differences.std(ddof=1) / 2)
    assert alone.degrees == pytest.approx(3)
    shared = RunScatter(variance=0.0004, degrees=30, weight=1e9).error(differences)
    assert (shared.error, shared.degrees) == (pytest.approx(0.01), 30)


@pytest.mark.parametrize("truth", [4.0, 20.0])
def test_the_weight_is_the_prior_that_variances_were_drawn_from(truth):
    """Variances from a scaled inverse chi-square distribution, as in Smyth's model."""
    generator = np.random.default_rng(3)
    variances = truth / generator.chisquare(truth, 4000)
    found = run_scatter(generator.normal(size=(4000, 5)) * np.sqrt(variances)[:, None])
    assert found.weight == pytest.approx(truth, rel=0.3)


def test_arms_that_scatter_alike_share_all_they_know():
    generator = np.random.default_rng(4)
    weights = [run_scatter(generator.normal(size=(12, 5))).weight for _ in range(200)]
    assert np.median(weights) > 20


def test_an_arm_that_scatters_far_more_stands_apart():
    """It makes no other comparison less clear, and tells of itself alone."""
    by_seed = np.random.default_rng(8).normal(0, 0.01, (12, 5))
    by_seed[7] *= 6
    found = run_scatter(by_seed)
    without = run_scatter(np.delete(by_seed, 7, axis=0))
    assert found == without
    differences = by_seed[7] - by_seed[0]
    assert found.error(differences).error == pytest.approx(differences.std(ddof=1) / np.sqrt(5))
    assert found.error(differences).degrees == 4
    assert found.error(by_seed[1] - by_seed[0]).degrees > 20


def simulated(spread, arms, seeds, tries, last=1.0, **forced):
    """Whether 95 % intervals held the truth: of all arms but the first, of the noisiest, widths.

    The last arm scatters `last` times as much as it would.
    """
    generator, held, noisiest, widths = np.random.default_rng(7), [], [], []
    for _ in range(tries):
        scale = np.exp(generator.normal(0, spread, (arms, 1)))
        scale[-1] *= last
        by_seed = generator.normal(size=(arms, seeds)) * scale + generator.normal(size=seeds)
        scatter = replace(run_scatter(by_seed), **forced)
        for arm in range(1, arms):
            _, low, high, _ = run_difference(by_seed[arm], by_seed[0], scatter)
            _, alone_low, alone_high, _ = run_difference(by_seed[arm], by_seed[0])
            held.append(low <= 0 <= high)
            widths.append((high - low) / (alone_high - alone_low))
            if arm == 1 + scale[1:].argmax():
                noisiest.append(held[-1])
    return np.mean(held), np.mean(noisiest), np.median(widths)


@pytest.mark.parametrize(("arms", "seeds"), [(3, 3), (12, 2), (12, 5)])
def test_intervals_hold_the_truth_19_times_in_20_and_are_narrower(arms, seeds):
    held, _, width = simulated(0.0, arms, seeds, tries=4000 // arms)
    assert 0.93 <= held <= 0.97
    assert width < 0.9


def test_an_arm_with_a_scatter_of_its_own_keeps_most_of_it():
    held, noisiest, _ = simulated(0.6, 12, 5, tries=300)
    assert 0.93 <= held <= 0.97
    _, one_for_all, _ = simulated(0.6, 12, 5, tries=300, weight=1e6)
    assert one_for_all < 0.88 < noisiest


def test_one_wild_arm_leaves_the_others_their_narrow_intervals():
    held, wild, width = simulated(0.0, 12, 5, tries=400, last=4.0)
    assert 0.93 <= held <= 0.97
    assert 0.9 <= wild <= 0.97
    assert width < 0.9
