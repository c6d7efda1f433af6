"""Looking after every round of seeds: no more false alarms than one look has."""

import numpy as np
import pytest
from found import paired
from outcomes import outcomes
from scipy import stats

from augstudy.stats.paired import paired_difference
from augstudy.stats.sequential import at_look, decided, levels, verdicts_at

LOOKS = (2, 4, 6, 8, 10)


def test_levels_are_those_of_the_textbook():
    """Lan and DeMets' bounds for five equal looks, as tables of group sequential designs have."""
    found = [float(stats.norm.isf(level / 2)) for level in levels(LOOKS)]
    assert found == pytest.approx([4.877, 3.357, 2.680, 2.290, 2.031], abs=0.006)
    assert levels((7,)) == pytest.approx((0.05,))


@pytest.mark.parametrize("looks", [LOOKS, (2, 3, 4, 5, 6, 7, 8), (3, 20)])
def test_sums_cross_a_bound_one_time_in_twenty(looks):
    generator, tries = np.random.default_rng(1), 40_000
    sums = generator.normal(size=(tries, looks[-1])).cumsum(axis=1)[:, np.array(looks) - 1]
    bounds = stats.norm.isf(np.array(levels(looks)) / 2) * np.sqrt(looks)
    assert (np.abs(sums) > bounds).any(axis=1).mean() == pytest.approx(0.05, abs=0.004)


def test_the_interval_of_the_usual_level_is_the_usual_one():
    arms = outcomes(np.random.default_rng(2), 5, 300, 0.1, 0.05)
    found = paired_difference(*arms)
    same, wider = at_look(found, 0.05), at_look(found, 0.001)
    assert (same.low, same.high) == pytest.approx((found.low, found.high))
    assert wider.low < found.low and wider.high > found.high and wider.mean == found.mean


def test_looking_after_every_round_sees_what_is_not_there_one_time_in_twenty_at_most():
    generator, tries, alarms, naive = np.random.default_rng(3), 100, 0, 0
    for _ in range(tries):
        arms = outcomes(generator, LOOKS[-1], 200, between_runs=0.1)
        rounds = [paired_difference(*(arm[:n] for arm in arms), 300) for n in LOOKS]
        said = [verdicts_at([found], LOOKS) for found in rounds]
        alarms += any(word in ("helps", "hurts") for (word,) in said)
        naive += any(found.low > 0 or found.high < 0 for found in rounds)
    assert alarms / tries <= 0.08  # 100 tries at 5 %: +- 2.2 %
    assert naive > alarms


def test_several_comparisons_share_the_error_and_what_is_clear_leaves_its_share():
    last = levels(LOOKS)[-1]
    clear = paired(0.05, 0.03, 0.07, seeds=10)
    # Clear at half of the error, but not at a third: it is so once the first one is.
    edge = at_look(paired(0.02, 0.0, 0.04, seeds=10), last).low
    near = paired(0.02 - edge + 1e-6, -edge + 1e-6, 0.04 - edge + 1e-6, seeds=10)
    assert verdicts_at([near], LOOKS) == ["helps"]
    assert verdicts_at([near, near], LOOKS) == ["can't tell yet"] * 2
    assert verdicts_at([clear, near], LOOKS) == ["helps", "helps"]
    assert verdicts_at([], LOOKS) == []


def test_a_study_is_decided_once_every_comparison_is():
    helps, hurts = paired(0.05, 0.03, 0.07, seeds=10), paired(-0.05, -0.07, -0.03, seeds=10)
    none, unclear = paired(0.0, -0.004, 0.004, seeds=10), paired(0.0, -0.03, 0.03, seeds=10)
    words = verdicts_at([helps, hurts, none], LOOKS)
    assert words == ["helps", "hurts", "no difference"] and decided(words)
    assert not decided(verdicts_at([helps, unclear], LOOKS))
    early = [paired(0.05, 0.03, 0.07, seeds=2)]
    assert not decided(verdicts_at(early, LOOKS))
