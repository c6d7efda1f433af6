import numpy as np
import pytest
from sklearn import metrics as reference

from augstudy.core.errors import DataError
from augstudy.metrics.classification import confusion_matrices, evaluate_predictions, exact_interval
from augstudy.metrics.scores import SCORES, Score

CLASSES = ("cow", "lion", "zebra")


def one_hot(predicted, classes=3):
    return np.eye(classes, dtype=np.float32)[np.asarray(predicted)]


def simulate(generator, images, seeds, accuracy, classes=3):
    labels = np.sort(np.arange(images) % classes)
    wrong = (labels + generator.integers(1, classes, (seeds, images))) % classes
    predicted = np.where(generator.random((seeds, images)) < accuracy, labels, wrong)
    return one_hot(predicted, classes), labels.astype(np.int32)


def numbers(value):
    if isinstance(value, dict):
        return [item for part in value.values() for item in numbers(part)]
    if isinstance(value, list):
        return [item for part in value for item in numbers(part)]
    return [value] if isinstance(value, int | float) else []


def test_agrees_with_scikit_learn_seed_by_seed():
    probabilities, labels = simulate(np.random.default_rng(1), 300, 4, 0.6)
    result = evaluate_predictions(probabilities, labels, CLASSES, range(4))
    for seed in range(4):
        predicted = probabilities[seed].argmax(-1)
        expected = reference.precision_recall_fscore_support(labels, predicted, labels=range(3))
        for name, values in zip(("precision", "recall", "f1"), expected[:3], strict=True):
            ours = [result["per_class"][label][name]["by_seed"][seed] for label in CLASSES]
            assert ours == pytest.approx(values, abs=1e-12)
            macro = result["metrics"][f"{name}_macro"]["by_seed"][seed]
            assert macro == pytest.approx(values.mean(), abs=1e-12)
        accuracy = reference.accuracy_score(labels, predicted)
        assert result["metrics"]["accuracy"]["by_seed"][seed] == pytest.approx(accuracy)


def test_closed_form_of_a_confusion():
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    probabilities = one_hot([[0, 0, 0, 1, 1, 1, 0, 0]], 2)
    result = evaluate_predictions(probabilities, labels, ("a", "b"), [7])
    assert result["confusion"]["mean"] == [[3, 1], [2, 2]]
    assert result["metrics"]["accuracy"]["value"] == pytest.approx(5 / 8)
    assert result["per_class"]["a"]["precision"]["value"] == pytest.approx(3 / 5)
    assert result["per_class"]["a"]["recall"]["value"] == pytest.approx(3 / 4)
    assert result["per_class"]["a"]["f1"]["value"] == pytest.approx(2 / 3)
    assert result["per_class"]["b"]["support"] == 4
    assert result["n"] == 8 and result["seeds"] == [7]


def test_confusion_is_a_mean_over_seeds():
    labels = np.array([0, 1])
    result = evaluate_predictions(one_hot([[0, 1], [0, 0]], 2), labels, ("a", "b"), [0, 1])
    assert result["confusion"]["mean"] == [[1, 0], [0.5, 0.5]]
    assert confusion_matrices(np.array([[0, 1]]), labels, 2).tolist() == [[[1, 0], [0, 1]]]


def test_perfect_classifier_does_not_claim_certainty():
    labels = np.repeat([0, 1, 2], 20)
    result = evaluate_predictions(one_hot([labels] * 3), labels, CLASSES, range(3))
    accuracy = result["metrics"]["accuracy"]
    assert accuracy["value"] == accuracy["high"] == 1.0
    assert accuracy["std"] == 0.0
    # Nothing wrong in 60 images: the exact bound is 0.025 ** (1 / 60).
    assert accuracy["low"] == pytest.approx(0.025 ** (1 / 60))
    recall = result["per_class"]["lion"]["recall"]
    assert recall["low"] == pytest.approx(0.025 ** (1 / 20))


def test_useless_classifier_and_class_never_predicted_stay_finite():
    labels = np.repeat([0, 1, 2], 20)
    result = evaluate_predictions(one_hot([np.zeros(60, int)] * 2), labels, CLASSES, [0, 1])
    assert result["metrics"]["accuracy"]["value"] == pytest.approx(1 / 3)
    never = result["per_class"]["zebra"]
    assert never["precision"]["value"] == never["recall"]["value"] == never["f1"]["value"] == 0.0
    assert (never["precision"]["low"], never["precision"]["high"]) == (0.0, 1.0)
    assert never["recall"]["high"] < 0.2
    assert all(np.isfinite(numbers(result)))


def test_interval_of_one_seed_is_about_binomial():
    probabilities, labels = simulate(np.random.default_rng(3), 900, 1, 0.8)
    accuracy = evaluate_predictions(probabilities, labels, CLASSES, [0])["metrics"]["accuracy"]
    share = accuracy["value"]
    expected = 1.96 * np.sqrt(share * (1 - share) / 900)
    assert (accuracy["high"] - accuracy["low"]) / 2 == pytest.approx(expected, rel=0.1)


def test_interval_holds_the_truth_nineteen_times_in_twenty():
    generator, held = np.random.default_rng(5), 0
    for _ in range(200):
        probabilities, labels = simulate(generator, 240, 1, 0.7)
        result = evaluate_predictions(probabilities, labels, CLASSES, [0], resamples=300)
        accuracy = result["metrics"]["accuracy"]
        held += accuracy["low"] <= 0.7 <= accuracy["high"]
    assert 180 <= held <= 199


def test_interval_widens_with_differences_between_seeds():
    labels = np.repeat([0, 1, 2], 100)
    generator = np.random.default_rng(2)
    outcomes = [generator.random(300) < share for share in (0.5, 0.7, 0.9)]
    uneven = one_hot([np.where(right, labels, (labels + 1) % 3) for right in outcomes])
    even = one_hot([np.where(outcomes[1], labels, (labels + 1) % 3)] * 3)

    def width(probabilities):
        metric = evaluate_predictions(probabilities, labels, CLASSES, range(3))["metrics"]
        return metric["accuracy"]["high"] - metric["accuracy"]["low"]

    assert width(uneven) > 2 * width(even)


def test_same_predictions_give_the_same_record():
    probabilities, labels = simulate(np.random.default_rng(9), 90, 2, 0.5)
    first = evaluate_predictions(probabilities, labels, CLASSES, [0, 1])
    assert first == evaluate_predictions(probabilities, labels, CLASSES, [0, 1])


def test_exact_interval_of_known_case():
    # Clopper and Pearson for 8 of 10, from their tables.
    assert exact_interval(0.8, 10) == pytest.approx((0.4439, 0.9748), abs=1e-4)


@pytest.mark.parametrize(
    ("probabilities", "labels", "message"),
    [
        (np.ones((1, 4, 2)), np.zeros(4, int), "shape"),
        (np.ones((1, 4, 3)), np.full(4, 3), "outside"),
        (np.full((1, 4, 3), np.nan), np.zeros(4, int), "not finite"),
    ],
)
def test_refuses_what_does_not_fit(probabilities, labels, message):
    with pytest.raises(DataError, match=message):
        evaluate_predictions(probabilities, labels, CLASSES, [0])


def test_a_score_that_is_no_share_has_no_binomial_interval(monkeypatch):
    """Of perfect predictions 95 % intervals of shares have a width, from how many images there
    were; a number of hits a class has no such interval, and says which way is better."""
    rules = {"share": False, "direction": "lower"}
    hits = Score("hits", lambda counts: counts.hits.mean(axis=-1), **rules)
    monkeypatch.setitem(SCORES, "hits", hits)
    labels = np.repeat(np.arange(3), 20)
    metrics = evaluate_predictions(one_hot([labels]), labels, CLASSES, [0])["metrics"]
    assert metrics["accuracy"]["low"] < 1 and metrics["accuracy"]["direction"] == "higher"
    assert (metrics["hits"]["low"], metrics["hits"]["high"]) == (20, 20)
    assert metrics["hits"]["direction"] == "lower"
