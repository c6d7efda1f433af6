"""Balanced accuracy goes through the same statistics as accuracy, with classes of any size."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from augstudy.stats.balance import balance_of, effective, mean_of, metric_of, value_of, weights
from augstudy.stats.learning import accuracy_draws
from augstudy.stats.noise import noise_of
from augstudy.stats.paired import paired_difference
from augstudy.stats.power import assumed_noise, detectable
from augstudy.stats.usual import mcnemar, two_way_bootstrap

COUNTS = (240, 120, 40)
LABELS = np.repeat(np.arange(3), COUNTS)
EASE = np.array([0.9, 0.7, 0.5])  # of each class


def outcomes(generator, labels, gain, seeds=3, between=0.02):
    """Two arms on the same images; `gain` is what the first is better by, in each class."""
    ease = EASE[labels] + generator.normal(0, 0.15, len(labels))
    arms = []
    for better in (np.asarray(gain)[labels], 0.0):
        runs = generator.normal(0, between / np.sqrt(2), (seeds, 1))
        arms.append(generator.random((seeds, len(labels))) < np.clip(ease + better + runs, 0, 1))
    return arms


def test_it_is_what_scikit_learn_computes():
    generator = np.random.default_rng(0)
    predicted = np.where(generator.random((4, 400)) < 0.7, LABELS, (LABELS + 1) % 3)
    balance = balance_of("balanced_accuracy", LABELS)
    expected = [balanced_accuracy_score(LABELS, row) for row in predicted]
    assert mean_of(predicted == LABELS, balance) == pytest.approx(expected)
    assert value_of(predicted == LABELS, balance) == pytest.approx(np.mean(expected))
    assert weights(LABELS).mean() == pytest.approx(1)


@pytest.mark.parametrize(
    ("asked", "counts", "metric"),
    [
        ("auto", (5, 5, 5), "accuracy"),
        ("auto", (5, 5, 4), "balanced_accuracy"),
        ("accuracy", (5, 5, 4), "accuracy"),
        ("balanced_accuracy", (5, 5, 5), "balanced_accuracy"),
    ],
)
def test_the_metric_is_that_which_suits_the_classes_or_is_asked_for(asked, counts, metric):
    labels = np.repeat([0, 2, 5], counts)
    assert metric_of(asked, labels) == metric
    # With equal classes both are the same number, and so is all that is said about it.
    unweighted = metric == "accuracy" or len(set(counts)) == 1
    assert (balance_of(metric, labels) is None) is unweighted


def test_a_gain_of_a_small_class_counts_as_much_as_one_of_a_large_class():
    right, gained = np.zeros((3, 400), bool), np.zeros((3, 400), bool)
    gained[:, LABELS == 2] = True
    found = paired_difference(gained, right, balance=LABELS)
    assert found.mean == pytest.approx(1 / 3)
    assert paired_difference(gained, right).mean == pytest.approx(0.1)
    assert mcnemar(gained, right)[0].gained == 40
    turned = paired_difference(right, gained, balance=LABELS)
    assert (turned.mean, turned.low, turned.high) == (-found.mean, -found.high, -found.low)


def test_few_images_of_a_class_make_the_interval_wide():
    few, many = np.repeat([0, 1], [390, 10]), np.repeat([0, 1], [200, 200])
    generator = np.random.default_rng(2)
    widths = []
    for labels in (few, many):
        both = generator.random((2, 1, 400)) < 0.8
        found = paired_difference(*both, balance=labels)
        widths.append(found.high - found.low)
    assert widths[0] > 2 * widths[1]
    assert effective(few) == pytest.approx(4 / (1 / 390 + 1 / 10) / 400)
    assert effective(many) == pytest.approx(1) == effective(None)


def test_one_class_is_as_images_that_count_alike():
    one, other = np.random.default_rng(3).random((2, 3, 200)) < 0.7
    same = np.zeros(200, int)
    assert vars(noise_of(one ^ other, same)) == pytest.approx(vars(noise_of(one ^ other)))
    weighted, plain = (paired_difference(one, other, balance=it) for it in (same, None))
    assert (weighted.mean, weighted.low, weighted.high) == pytest.approx(
        (plain.mean, plain.low, plain.high)
    )


def test_the_noise_of_the_mean_is_what_classes_add_to_it():
    generator = np.random.default_rng(4)
    means, variances = [], []
    for _ in range(300):
        one, other = outcomes(generator, LABELS, (0, 0, 0), seeds=5, between=0.03)
        values = one.astype(int) - other.astype(int)
        means.append(mean_of(values, LABELS).mean())
        found = noise_of(values, LABELS).parts(5, len(LABELS))
        variances.append(found[0] ** 2 + found[1] ** 2)
    assert np.mean(variances) == pytest.approx(np.var(means), rel=0.25)


def test_the_plain_bootstrap_resamples_within_classes():
    one, other = outcomes(np.random.default_rng(5), LABELS, (0, 0, 0.3))
    drawn = two_way_bootstrap(one, other, 4000, balance=LABELS)
    assert drawn.mean() == pytest.approx(
        mean_of(one, LABELS).mean() - mean_of(other, LABELS).mean(), abs=0.003
    )


def test_a_learning_curve_knows_how_sure_balanced_accuracies_are():
    generator = np.random.default_rng(6)
    cells = {(10, "real"): None, (20, "real"): None}
    outs = dict(zip(cells, outcomes(generator, LABELS, (0, 0, 0.1), seeds=12), strict=True))
    draws = accuracy_draws(outs, True, 4000, balance=dict.fromkeys(cells, LABELS))
    for cell, drawn in draws.items():
        assert drawn.mean() == pytest.approx(value_of(outs[cell], LABELS), abs=0.005)
        share = [outs[cell][:, label == LABELS].mean() for label in range(3)]
        images = np.sqrt(sum(p * (1 - p) / n for p, n in zip(share, COUNTS, strict=True))) / 3
        assert 0.3 * images < drawn.std() < 2 * images


def test_unequal_classes_make_small_differences_harder_to_see():
    equal, unequal = assumed_noise(), assumed_noise(balance=LABELS)
    assert detectable(unequal, 3, 400) > 1.1 * detectable(equal, 3, 400)
    assert detectable(unequal, 3, 400) == pytest.approx(
        detectable(equal, 3, round(400 * effective(LABELS))), rel=0.02
    )
