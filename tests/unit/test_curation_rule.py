"""The rule of the filter, on probabilities whose right answer is known."""

import numpy as np
import pytest

from augstudy.data.curation import choose, opinion_of
from augstudy.metrics.label_noise import self_confidence

LABELS = np.array([0, 0, 1, 1, 2], np.int32)
PROBABILITIES = np.array(
    [
        [0.9, 0.1, 0.0],
        [0.5, 0.3, 0.2],
        [0.2, 0.4, 0.4],
        [0.3, 0.6, 0.1],
        [0.1, 0.2, 0.7],
    ],
    np.float32,
)


def test_thresholds_are_mean_self_confidences():
    assert self_confidence(PROBABILITIES, LABELS) == pytest.approx([0.7, 0.5, 0.7])


def test_a_drawing_needs_both_agreement_and_confidence():
    judged = opinion_of(PROBABILITIES, LABELS, np.array([0.6, 0.5, 0.6]))
    assert judged.kept.tolist() == [True, False, False, True, True]
    assert judged.confidence == pytest.approx([0.9, 0.5, 0.4, 0.6, 0.7])
    disagreeing = np.array([1, 1, 0, 0, 0], np.int32)
    assert not opinion_of(PROBABILITIES, disagreeing, np.zeros(3)).kept.any()


def test_a_threshold_of_nought_asks_for_agreement_alone():
    assert opinion_of(PROBABILITIES, LABELS, np.zeros(3)).kept.tolist() == [
        True,
        True,
        True,
        True,
        True,
    ]


def test_the_filter_finds_planted_wrong_labels():
    """Of two overlapping classes, drawings of the other class are kept far less often."""
    random = np.random.default_rng(0)
    truth = np.repeat(np.arange(2, dtype=np.int32), 2000)
    evidence = random.normal(1.5 * (2 * truth - 1), 1.0)
    probabilities = np.stack([1 / (1 + np.exp(3 * evidence)), 1 / (1 + np.exp(-3 * evidence))], 1)
    half = np.arange(4000) % 2 == 0
    thresholds = self_confidence(probabilities[half], truth[half])
    given = truth[~half].copy()
    wrong = random.random(len(given)) < 0.3
    given[wrong] = 1 - given[wrong]
    judged = opinion_of(probabilities[~half], given, thresholds)
    assert judged.kept[~wrong].mean() > 0.7
    assert judged.kept[wrong].mean() < 0.03


def test_choosing_all_is_the_same_with_and_without_balance():
    labels = np.repeat(np.arange(3, dtype=np.int32), 4)
    judged = opinion_of(np.tile(PROBABILITIES[:1], (12, 1)), labels, np.zeros(3))
    rows = {balance: choose(judged, labels, [4, 4, 4], balance) for balance in (True, False)}
    assert set(rows[True]) == set(rows[False]) == set(range(12))
