"""The rule by which a challenger takes the champion's place."""

import numpy as np
import pytest

from augstudy.pages import kfp_metrics
from augstudy.pages.verdicts import promotion
from augstudy.results.retraining import decided
from augstudy.stats import promotion as rule


def right(seeds, images, wrong):
    """(seeds, images), all right but the first `wrong` of each seed."""
    outcome = np.ones((seeds, images), bool)
    outcome[:, :wrong] = False
    return outcome


def compare(champion, challenger, excluded, classes=2, asked="auto"):
    """With `classes` equal classes, or with these labels."""
    given = isinstance(classes, np.ndarray)
    labels = classes if given else np.arange(len(excluded)) % classes
    return rule.compare(champion, challenger, excluded, labels, asked)


def verdict(comparison, margin=0.005, first=False, same=False, learnt=True):
    told = {"before": None if first else "old", "challenger": "new", "same": same, "drift": {}}
    return decided(comparison, margin, **told, learnt=learnt)


def test_without_a_champion_the_first_is_promoted():
    decision = verdict(None, first=True)
    assert decision.promoted
    assert (decision.reason, decision.champion) == ("first", "new")
    assert kfp_metrics.scalars(decision) == {
        "01 decision": "promoted",
        "02 why": "Promoted: there was no champion.",
        "03 champion": "new",
    }


def test_a_first_champion_that_only_guesses_is_said_to():
    guessing = verdict(None, first=True, learnt=False)
    assert guessing.promoted and "no better than guessing" in promotion(guessing)
    assert "guessing" not in promotion(verdict(None, first=True))


def test_a_clear_gain_is_promoted_and_a_clear_loss_is_held():
    none = np.zeros(400, bool)
    better = compare(right(2, 400, 80), right(2, 400, 20), none)
    assert (better.champion, better.challenger) == (0.8, 0.95)
    assert better.difference == pytest.approx(0.15)
    decision = verdict(better)
    assert decision.promoted
    said = promotion(decision)
    assert said.startswith("Promoted: accuracy changes by +15.0 points (95 % interval +")
    assert said.endswith("400 test images), which rules out a loss of more than 0.5.")
    worse = compare(right(2, 400, 20), right(2, 400, 80), none)
    assert not verdict(worse).promoted
    assert "does not rule out a loss of more than 0.5" in promotion(verdict(worse))


@pytest.mark.parametrize(
    ("margin", "promote", "words"),
    [
        (0.005, True, "a loss of more than 0.5."),
        (0.0, True, "a loss."),
        (-0.2, False, "a gain of less than 20.0."),
    ],
)
def test_the_margin_says_what_must_be_ruled_out(margin, promote, words):
    better = compare(right(1, 400, 80), right(1, 400, 20), np.zeros(400, bool))
    decision = verdict(better, margin)
    assert decision.promoted is promote
    assert promotion(decision).endswith(words)


def test_two_that_never_disagree_on_few_images_prove_nothing():
    few = compare(right(1, 40, 4), right(1, 40, 4), np.zeros(40, bool))
    assert few.difference == 0
    assert few.low == pytest.approx(-(1 - 0.025 ** (1 / 40)))  # nothing seen in 40 tries
    assert not verdict(few).promoted
    many = compare(right(1, 2000, 4), right(1, 2000, 4), np.zeros(2000, bool))
    assert verdict(many).promoted


def test_one_image_lost_proves_no_more_than_none_lost():
    none, one = (compare(right(3, 700, 0), right(3, 700, n), np.zeros(700, bool)) for n in (0, 1))
    assert one.low < none.low < -0.005
    assert not verdict(none).promoted and not verdict(one).promoted


def test_what_the_champion_has_learnt_from_does_not_count():
    champion, challenger = right(1, 100, 50), right(1, 100, 0)
    excluded = np.arange(100) < 50
    found = compare(champion, challenger, excluded)
    assert (found.images, found.excluded, found.difference) == (50, 50, 0)
    assert compare(champion, challenger, np.ones(100, bool)) is None
    decision = verdict(None)
    assert not decision.promoted
    assert "learnt from every test image" in promotion(decision)


def test_different_numbers_of_seeds_are_paired_as_far_as_they_go():
    champion = np.concatenate([right(1, 50, 10), right(2, 50, 40)])
    found = compare(champion, right(1, 50, 10), np.zeros(50, bool))
    assert (found.seeds, found.difference) == (1, 0)


def test_the_same_classifier_is_not_promoted_again():
    equal = compare(right(1, 4000, 4), right(1, 4000, 4), np.zeros(4000, bool))
    decision = verdict(equal, same=True)
    assert not decision.promoted
    assert "bit by bit" in promotion(decision)


def test_the_dashboard_shows_the_decision_before_its_reasons():
    better = compare(right(2, 400, 80), right(2, 400, 20), np.zeros(400, bool))
    shown = kfp_metrics.scalars(verdict(better))
    assert list(shown)[:2] == ["01 decision", "02 why"]
    assert (shown["01 decision"], shown["04 gain, points"]) == ("promoted", 15.0)
    assert (shown["07 champion before, %"], shown["08 challenger, %"]) == (80.0, 95.0)


def test_a_large_class_does_not_hide_what_a_small_one_loses():
    labels = np.repeat([0, 1], [900, 100])
    old, new = np.ones((2, 1000), bool), np.ones((2, 1000), bool)
    old[:, :90] = False  # the new one knows more of the large class, and less of the small one
    new[:, 900:960] = False
    balanced = compare(old, new, np.zeros(1000, bool), labels)
    assert balanced.metric == "balanced_accuracy"
    assert (balanced.champion, balanced.challenger) == pytest.approx((0.95, 0.7))
    assert not verdict(balanced).promoted
    assert promotion(verdict(balanced)).startswith(
        "Held: balanced accuracy changes by -25.0 points"
    )
    plain = compare(old, new, np.zeros(1000, bool), labels, "accuracy")
    assert (plain.metric, plain.difference) == ("accuracy", pytest.approx(0.03))
    assert verdict(plain).promoted


def test_test_images_that_are_left_out_do_not_make_equal_classes_unequal():
    excluded = np.arange(100) < 30
    found = compare(right(1, 100, 10), right(1, 100, 5), excluded, np.repeat([0, 1], 50))
    assert found.metric == "accuracy"
