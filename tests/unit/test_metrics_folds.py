"""Folds: every image is tested once, by as many runs as there are seeds, and more is seen."""

import numpy as np
import pytest
from outcomes import outcomes

from augstudy.results.power import expected
from augstudy.stats.noise import noise_of
from augstudy.stats.paired import by_run, paired_difference
from augstudy.stats.scatter import own_scatter, run_scatter
from augstudy.stats.units import Units


@pytest.mark.parametrize("balance", [None, np.repeat([0, 1, 2], [200, 80, 20])])
def test_a_single_fold_changes_no_bit(balance):
    arms = outcomes(np.random.default_rng(2), 3, 300, 0.1, 0.1)
    plain = paired_difference(*arms, 500, balance=balance)
    assert plain == paired_difference(*arms, 500, balance=balance, folds=np.full(300, 4))


def test_the_runs_of_a_seed_add_up_to_it():
    arms, fold = outcomes(np.random.default_rng(3), 4, 301), np.arange(301) % 5
    balance = np.arange(301) % 7 // 3
    units = Units.of(301, balance, None, fold)
    whole = Units.of(301, balance)
    assert by_run(arms[0], units).shape == (4, 5)
    assert by_run(arms[0], units).sum(axis=1) == pytest.approx(by_run(arms[0], whole))


def test_what_a_fold_has_in_common_is_no_difference_between_images():
    """One fold gains 20 images in 60 in every run, all others none."""
    fold = np.repeat(np.arange(5), 60)
    values = np.zeros((3, 300))
    values[:, :20] = 1
    plain, folded = noise_of(values), noise_of(values, None, Units.of(300, None, None, fold))
    assert folded.image < plain.image and folded.run == 0


def test_seeds_that_go_together_across_folds_count_once():
    generator = np.random.default_rng(4)
    apart = generator.normal(size=(6, 5))
    together = generator.normal(size=(6, 1)) * 3 + generator.normal(size=(6, 5)) * 0.1
    assert own_scatter(apart) == (pytest.approx(apart.var(axis=0, ddof=1).sum()), 25)
    assert own_scatter(together) == (pytest.approx(together.sum(axis=1).var(ddof=1)), 5)


def test_arms_tell_of_the_runs_of_all_folds():
    by_fold = np.random.default_rng(5).normal(0, 0.01, (5, 4, 5))
    by_fold -= by_fold.mean(axis=2, keepdims=True)  # no seed is good in all folds
    found = run_scatter(by_fold)
    assert (found.folds, found.degrees) == (5, 4 * 3 * 5)
    assert found.variance == pytest.approx(2 * 5 * 0.01**2, rel=0.4)
    assert found.error(by_fold[1] - by_fold[0]).degrees > 12
    same_seeds = by_fold * 0.1 + np.random.default_rng(6).normal(0, 0.01, (5, 4, 1))
    assert run_scatter(same_seeds).folds == 1


def test_five_folds_see_half_of_what_one_split_sees():
    """1,000 images in 5 classes, 5 seeds, 4 arms beside real: 200 test images, or all."""
    split, folds = expected(5, 200, 4), expected(5, 1000, 4, folds=5)
    assert split.detectable > 0.05
    assert folds.detectable < 0.025
    assert folds.assumed.pooled == 20 and folds.assumed.folds == 5
