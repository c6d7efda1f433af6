import json
import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from augstudy.pages import kfp_metrics


def some_predictions(seeds=3, images=220, classes=11, generator_seed=5):
    generator = np.random.default_rng(generator_seed)
    labels = generator.integers(0, classes, images)
    logits = generator.normal(0, 1, (seeds, images, classes))
    logits[:, np.arange(images), labels] += 1.5
    odds = np.exp(logits)
    return (odds / odds.sum(-1, keepdims=True)).astype(np.float32), labels


def area(fpr, tpr):
    return float(np.trapezoid(tpr, fpr))


def test_roc_is_small_finite_and_right():
    probabilities, labels = some_predictions()
    fpr, tpr, thresholds = kfp_metrics.roc(probabilities, labels)
    assert len(fpr) == len(tpr) == len(thresholds) <= 100
    assert all(math.isfinite(value) for value in (*fpr, *tpr, *thresholds))
    assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)
    assert thresholds == sorted(thresholds, reverse=True)
    truth = np.broadcast_to(np.eye(11)[labels], probabilities.shape)
    assert area(fpr, tpr) == pytest.approx(
        roc_auc_score(truth.ravel(), probabilities.ravel()), abs=0.002
    )


def test_equal_scores_are_one_point():
    fpr, tpr, _ = kfp_metrics.roc(np.full((1, 4, 2), 0.5), np.array([0, 1, 0, 1]))
    assert (fpr, tpr) == ([0, 1], [0, 1])


def test_perfect_predictions():
    labels = np.array([0, 1, 2])
    fpr, tpr, thresholds = kfp_metrics.roc(np.eye(3)[None], labels)
    assert (fpr, tpr, thresholds) == ([0, 0, 1], [0, 1, 1], [1, 1, 0])
    assert kfp_metrics.confusion(np.eye(3)[None], labels) == np.eye(3, dtype=int).tolist()


def test_confusion_counts_every_seed():
    probabilities, labels = some_predictions()
    matrix = np.array(kfp_metrics.confusion(probabilities, labels))
    assert matrix.sum() == 3 * len(labels)
    assert (matrix.sum(axis=1) == 3 * np.bincount(labels)).all()
    assert all(type(count) is int for row in matrix.tolist() for count in row)


def test_no_matrix_of_very_many_classes():
    probabilities, labels = some_predictions(classes=101)
    assert kfp_metrics.confusion(probabilities, labels) == []


def test_a_study_of_eleven_classes_stays_far_below_the_limit_of_a_command_line():
    probabilities, labels = some_predictions()
    fpr, tpr, thresholds = kfp_metrics.roc(probabilities, labels)
    points = [
        {"confidenceThreshold": c, "recall": b, "falsePositiveRate": a}
        for a, b, c in zip(fpr, tpr, thresholds, strict=True)
    ]
    matrix = kfp_metrics.confusion(probabilities, labels)
    assert len(json.dumps([points, matrix], allow_nan=False)) < 16 * 1024
