"""Confident learning, against planted noise and against a slow implementation of its own."""

import numpy as np
import pytest

from augstudy.core.errors import DataError
from augstudy.metrics.label_noise import find_label_noise, self_confidence


def classifier(truth, classes, skill, seed=0):
    """(N, C) probabilities of a classifier that mostly knows the true classes."""
    logits = np.random.default_rng(seed).normal(0, 1, (len(truth), classes))
    logits[np.arange(len(truth)), truth] += skill
    odds = np.exp(logits)
    return odds / odds.sum(axis=1, keepdims=True)


def planted(rate, classes=5, per_class=400, skill=4.0):
    """Probabilities, given labels, and which of them are wrong: class c is called c + 1."""
    truth = np.repeat(np.arange(classes), per_class)
    wrong = np.random.default_rng(1).random(len(truth)) < rate
    return classifier(truth, classes, skill), np.where(wrong, (truth + 1) % classes, truth), wrong


def by_hand(probabilities, labels):
    """The same from the paper's definitions, one image at a time."""
    count, classes = probabilities.shape
    threshold = []
    for j in range(classes):
        own = [probabilities[n, j] for n in range(count) if labels[n] == j]
        threshold.append(sum(own) / len(own))
    confident = [[0] * classes for _ in range(classes)]
    for n in range(count):
        above = [j for j in range(classes) if probabilities[n, j] >= threshold[j]]
        if above:
            confident[labels[n]][max(above, key=lambda j: probabilities[n, j])] += 1
    removed = set()
    joint = np.zeros((classes, classes))
    for i in range(classes):
        members = [n for n in range(count) if labels[n] == i]
        for j in range(classes):
            joint[i, j] = confident[i][j] / sum(confident[i]) * len(members) / count
            if i == j:
                continue
            by_margin = sorted(members, key=lambda n: probabilities[n, i] - probabilities[n, j])
            for n in by_margin[: round(joint[i, j] * count)]:
                if probabilities[n, j] > probabilities[n, i]:
                    removed.add(n)
    return np.array(threshold), joint, removed


@pytest.mark.parametrize("skill", [1.0, 2.5, 4.0])
@pytest.mark.parametrize("rate", [0.0, 0.15, 0.4])
def test_agrees_with_the_definitions(rate, skill):
    probabilities, labels, _ = planted(rate, classes=4, per_class=60, skill=skill)
    found = find_label_noise(probabilities, labels)
    threshold, joint, removed = by_hand(probabilities, labels)
    assert found.thresholds == pytest.approx(threshold)
    assert found.joint == pytest.approx(joint)
    assert set(np.flatnonzero(found.suspicious)) == removed


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.25])
def test_finds_planted_noise(rate):
    probabilities, labels, wrong = planted(rate)
    found = find_label_noise(probabilities, labels)
    hits = found.suspicious & wrong
    assert hits.sum() / wrong.sum() > 0.8
    assert hits.sum() / found.suspicious.sum() > 0.8
    assert found.noise == pytest.approx(wrong.mean(), abs=0.03)
    assert (found.suggested[hits] == (labels[hits] - 1) % 5).mean() > 0.9
    first = found.ranked()[: len(wrong) // 100]
    assert wrong[first].all()


def test_clean_labels_raise_little_suspicion():
    probabilities, labels, _ = planted(0.0)
    assert find_label_noise(probabilities, labels).suspicious.mean() < 0.03


def test_a_classifier_that_knows_nothing_finds_nothing_real():
    """The case in which it must be bad: suspicion then falls on right and wrong labels alike."""
    probabilities, labels, wrong = planted(0.2, skill=0.0)
    found = find_label_noise(probabilities, labels)
    assert found.suspicious[wrong].mean() == pytest.approx(found.suspicious[~wrong].mean(), abs=0.1)


def test_labels_that_the_classifier_shares_are_never_suspicious():
    probabilities, labels, _ = planted(0.3)
    found = find_label_noise(probabilities, labels)
    assert not found.suspicious[probabilities.argmax(axis=1) == labels].any()
    ranked = found.margin[found.ranked()]
    assert (np.diff(ranked) <= 0).all() and (ranked > 0).all()


def test_the_joint_has_the_shares_of_the_given_labels():
    probabilities, labels, _ = planted(0.2)
    joint = find_label_noise(probabilities, labels).joint
    assert joint.sum(axis=1) == pytest.approx(np.bincount(labels) / len(labels))


def test_a_class_without_images_is_left_alone():
    probabilities, labels, _ = planted(0.1, classes=3, per_class=50)
    four = np.pad(probabilities, ((0, 0), (0, 1)), constant_values=0.0)
    found = find_label_noise(four, labels)
    assert np.isinf(self_confidence(four, labels)[3])
    assert np.isfinite(found.joint).all() and found.joint[3].sum() == 0
    assert (found.suspicious == find_label_noise(probabilities, labels).suspicious).all()


def test_shapes_must_fit():
    with pytest.raises(DataError, match="do not fit"):
        find_label_noise(np.ones((3, 2)), np.zeros(4, int))
