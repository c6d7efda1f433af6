"""The diffusion model against closed forms; that it learns is in test_gan_model.py."""

import math

import gan_toy
import numpy as np
import pytest

from augstudy.core.errors import InputError
from augstudy.models import denoiser
from augstudy.models.backend import keras
from augstudy.models.denoiser import CodedNorm
from augstudy.models.diffusion import DiffusionSampler, sample
from augstudy.models.gan_recipes import gan_recipe
from augstudy.settings.generators import DiffusionSettings, GanSettings
from augstudy.settings.spec import DRAWING
from augstudy.training import diffusion
from augstudy.training.drawing import generate
from augstudy.training.saving import load_model, save_model

SMALL = gan_toy.DIFFUSION
NOISE = np.random.default_rng(0).standard_normal(4000)
MEAN, SPREAD = 0.5, 0.3


def value(tensor) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor), dtype=np.float64)


def gaussian(x, angle):
    """The best guess for what was drawn from N(MEAN, SPREAD^2) and is hidden behind `x`."""
    near, far = math.cos(angle), math.sin(angle)
    gain = near * SPREAD**2 / (near**2 * SPREAD**2 + far**2)
    return MEAN + gain * (x - near * MEAN)


def error(steps: int) -> float:
    # The exact solution of the flow for this denoiser moves and scales the noise.
    return float(np.abs(sample(gaussian, NOISE, steps) - (MEAN + SPREAD * NOISE)).max())


def test_sampling_recovers_mean_and_variance():
    drawn = sample(gaussian, NOISE, 16)
    assert drawn.mean() == pytest.approx(MEAN + SPREAD * NOISE.mean(), abs=0.002)
    assert drawn.std() == pytest.approx(SPREAD * NOISE.std(), rel=0.02)


def test_sampling_errors_fall_with_the_square_of_the_steps():
    assert error(32) < error(8) / 8
    assert error(64) < error(16) / 8
    assert error(1) > 0.5  # one step can only guess the mean
    np.testing.assert_allclose(sample(gaussian, NOISE, 1), MEAN)


def test_sampling_ends_on_the_values_of_a_two_valued_distribution():
    def black_or_white(x, angle):
        return np.tanh(math.cos(angle) * x / math.sin(angle) ** 2)

    drawn = sample(black_or_white, NOISE, 12)
    clear = np.abs(NOISE) > 0.1
    np.testing.assert_allclose(drawn[clear], np.sign(NOISE[clear]), atol=0.05)


class Knowing:
    """A denoiser that knows for every label the one level of grey that its images have."""

    def __init__(self, by_label):
        self.by_label = np.array(by_label, dtype="float32")

    def __call__(self, inputs, training=False):
        noisy, angles, labels, _ = inputs
        near, far = (
            keras.ops.reshape(turn(angles), (-1, 1, 1, 1))
            for turn in (keras.ops.cos, keras.ops.sin)
        )
        image = keras.ops.reshape(keras.ops.take(self.by_label, labels), (-1, 1, 1, 1))
        return (near * noisy - image) / far


def sampler(**changes):
    settings = {"classes": 2, "width": 8, "mean": 0.5, "spread": 0.25, "steps": 4}
    return DiffusionSampler(**{**settings, "guidance": 0.0, "precision": "float32", **changes})


@pytest.mark.parametrize(
    ("guidance", "expected"),
    # Grey levels -1, 0.2 and, without a class, 0.1 are pixels 0.25, 0.55 and 0.525.
    [(0.0, (0.25, 0.55)), (0.5, (0.1125, 0.5625)), (2.0, (0.0, 0.6))],
)
def test_guidance_goes_beyond_what_the_class_changes_and_stays_in_range(guidance, expected):
    layer = sampler(guidance=guidance)
    object.__setattr__(layer, "denoiser", Knowing([-1.0, 0.2, 0.1]))
    noise = np.random.default_rng(0).standard_normal((2, 784)).astype("float32")
    drawn = value(layer([noise, np.array([0, 1])]))
    assert drawn.shape == (2, 28, 28, 1)
    for image, pixel in zip(drawn, expected, strict=True):
        np.testing.assert_allclose(image, pixel, atol=1e-5)


def test_who_knows_the_image_has_no_loss_and_who_lacks_the_label_has():
    model = diffusion.build(
        SMALL.model_copy(update={"shift": 0.0}), gan_toy.bars()[0], DRAWING, 2, seed=0
    )
    greys = np.array([10, 200], dtype=np.uint8)
    labels = np.arange(32, dtype=np.int32) % 2
    images = np.broadcast_to(greys[labels][:, None, None, None], (32, 28, 28, 1))
    known = (greys / 255 - model.sampler.mean) / model.sampler.spread
    object.__setattr__(model, "denoiser", Knowing([*known, 0.0]))
    angles, losses = map(value, model({"images": images, "labels": labels}))
    right = losses < 1e-6
    assert 0.7 < right.mean() < 1.0  # one in ten is not told the label
    shares = np.sort(angles) / (math.pi / 2) * 32
    np.testing.assert_allclose(np.diff(shares), 1.0, atol=1e-3)  # evenly over the range
    assert 0 <= shares[0] < 1


def test_the_network_is_told_how_an_image_was_changed():
    settings = SMALL.model_copy(update={"flip": True, "shift": 3.0, "zoom": 0.2})
    model = diffusion.build(settings, gan_toy.bars()[0], DRAWING, 2, seed=0)
    images = np.zeros((64, 28, 28, 1), dtype=np.uint8)
    images[:, 12:16, 8:10] = 255
    seen, changes = map(value, model._changed(images))
    ink = seen * model.sampler.spread + model.sampler.mean
    where = (ink[..., 0] * np.arange(28)).sum((1, 2)) / ink.sum((1, 2, 3))
    mirrored = changes[:, 0]
    assert 16 < mirrored.sum() < 48
    np.testing.assert_array_equal(where > 13.5, mirrored == 1)
    # Columns: offset (of at most 3 pixels, given in shares of it), then scale.
    offset, scale = 3.0 * changes[:, 3], 1 + 0.2 * changes[:, 4]
    start = np.where(mirrored == 1, 27 - 8.5, 8.5)
    np.testing.assert_allclose(where, 13.5 + (start - 13.5 - offset) / scale, atol=0.2)
    still = diffusion.build(SMALL.model_copy(update={"shift": 0.0}), images, DRAWING, 2, seed=0)
    assert (value(still._changed(images)[1]) == 0).all()


def test_groups_of_channels_are_normalised_image_by_image():
    images = np.random.default_rng(0).normal(3, 2, (4, 5, 5, 16)).astype("float32")
    layer, code = CodedNorm(groups=8), np.ones((4, 3), "float32")
    drawn = value(layer([images, code]))
    grouped = images.reshape(4, 25, 8, 2).astype(np.float64)
    mean, spread = grouped.mean((1, 3), keepdims=True), grouped.std((1, 3), keepdims=True)
    expected = ((grouped - mean) / spread).reshape(images.shape)
    np.testing.assert_allclose(drawn, expected, atol=1e-3)
    shaping = np.zeros((3, 32), "float32")
    shaping[0, 5], shaping[1, 16 + 7] = 1.0, -4.0  # doubles channel 5 and lowers channel 7
    layer.kernel.assign(shaping)
    expected[..., 5] *= 2
    expected[..., 7] -= 4
    np.testing.assert_allclose(value(layer([images, code])), expected, atol=2e-3)


def test_pixels_come_back_where_they_were():
    images = np.random.default_rng(0).normal(size=(2, 28, 28, 3)).astype("float32")
    packed = denoiser._to_channels(images, 2)
    assert packed.shape == (2, 14, 14, 12)
    np.testing.assert_array_equal(value(packed)[0, 3, 4, :3], images[0, 6, 8])
    np.testing.assert_array_equal(value(denoiser._to_pixels(packed, 2)), images.astype(np.float64))


def test_a_saved_generator_needs_nothing_but_its_file(tmp_path):
    model = diffusion.build(SMALL, gan_toy.bars()[0], DRAWING, 2, seed=0)
    random = np.random.default_rng(1)
    for weight in model.average.weights:
        weight.assign(random.normal(0, 0.2, weight.shape))
    save_model(model.average, tmp_path / "generator.keras")
    labels = np.arange(6) % 2
    drawn = generate(model.average, labels, seed=2)
    assert (drawn != generate(model.average, labels, seed=3)).any()
    again = generate(load_model(tmp_path / "generator.keras"), labels, seed=2)
    np.testing.assert_array_equal(drawn, again)
    assert len(np.unique(drawn)) > 2


def test_the_recipe_is_chosen_by_its_architecture():
    settings = gan_recipe("diffusion", {"guidance": 2.0})
    assert isinstance(settings, DiffusionSettings) and settings.guidance == 2.0
    assert isinstance(gan_recipe("compact"), GanSettings)
    with pytest.raises(InputError, match=r"no setting 'latent_dim'; it has: .*guidance"):
        gan_recipe("diffusion", {"latent_dim": 8})
    with pytest.raises(InputError, match="no setting 'guidance'"):
        gan_recipe("compact", {"guidance": 1.0})


def test_the_average_that_draws_follows_what_learns():
    model = diffusion.build(SMALL, gan_toy.bars()[0], DRAWING, 2, seed=0)
    before = [value(item) for item in model.denoiser.weights]
    for item in model.denoiser.weights:
        item.assign(item + 1.0)
    images, _ = gan_toy.bars(32)
    model.compute_loss({"images": images[..., None]}, None, (np.ones(32), np.ones(32)))
    # The first step keeps a tenth, so that the start is soon forgotten.
    for mean, start in zip(model.average.weights, before, strict=True):
        np.testing.assert_allclose(value(mean), start + 0.9, atol=1e-5)
