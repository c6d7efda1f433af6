"""Every network takes images of any size, grey or in colour, and learns from them."""

import numpy as np
import on_jax
import pytest
import sizes_toy

from augstudy.core.errors import InputError
from augstudy.metrics import gan_training
from augstudy.models import augment, classifiers, denoiser, discriminators, generators, losses
from augstudy.models.backend import keras
from augstudy.models.layers import RandomAffine
from augstudy.settings.spec import ImageSpec

SIZES = (
    ImageSpec(8, 8, 1),
    ImageSpec(9, 13, 3),
    ImageSpec(16, 16, 3, 255),
    ImageSpec(32, 32, 3),
    ImageSpec(45, 50, 1, 0),
    ImageSpec(64, 48, 3),
    ImageSpec(96, 128, 3),
    ImageSpec(128, 128, 1),
)
CLASSIFIERS = ("baseline", "photo")
GANS = ("compact", "diffusion")


def value(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor), np.float64)


def named(spec):
    return f"{spec.height}x{spec.width}x{spec.channels}"


@pytest.mark.parametrize("spec", SIZES, ids=named)
@pytest.mark.parametrize("name", ["modern", "modern_small", "photo"])
def test_a_classifier_takes_any_size_and_pools_as_long_as_pixels_are_left(name, spec):
    model = classifiers.build(name, 5, spec)
    probabilities = value(model(np.zeros((2, *spec.shape), np.uint8)))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    last = [layer for layer in model.layers if isinstance(layer, keras.layers.ReLU)][-1]
    assert 3 <= min(last.output.shape[1:3]) <= 8


@pytest.mark.parametrize("spec", SIZES, ids=named)
@pytest.mark.parametrize("name", ["compact", "resnet"])
def test_a_gan_draws_and_judges_any_size(name, spec):
    keras.utils.set_random_seed(0)
    generator = generators.build(name, 3, spec, 8)
    images = generator([np.zeros((4, 8), "float32"), np.arange(4) % 3])
    assert images.shape == (4, *spec.shape)
    ground = 0.5 if spec.background is None else 0.12 if spec.background == 0 else 0.88
    assert value(images).mean() == pytest.approx(ground, abs=0.12)
    discriminator = discriminators.build(name, 3, spec, spectral=True)
    source, logits = discriminator(255.0 * images)
    assert (source.shape, logits.shape) == ((4, 1), (4, 3))


@pytest.mark.parametrize("spec", SIZES, ids=named)
def test_a_denoiser_answers_in_the_size_that_it_was_given(spec):
    network = denoiser.build(3, spec.shape, 8, "float32")
    count = 2
    given = [np.ones((count, *spec.shape), "float32"), np.ones(count), np.arange(count)]
    assert network([*given, np.zeros((count, denoiser.CHANGES))]).shape == (count, *spec.shape)


def test_networks_grow_slowly_with_the_image():
    """Four times the pixels cost a little more than four times the weights of no layer."""
    small, large = ImageSpec(32, 32, 3), ImageSpec(128, 128, 3)
    for build in (
        lambda spec: classifiers.build("modern", 5, spec),
        lambda spec: generators.build("compact", 5, spec, 64),
        lambda spec: discriminators.build("compact", 5, spec, spectral=True),
    ):
        assert build(large).count_params() < 2 * build(small).count_params()


def test_networks_of_the_report_refuse_images_smaller_than_its_own():
    small = ImageSpec(28, 27, 3)
    said = "take images of 28 x 28 pixels or more, not of 27 x 28"
    for build in (
        lambda: classifiers.build("baseline", 3, small),
        lambda: generators.build("report", 3, small, 8),
        lambda: discriminators.build("report", 3, small, spectral=True),
    ):
        with pytest.raises(InputError, match=said):
            build()
    wide = ImageSpec(30, 41, 3)
    images = generators.build("report", 3, wide, 8)([np.zeros((1, 8), "float32"), np.zeros(1)])
    assert images.shape == (1, *wide.shape)
    assert discriminators.build("report", 3, wide, spectral=False)(images)[1].shape == (1, 3)
    assert classifiers.build("report_best", 3, wide)(images).shape == (1, 3)


RAMP = np.broadcast_to(np.arange(100, 110)[None, None, :, None], (1, 10, 10, 3)).astype("float32")


@pytest.mark.parametrize(("background", "beyond"), [(0, 0.0), (255, 255.0), (None, 109.0)], ids=str)
def test_what_moves_in_is_the_background_or_the_edge(background, beyond):
    moves = np.array([[0.0, 1.0, 3.0, 1.0]], "float32")  # three columns to the left
    moved = value(augment.moved(RAMP, moves, background))[0, 4, :, 1]
    np.testing.assert_allclose(moved, [*range(103, 110), *[beyond] * 3], atol=1e-3)


@pytest.mark.parametrize("background", [0, 255, None], ids=str)
def test_training_images_are_moved_in_the_same_way(background):
    layer = RandomAffine({"shift": 0.5}, seed=3, background=background)
    images = np.full((64, 10, 10, 3), 100, np.uint8)
    seen = set(np.unique(value(layer(images, training=True)).round()))
    if background is None:
        assert seen == {100.0}
    else:
        assert {100.0, float(background)} <= seen


def test_a_photo_has_a_grey_square_cut_out():
    left = value(augment.cutout(RAMP, 0.4, keras.random.SeedGenerator(0), 127.5))
    assert set(np.unique(left)) <= {*np.arange(100.0, 110.0), 127.5}
    assert 2 <= (left == 127.5).all(axis=-1).sum() <= 16


def test_variety_is_measured_on_all_channels_and_odd_sizes():
    real = np.random.default_rng(0).uniform(0, 255, (4, 30, 45, 3)).astype("float32")
    same = np.concatenate([real[:2], real[:2]])
    grey = np.repeat(real.mean(axis=-1, keepdims=True), 3, axis=-1)
    assert value(losses.variety_loss(real, real)) == pytest.approx(0, abs=1e-3)
    assert value(losses.variety_loss(real, same)) == pytest.approx(1, abs=1e-3)
    assert 0 < value(losses.variety_loss(real, grey)) < 1


def test_signals_see_colour_and_any_size():
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (40, 17, 33, 3)).astype(np.uint8)
    labels = np.repeat([0, 1], 20)
    reference = gan_training.Reference(images, labels, images, labels)
    same = reference.signals(images.reshape(2, 20, 17, 33, 3))
    assert same["spread"] == same["diversity"] == pytest.approx(1)
    grey = np.broadcast_to(images.mean(axis=-1, keepdims=True), images.shape).astype(np.uint8)
    assert reference.signals(grey.reshape(2, 20, 17, 33, 3))["diversity"] < 0.8
    assert gan_training.coarse(images).shape == (40, 8 * 16 * 3)
    large = np.zeros((1, 128, 128, 3), np.uint8)
    assert gan_training.coarse(large).shape == (1, 14 * 14 * 3)


def check(findings):
    for name in CLASSIFIERS:
        assert min(findings[name].values()) >= 0.9, name
    for name in GANS:
        assert findings[name]
        for size, item in findings[name].items():
            assert str(tuple(item["shape"])) == f"(3, {size[1:]}"
        assert all(item["finite"] for item in findings[name].values())


def test_drawings_and_photos_are_learnt():
    check(sizes_toy.findings([*CLASSIFIERS, *GANS]))


@pytest.mark.timeout(900)  # XLA compiles every network; on a busy machine that takes minutes
def test_jax_learns_them_as_well():
    findings = on_jax.found(sizes_toy, *CLASSIFIERS, *GANS, **on_jax.UNOPTIMISED)
    assert findings["backend"] == "jax"
    check(findings)
