import json
import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from augstudy.metrics.figures import FIGURES
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


def test_of_many_scalars_the_least_telling_are_left_out(monkeypatch):
    many: dict[str, float] = {"level": 50}
    for arm in range(8):
        names = ("accuracy_mean", "precision_macro_mean", "recall_macro_mean", "f1_macro_mean")
        names += ("accuracy_low", "accuracy_high", "accuracy_std")
        many |= {f"arm{arm}.{name}": 0.5 for name in names}
        many[f"synthetic.figure{arm}"] = 1.0
        names = ("accuracy", "p_holm", "ci_low", "ci_high")
        many |= {f"arm{arm}_minus_real.{name}": 0.1 for name in names}
    monkeypatch.setattr(kfp_metrics, "flat", lambda found: many)
    kept = kfp_metrics.scalars(None)
    assert len(kept) <= 60
    assert {"level", "arm7.accuracy_mean", "arm7_minus_real.ci_low"} <= set(kept)
    assert "arm0.recall_macro_mean" not in kept
    assert "arm7_minus_real.p_holm" in kept
    assert kfp_metrics.scalars(None, most=200) == many


def test_a_cell_says_which_it_is():
    record = {"value": 0.5, "low": 0.4, "high": 0.6}
    metrics = {"seeds": [0, 1], "n": 40, "metrics": {"accuracy": record}}
    assert kfp_metrics.cell("add:1", 50, metrics) == {
        "arm": "add:1",
        "level": 50,
        "seeds": 2,
        "test_images": 40,
        "accuracy": 0.5,
        "accuracy_low": 0.4,
        "accuracy_high": 0.6,
    }


def test_figures_of_synthetic_images_have_their_error_and_direction():
    record = {"value": 4.5, "low": 4.0, "high": 5.0, "real": 0.3, "n": 60, "direction": "lower"}
    found = kfp_metrics.synthetic({"n": 60, "metrics": {"fid_qd": record}, "per_class": {}})
    assert found == {
        "fid_qd": 4.5,
        "fid_qd_low": 4.0,
        "fid_qd_high": 5.0,
        "fid_qd_real": 0.3,
        "fid_qd_better": "lower",
    }
    everything = {"metrics": dict.fromkeys(FIGURES, record)}
    assert len(kfp_metrics.synthetic(everything)) <= kfp_metrics.MOST_SCALARS
    assert kfp_metrics.synthetic({"metrics": {}}) == {}


def test_a_study_of_eleven_classes_stays_far_below_the_limit_of_a_command_line():
    probabilities, labels = some_predictions()
    fpr, tpr, thresholds = kfp_metrics.roc(probabilities, labels)
    points = [
        {"confidenceThreshold": c, "recall": b, "falsePositiveRate": a}
        for a, b, c in zip(fpr, tpr, thresholds, strict=True)
    ]
    matrix = kfp_metrics.confusion(probabilities, labels)
    assert len(json.dumps([points, matrix], allow_nan=False)) < 16 * 1024


def test_figures_of_synthetic_images_come_with_their_worst_class():
    def record(value, direction, real=0.9):
        return {"value": value, "low": 0.1, "high": 0.8, "real": real, "direction": direction}

    directions = {"coverage": "higher", "kid": "lower", "diversity": "as real"}
    per_class = {
        "cow": {name: record(0.5, way) for name, way in directions.items()},
        "zebra": {
            "coverage": record(0.25, "higher"),
            "kid": record(0.75, "lower"),
            "diversity": record(1.5, "as real", real=1.0),
        },
    }
    metrics = {name: record(0.6, way) for name, way in directions.items()}
    found = kfp_metrics.synthetic({"metrics": metrics, "per_class": per_class})
    assert (found["coverage"], found["coverage_low"], found["coverage_high"]) == (0.6, 0.1, 0.8)
    assert (found["coverage_real"], found["coverage_better"]) == (0.9, "higher")
    assert found["coverage_worst"] == "zebra (0.25)"
    assert found["kid_worst"] == "zebra (0.75)"
    assert found["diversity_worst"] == "zebra (1.5)"
