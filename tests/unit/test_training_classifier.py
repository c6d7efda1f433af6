import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import center_of_mass

from augstudy.models.backend import keras
from augstudy.settings.augmentation import Augmentation
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.spec import DRAWING
from augstudy.training import classifier
from augstudy.training.classifier import (
    Trainer,
    optimizer,
    seen_each_epoch,
    steps_together,
    train,
)
from augstudy.training.predicting import predict, predict_as, views

CLASSES = 3


def bars(count, seed):
    """Class 0 has a vertical bar, class 1 a horizontal one, class 2 both, at random places."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int32) % CLASSES
    images = np.zeros((count, 28, 28), np.uint8)
    for image, label, (x, y) in zip(images, labels, rng.integers(4, 22, (count, 2)), strict=True):
        if label != 1:
            image[4:24, x : x + 2] = 255
        if label != 0:
            image[y : y + 2, 4:24] = 255
    return images, labels


def fit(seed=0, labels=None, **settings):
    recipe = {"architecture": "baseline", "epochs": 8, "batch_size": 16, "precision": "float32"}
    images, right = bars(120, seed=1)
    return train(
        ClassifierSettings.model_validate({**recipe, **settings}),
        (images, right if labels is None else labels),
        bars(30, seed=2),
        DRAWING,
        classes=CLASSES,
        seed=seed,
    )


@pytest.fixture(scope="module")
def trained():
    return fit()


def test_it_learns(trained):
    images, labels = bars(60, seed=3)
    assert (predict(trained.model, images).argmax(1) == labels).mean() > 0.95


def test_a_trainer_gives_every_seed_what_it_would_get_alone():
    settings = ClassifierSettings.model_validate(
        {
            "architecture": "modern_small",
            "epochs": 2,
            "batch_size": 16,
            "optimizer": {"name": "adamw", "weight_decay": 0.01},
            "augmentation": {"shift": 0.1},
            "early_stopping": {"patience": 5},
            "reduce_on_plateau": {"patience": 1},
        }
    )
    training, validation = bars(64, seed=1), bars(30, seed=2)
    trainer = Trainer(settings, DRAWING, classes=CLASSES, images=64)
    for seed in (3, 4, 3):
        alone = train(settings, training, validation, DRAWING, classes=CLASSES, seed=seed)
        again = trainer.train(training, validation, seed=seed)
        pd.testing.assert_frame_equal(again.history, alone.history, check_exact=True)
        for left, right in zip(again.model.weights, alone.model.weights, strict=True):
            np.testing.assert_array_equal(left.numpy(), right.numpy())
            assert left.path == right.path


@pytest.mark.parametrize(("images", "together"), [(64, 4), (90, 6), (5, 1)])
def test_steps_that_run_together_change_no_bit(monkeypatch, images, together):
    settings = ClassifierSettings.model_validate(
        {
            "architecture": "modern_small",
            "epochs": 3,
            "batch_size": 16,
            "optimizer": {"name": "adamw", "schedule": "cosine", "warmup_epochs": 1},
            "augmentation": {"shift": 0.1},
        }
    )
    training, validation = bars(images, seed=1), bars(30, seed=2)
    weights = np.linspace(0.5, 1, images, dtype=np.float32)

    def now():
        trainer = Trainer(settings, DRAWING, classes=CLASSES, images=images)
        return trainer.train(training, validation, seed=1, weights=weights)

    assert steps_together(-(-images // 16)) == together
    several = now()
    monkeypatch.setattr(classifier, "steps_together", lambda _: 1)
    single = now()
    pd.testing.assert_frame_equal(several.history, single.history, check_exact=True)
    for left, right in zip(several.model.weights, single.model.weights, strict=True):
        np.testing.assert_array_equal(left.numpy(), right.numpy())


@pytest.mark.parametrize(("steps", "together"), [(1, 1), (44, 11), (43, 1), (600, 12)])
def test_every_epoch_ends_with_a_return_to_python(steps, together):
    assert steps_together(steps) == together


def test_shuffled_labels_teach_nothing():
    shuffled = np.random.default_rng(0).permutation(bars(120, seed=1)[1])
    images, labels = bars(300, seed=3)
    wrong = fit(labels=shuffled)
    assert (predict(wrong.model, images).argmax(1) == labels).mean() < 0.6


def test_the_weights_of_the_best_epoch_are_restored(trained):
    images, labels = bars(30, seed=2)
    probabilities = predict(trained.model, images)
    loss = -np.log(probabilities[np.arange(30), labels]).mean()
    assert loss == pytest.approx(trained.history["val_loss"].min(), rel=1e-3)
    assert trained.best_epoch == trained.history["val_loss"].idxmin() + 1


def test_equal_seeds_give_equal_weights_and_others_do_not(trained):
    for seed, equal in ((0, True), (1, False)):
        pairs = zip(trained.model.get_weights(), fit(seed=seed).model.get_weights(), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs) is equal


def test_augmentation_is_part_of_training_alone():
    augmented = fit(epochs=1, augmentation={"horizontal_flip": True, "rotation": 20})
    assert augmented.model.input_shape == (None, 28, 28, 1)
    assert not any("affine" in layer.name for layer in augmented.model.layers)


def test_the_plateau_lowers_the_rate_and_the_history_shows_it():
    settings = {
        "optimizer": {"learning_rate": 1e-7},
        "reduce_on_plateau": {"patience": 1, "factor": 0.5, "min_learning_rate": 0},
    }
    # Nothing improves at such a rate, so every epoch but the first halves it.
    rates = fit(epochs=4, **settings).history["learning_rate"]
    assert rates.iloc[-1] < rates.iloc[0] == pytest.approx(1e-7)


def test_early_stopping_ends_a_training_that_gets_nowhere():
    shuffled = np.random.default_rng(0).permutation(bars(120, seed=1)[1])
    result = fit(labels=shuffled, epochs=40, early_stopping={"patience": 2})
    assert len(result.history) < 40
    assert len(result.history) == result.best_epoch + 2


def test_the_last_weights_are_kept_if_asked_for(trained):
    """The same training: only what is kept of it differs."""
    settings = {"epochs": 8, "optimizer": {"learning_rate": 0.02}}  # so that the loss jumps about
    best, last = fit(**settings), fit(keep="last", **settings)
    pd.testing.assert_frame_equal(best.history, last.history)
    assert best.best_epoch < last.best_epoch == 8
    images, labels = bars(30, seed=2)
    losses = [
        -np.log(predict(item.model, images)[np.arange(30), labels] + 1e-7).mean()
        for item in (best, last)
    ]
    rows = best.history["val_loss"]
    assert losses == pytest.approx([rows.min(), rows.iloc[-1]], rel=1e-2)


@pytest.mark.parametrize(
    ("settings", "count"),
    [({}, 1490), ({"keep": "last"}, 500), ({"keep": "last", "reduce_on_plateau": {}}, 1490)],
)
def test_a_sample_of_the_validation_images_is_enough_where_it_chooses_nothing(settings, count):
    chosen = ClassifierSettings(architecture="baseline", **settings)
    rows = seen_each_epoch(chosen, 1490)
    assert len(set(rows)) == count and rows.min() == 0 and rows.max() < 1490
    of_class = np.bincount(rows * 10 // 1490)  # images lie class by class
    assert of_class.max() - of_class.min() <= 1


def test_the_history_has_every_column_every_epoch(trained):
    assert list(trained.history["epoch"]) == list(range(1, 9))
    assert not trained.history.isna().any(axis=None)
    assert trained.steps == 8 * 8
    assert isinstance(trained.history, pd.DataFrame)


def test_a_warm_up_rises_to_the_rate_and_the_cosine_falls_to_zero():
    settings = ClassifierSettings.model_validate(
        {"optimizer": {"schedule": "cosine", "warmup_epochs": 2, "learning_rate": 0.1}}
    ).optimizer
    schedule = optimizer(settings, epochs=10, steps_per_epoch=5)._learning_rate
    rates = [float(schedule(step)) for step in range(51)]
    assert rates[0] == 0
    assert max(rates) == pytest.approx(0.1)
    assert np.argmax(rates) == 10
    assert rates[50] == pytest.approx(0, abs=1e-9)


def test_mirrored_predictions_are_the_mean_over_both_sides(trained):
    images, _ = bars(20, seed=5)
    settings = ClassifierSettings(mirror=True)
    mean = predict_as(settings, trained.model, images, DRAWING)
    np.testing.assert_allclose(
        mean, predict_as(settings, trained.model, images[:, :, ::-1], DRAWING)
    )
    sides = [predict(trained.model, side) for side in (images, images[:, :, ::-1])]
    np.testing.assert_allclose(mean, np.mean(sides, axis=0), rtol=1e-6)
    assert not np.allclose(sides[0], sides[1])


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam", "adamw"])
def test_every_optimizer_can_be_had(name):
    settings = ClassifierSettings.model_validate({"optimizer": {"name": name}}).optimizer
    built = optimizer(settings, 1, 1)
    assert type(built).__name__.lower() == name
    assert isinstance(built, keras.optimizers.Optimizer)


AUGMENTATION = Augmentation(rotation=20, shift=0.1, stretch=0.2, horizontal_flip=True)


def test_views_are_the_image_and_opposite_pairs_of_slight_changes():
    images, _ = bars(6, seed=5)
    seen = list(views(images, AUGMENTATION, 5, DRAWING))
    assert len(seen) == 5 and seen[0] is images
    centres = [np.array([center_of_mass(image) for image in view]) for view in seen]
    moved = [centre - centres[0] for centre in centres[1:]]
    assert all(0.1 < np.abs(move).max() < 0.05 * 28 + 1.5 for move in moved)
    for there, back in (moved[:2], moved[2:]):
        np.testing.assert_allclose(there, -back, atol=0.4)


def test_predictions_are_the_mean_over_views_whatever_stands_beside(trained):
    images, _ = bars(20, seed=5)
    settings = ClassifierSettings(augmentation=AUGMENTATION, views=4)
    mean = predict_as(settings, trained.model, images, DRAWING)
    each = [predict(trained.model, view) for view in views(images, AUGMENTATION, 4, DRAWING)]
    np.testing.assert_allclose(mean, np.mean(each, axis=0), rtol=1e-5)
    np.testing.assert_allclose(
        predict_as(settings, trained.model, images[7:8], DRAWING), mean[7:8], rtol=1e-4
    )


def test_without_augmentation_there_is_one_view():
    images, _ = bars(6, seed=5)
    assert len(list(views(images, Augmentation(horizontal_flip=True), 4, DRAWING))) == 1
