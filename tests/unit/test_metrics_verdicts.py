import numpy as np
import pytest
from found import difference as reported
from found import paired as difference
from outcomes import outcomes, true_difference

from augstudy.pages import verdicts as words
from augstudy.pages.verdicts import margin_text
from augstudy.stats.codes import Needed
from augstudy.stats.paired import PairedDifference, paired_difference
from augstudy.stats.verdicts import has_learnt, needs, verdict


def outcome(found):
    return words.outcome(reported(found), margin=0.01)


@pytest.mark.parametrize(
    ("low", "high", "p_value", "p_adjusted", "expected"),
    [
        (0.001, 0.04, 0.04, None, "helps"),
        (0.001, 0.04, 0.04, 0.16, "can't tell yet"),
        (0.001, 0.006, 0.04, 0.16, "no difference"),
        (0.001, 0.006, 0.01, 0.04, "helps"),
        (-0.04, -0.001, 0.04, None, "hurts"),
        (-0.009, 0.009, 1.0, None, "no difference"),
        (-0.009, 0.011, 0.9, None, "can't tell yet"),
        (-0.011, 0.009, 0.9, None, "can't tell yet"),
    ],
)
def test_verdicts(low, high, p_value, p_adjusted, expected):
    assert verdict(difference((low + high) / 2, low, high, p_value), p_adjusted) == expected


def test_the_margin_is_the_askers():
    found = difference(0.0, -0.009, 0.009, 1.0)
    assert verdict(found, margin=0.02) == "no difference"
    assert verdict(found, margin=0.005) == "can't tell yet"
    assert [margin_text(size) for size in (0.01, 0.005, 0.02)] == [
        "1 point",
        "0.5 points",
        "2 points",
    ]


def test_one_seed_tells_nothing():
    found = difference(0.2, 0.1, 0.3, 0.0001, seeds=1)
    assert verdict(found) == "can't tell yet"
    assert outcome(found) == "can't tell yet (needs more than one seed)"


def test_an_effect_as_large_as_the_margin_is_rarely_called_none_and_no_effect_mostly_is():
    generator, shift, tries = np.random.default_rng(31), 0.25, 400
    margin, claimed = true_difference(shift), {shift: 0, 0.0: 0}
    for _ in range(tries):
        for true_shift in claimed:
            found = paired_difference(*outcomes(generator, 5, 1000, true_shift), resamples=500)
            claimed[true_shift] += verdict(found, margin=margin) == "no difference"
    # At most one time in forty by its level; 400 tries: +- 0.8 %.
    assert claimed[shift] / tries <= 0.04
    assert claimed[0.0] / tries >= 0.8


def test_needs_follow_from_the_noise():
    near = difference(0.009, -0.002, 0.02, 0.1, seeds=3)
    far = difference(0.004, -0.007, 0.015, 0.4, seeds=3)
    assert words.needed(needs(near)).startswith("about ")
    assert "test images" in words.needed(needs(near))
    assert needs(far) != needs(near)
    assert needs(far, margin=0.05) != needs(far)


def test_two_that_never_differ_need_as_many_images_as_the_margin_asks_for():
    right = np.ones((3, 40), bool)
    assert needs(paired_difference(right, right)) == Needed(None, 330, None)
    right = np.ones((3, 370), bool)
    assert outcome(paired_difference(right, right)) == "no difference larger than 1 point"


def test_what_is_needed_gives_a_verdict_four_times_in_five():
    generator, shift, tries = np.random.default_rng(33), 0.1, 300
    noise = paired_difference(*outcomes(generator, 300, 3000, shift), resamples=10).noise
    truth = true_difference(shift)
    small = PairedDifference(truth, -0.01, 0.05, 0.3, 4, 300, 0.0, (truth,) * 4, noise)
    more = needs(small)
    seeds, images = more.seeds, more.images
    for enough in ((4 + seeds, 300), (4, 300 + images)):
        clear = 0
        for _ in range(tries):
            found = paired_difference(*outcomes(generator, *enough, shift), resamples=500)
            clear += verdict(found) == "helps"
        # 300 tries at 80 %: +- 2.3 %
        assert 0.7 <= clear / tries <= 0.9


def test_verdicts_in_words():
    assert outcome(difference(0.002, -0.004, 0.008)) == "no difference larger than 1 point"
    assert outcome(difference(0.02, 0.01, 0.03, 0.001)) == "helps"
    assert outcome(difference(-0.004, -0.006, -0.002, 0.001)) == "hurts, by less than 1 point"
    unclear = outcome(difference(0.004, -0.01, 0.018, 0.4))
    assert unclear.startswith("can't tell yet (needs about ")


def answers(accuracy, labels, seeds=3, seed=0):
    """Outcomes (S, N) of classifiers that are right so often, in every class."""
    return np.random.default_rng(seed).random((seeds, len(labels))) < accuracy


@pytest.mark.parametrize(
    ("accuracy", "per_class", "expected"),
    [(0.25, 100, False), (0.26, 25, False), (0.4, 100, True), (1.0, 3, True), (0.0, 100, False)],
)
def test_who_does_no_better_than_guessing_has_learnt_nothing(accuracy, per_class, expected):
    labels = np.repeat(np.arange(4), per_class)
    assert has_learnt(answers(accuracy, labels), labels) is expected


@pytest.mark.parametrize("sizes", [(50, 50, 50), (900, 50, 50), (5, 90, 200)])
@pytest.mark.parametrize("said", [0, 2])
def test_who_always_says_the_same_has_learnt_nothing(sizes, said):
    """However many images of that class there are, and however often it is trained."""
    labels = np.repeat(np.arange(3), sizes)
    assert not has_learnt(np.tile(labels == said, (30, 1)), labels)


def test_guessing_passes_for_learning_one_time_in_twenty_at_most():
    labels, tries = np.repeat(np.arange(5), 40), 1000
    passed = sum(has_learnt(answers(0.2, labels, 1, seed), labels) for seed in range(tries))
    assert passed / tries <= 0.06


def test_of_an_arm_that_has_learnt_nothing_nothing_is_told():
    clear, none = difference(-0.2, -0.3, -0.1, 0.001), difference(0.0, -0.009, 0.009, 1.0)
    better = difference(0.2, 0.1, 0.3, 0.001)
    for found in (clear, none, better):
        assert verdict(found, learnt=(False, True)) == "at chance"
        assert verdict(found, learnt=(False, False)) == "at chance"
        assert verdict(difference(0.1, 0.0, 0.2, 0.5, seeds=1), learnt=(False, True)) == "at chance"
    # That images help a classifier which learns nothing without them is worth telling.
    assert verdict(better, learnt=(True, False)) == "helps"
    assert verdict(none, learnt=(True, False)) == "at chance"
    assert verdict(none, p_adjusted=1.0, learnt=(True, True)) == "no difference"
