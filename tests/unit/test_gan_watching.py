"""Trainings made to fail on purpose are recognised while they run; the best generator is kept."""

from functools import partial

import gan_toy
import numpy as np
import pytest

from augstudy.core.errors import InputError
from augstudy.models import generators
from augstudy.models.backend import keras
from augstudy.pages.stability import reason
from augstudy.settings.spec import DRAWING
from augstudy.steps import train_gan
from augstudy.training import gan, watching
from augstudy.training.drawing import generate

IMAGES, LABELS = gan_toy.bars(96)
REAL, HELD_OUT = (IMAGES[::2], LABELS[::2]), (IMAGES[1::2], LABELS[1::2])


def train(real=REAL, held_out=HELD_OUT, scorer=None, classes=2, **changes):
    settings = gan_toy.SETTINGS.model_copy(update=changes)
    beside = {"held_out": held_out, "scorer": scorer, "warn": train_gan.warn}
    return gan.train(settings, *real, DRAWING, classes=classes, seed=0, **beside)


def signals_of(trained):
    return [alarm.signal for alarm in trained.stability.alarms]


def test_a_healthy_training_raises_no_alarm(caplog):
    trained = train()
    assert trained.stability.verdict == "stable"
    assert trained.stability.alarms == []
    # TensorFlow warns of how many models its process has compiled, whosever they were.
    assert [record for record in caplog.records if record.name == "augstudy"] == []


@pytest.fixture
def freeze(monkeypatch):
    """Keep networks of a GAN, by name, from learning."""
    build = gan.build

    def frozen(names, *given):
        model = build(*given)
        for name in names:
            getattr(model, name).trainable = False
        model.compile(optimizer=model.optimizer, jit_compile=False)
        return model

    return lambda *names: monkeypatch.setattr(gan, "build", partial(frozen, names))


def test_a_frozen_generator_is_given_up_early(freeze, caplog):
    freeze("generator")
    trained = train(steps=200)
    assert trained.stability.verdict == "failed"
    assert signals_of(trained)[0] == "source_loss"
    assert trained.history[-1]["step"] < 200
    assert "recognises every generated image" in reason(trained.stability.as_dict())
    assert "recognises every generated image" in caplog.text


@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
def test_a_generator_that_stands_still_is_recognised_even_if_nothing_beats_it(freeze):
    freeze("generator", "discriminator")
    trained = train(steps=200)
    assert trained.stability.verdict == "failed"
    assert "The generator stands still" in reason(trained.stability.as_dict())


def test_a_rate_three_hundred_times_too_high_is_recognised():
    trained = train(steps=150, learning_rate=300 * gan_toy.SETTINGS.learning_rate)
    assert trained.stability.verdict == "collapsed"
    assert "diversity" in signals_of(trained)


@pytest.mark.parametrize(
    ("also", "verdict", "signal"), [(False, "collapsed", "diversity"), (True, "failed", "spread")]
)
def test_a_generator_deaf_to_noise_draws_one_image_a_class(monkeypatch, also, verdict, signal):
    """Deaf to the class as well, it draws one image in all."""
    toy = generators.GENERATORS["toy"]

    def deaf(noise, labels, classes, spec):
        labels = keras.ops.zeros_like(labels) if also else labels
        return toy(keras.ops.zeros_like(noise), labels, classes, spec)

    monkeypatch.setitem(generators.GENERATORS, "deaf", deaf)
    trained = train(steps=150, architecture="deaf", discriminator="toy", variety=0.0)
    assert trained.stability.verdict == verdict
    assert signals_of(trained)[0] == signal


def test_labels_that_mean_nothing_are_recognised():
    one_class = IMAGES[LABELS == 0]
    any_label = np.arange(len(one_class), dtype=np.int32) % 2
    trained = train(
        (one_class[::2], any_label[: len(one_class[::2])]),
        (one_class[1::2], any_label[: len(one_class[1::2])]),
    )
    assert trained.stability.verdict == "classless"


def test_a_class_without_drawings_is_a_sentence():
    with pytest.raises(InputError, match="Class number 2 has no image"):
        train(classes=3)


def test_a_discriminator_that_knows_five_drawings_by_heart_is_recognised():
    few = np.r_[0, 1, 2, 45, 46]
    random = np.random.default_rng(0)
    noisy = [random.integers(0, 256, (48, 28, 28)).astype(np.uint8) for _ in range(2)]
    labels = LABELS[::2]
    trained = train((noisy[0][few], labels[few]), (noisy[1], labels), shift=0.0)
    assert "overfitting" in signals_of(trained)
    last = trained.history[-1]
    assert last["real_accuracy"] - last["held_out_accuracy"] > 0.3


def test_the_generator_that_scored_best_is_kept():
    seen = []

    def scorer(images, labels):
        assert images.shape == (1000, 28, 28) and labels.tolist() == sorted(labels.tolist())
        seen.append(images)
        return [3.0, 1.0, 2.0][len(seen) - 1]

    trained = train(scorer=scorer)
    assert [row["score"] for row in trained.history] == [3.0, 1.0, 2.0]
    assert trained.best_step == 50
    again = generate(trained.generator, np.repeat([0, 1], 500), seed=0)
    np.testing.assert_array_equal(again, seen[1])


def test_a_number_of_steps_that_makes_training_slow_is_named(caplog):
    train(steps=29, classes=2)
    assert "29 steps can only be taken 1 at a time, which is slow: choose a multiple" in caplog.text


def test_moments_are_ends_of_rows_and_the_last_is_the_end():
    assert watching.moments(75, 8) == {25, 50, 75}
    assert watching.moments(1000, 4) == {250, 500, 750, 1000}
    assert [watching.row_steps(steps) for steps in (1500, 60, 7, 29)] == [25, 20, 7, 1]
