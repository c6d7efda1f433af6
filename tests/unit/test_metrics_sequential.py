"""Looking after every round of seeds: no more false alarms than one look has."""

import numpy as np
import pytest
from outcomes import outcomes
from scipy import stats

from augstudy.stats.paired import paired_difference
from augstudy.stats.sequential import SPENDING, at_look, level_at, levels
from augstudy.stats.verdicts import verdict

LOOKS = (2, 4, 6, 8, 10)


def test_the_first_look_spends_its_share_and_a_single_one_all():
    assert levels(LOOKS)[0] == pytest.approx(0.05 * (2 / 10) ** SPENDING)
    assert levels((7,)) == pytest.approx((0.05,))
    assert list(levels(LOOKS)) == sorted(levels(LOOKS))
    assert level_at((), 3) == level_at((3,), 3) == pytest.approx(0.05)


@pytest.mark.parametrize("looks", [LOOKS, (2, 3, 4, 5, 6, 7, 8), (3, 20)])
def test_sums_cross_a_bound_one_time_in_twenty(looks):
    generator, tries = np.random.default_rng(1), 40_000
    sums = generator.normal(size=(tries, looks[-1])).cumsum(axis=1)[:, np.array(looks) - 1]
    bounds = stats.norm.isf(np.array(levels(looks)) / 2) * np.sqrt(looks)
    assert (np.abs(sums) > bounds).any(axis=1).mean() == pytest.approx(0.05, abs=0.004)


def test_without_looks_nothing_is_paid():
    arms = outcomes(np.random.default_rng(2), 5, 300, 0.1, 0.05)
    found = paired_difference(*arms)
    assert at_look(found, ()) == found == at_look(found, (5,))


@pytest.mark.parametrize("seeds", [2, 6, 10])
@pytest.mark.parametrize("shift", [-0.15, -0.06, 0.0, 0.02, 0.06, 0.1])
def test_interval_and_p_value_of_a_look_agree(seeds, shift):
    found = paired_difference(*outcomes(np.random.default_rng(5), seeds, 400, shift, 0.02))
    look = at_look(found, LOOKS)
    assert look.mean == found.mean and look.low < found.low and look.high > found.high
    assert (look.p_value < 0.05) == (look.low > 0 or look.high < 0)


def test_seeds_between_two_looks_pay_for_the_second():
    assert level_at(LOOKS, 3) == level_at(LOOKS, 4) < level_at(LOOKS, 5) == level_at(LOOKS, 6)
    assert level_at(LOOKS, 99) == level_at(LOOKS, 10)


def test_looking_after_every_round_sees_what_is_not_there_one_time_in_twenty_at_most():
    generator, tries, alarms, naive = np.random.default_rng(3), 150, 0, 0
    for _ in range(tries):
        arms = outcomes(generator, LOOKS[-1], 200, between_runs=0.1)
        rounds = [paired_difference(*(arm[:n] for arm in arms), 300) for n in LOOKS]
        said = [verdict(at_look(found, LOOKS)) for found in rounds]
        alarms += any(word in ("helps", "hurts") for word in said)
        naive += any(found.low > 0 or found.high < 0 for found in rounds)
    assert alarms / tries <= 0.08  # 150 tries at 5 %: +- 1.8 %
    assert naive > alarms
