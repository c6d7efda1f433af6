import gan_toy
import numpy as np
import on_jax
import pytest
import tensorflow as tf

from augstudy.core.errors import InputError
from augstudy.models import discriminators, generators
from augstudy.models.acgan import TwoRateAdam
from augstudy.models.augment import cutout, jitter, mirror_half
from augstudy.models.backend import keras
from augstudy.models.conditional import ConditionalNorm
from augstudy.models.gan_recipes import gan_recipe
from augstudy.models.losses import (
    class_scores,
    cross_entropy,
    discriminator_class_loss,
    discriminator_source_loss,
    generator_class_loss,
    generator_source_loss,
    variety_loss,
)
from augstudy.models.spectral import SpectralConv2D, SpectralDense, SpectralDepthwiseConv2D
from augstudy.settings.spec import DRAWING
from augstudy.training import gan

REAL, FAKE = np.array([2.0, 0.5], "float32"), np.array([-3.0, 1.0], "float32")


def value(tensor) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor), dtype=np.float64)


def test_hinge_losses_by_hand():
    # real: max(0, 1 - 2) = 0 and 0.5; fake: max(0, 1 - 3) = 0 and 2
    assert value(discriminator_source_loss(REAL, FAKE, "hinge")) == pytest.approx(0.25 + 1.0)
    assert value(generator_source_loss(FAKE, "hinge")) == pytest.approx(1.0)


def test_cross_entropies_by_hand():
    real = (np.log1p(np.exp(-2.0)) + np.log1p(np.exp(-0.5))) / 2
    fake = (np.log1p(np.exp(-3.0)) + np.log1p(np.exp(1.0))) / 2
    assert value(discriminator_source_loss(REAL, FAKE, "bce")) == pytest.approx(real + fake)
    fooled = (np.log1p(np.exp(3.0)) + np.log1p(np.exp(-1.0))) / 2
    assert value(generator_source_loss(FAKE, "bce")) == pytest.approx(fooled)
    logits = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], "float32"))
    expected = -(np.log(0.7) + np.log(0.1)) / 2
    assert value(cross_entropy(np.array([0, 1]), logits)) == pytest.approx(expected, rel=1e-5)


def test_class_losses_by_hand():
    labels = np.array([0, 1])
    real, fake = (
        np.log(np.array(shares, "float32"))
        for shares in (
            [[0.4, 0.3, 0.2, 0.1], [0.1, 0.5, 0.2, 0.2]],  # two classes real, the same generated
            [[0.2, 0.1, 0.6, 0.1], [0.3, 0.1, 0.2, 0.4]],
        )
    )
    of_real = -(np.log(0.4) + np.log(0.5)) / 2
    of_fake = -(np.log(0.6) + np.log(0.4)) / 2
    found = value(discriminator_class_loss(labels, real, fake, "adc"))
    assert found == pytest.approx(of_real + of_fake, rel=1e-5)
    found = value(generator_class_loss(labels, fake, "adc"))
    assert found == pytest.approx((np.log(0.6 / 0.2) + np.log(0.4 / 0.1)) / 2, rel=1e-5)
    np.testing.assert_allclose(np.exp(value(class_scores(real, "adc")))[0], [0.6, 0.4], rtol=1e-5)
    assert value(discriminator_class_loss(labels, real, fake, "ac")) == pytest.approx(of_real)
    assert value(generator_class_loss(labels, fake, "ac")) == value(cross_entropy(labels, fake))


def test_variety_loss_compares_distances_within_pairs():
    real = np.zeros((4, 28, 28, 1), "float32")
    real[2:] = 100.0
    same, half = np.full_like(real, 50.0), real / 2
    assert value(variety_loss(real, same)) == pytest.approx(1.0)
    assert value(variety_loss(real, half)) == pytest.approx(0.5, abs=1e-4)
    assert value(variety_loss(real, real * 3)) == 0.0


def test_the_second_rate_applies_by_path():
    layers = [keras.layers.Dense(1, name=f"{name}_x") for name in ("generator", "discriminator")]
    for layer in layers:
        layer.build((None, 2))
    weights = [layer.kernel for layer in layers]
    before = [value(weight) for weight in weights]
    optimizer = TwoRateAdam(0.01, prefix="discriminator", ratio=4.0)
    optimizer.apply([keras.ops.ones((2, 1))] * 2, weights)
    moved = [np.abs(value(new) - old).max() for new, old in zip(weights, before, strict=True)]
    assert moved == pytest.approx([0.01, 0.04], rel=1e-3)
    assert TwoRateAdam.from_config(optimizer.get_config()).ratio == 4.0


def test_every_weight_of_a_network_is_found_by_its_prefix():
    for name in generators.GENERATORS:
        network = generators.build(name, 3, DRAWING, 8)
        assert all(item.path.startswith("generator") for item in network.weights)
        network = discriminators.build(name, 3, DRAWING, spectral=True)
        assert all(item.path.startswith("discriminator") for item in network.weights)


def test_the_average_follows_the_generator_by_the_formula():
    model = gan.build(gan_toy.SETTINGS, DRAWING, classes=2, seed=0)
    first = [value(item) for item in model.generator.weights]
    for item, mean in zip(first, model.average.weights, strict=True):
        np.testing.assert_array_equal(item, value(mean))
    expected = first[0]
    step_of_average = tf.function(model._update_average)
    for step in range(100):
        model.generator.weights[0].assign(first[0] + step)
        keep = min(0.9, (1 + step) / (10 + step))
        expected = keep * expected + (1 - keep) * (first[0] + step)
        step_of_average()
    np.testing.assert_allclose(value(model.average.weights[0]), expected, rtol=1e-4)


def test_spectral_layers_have_norm_one_and_keep_their_kernel():
    dense = SpectralDense(5)
    dense.build((None, 7))
    dense.kernel.assign(np.random.default_rng(0).normal(size=(7, 5)).astype("float32") * 3)
    kernel = value(dense.kernel)
    for _ in range(40):
        dense(np.zeros((1, 7), "float32"), training=True)
    outputs = value(dense(np.eye(7, dtype="float32")))
    assert np.linalg.norm(outputs, 2) == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_array_equal(kernel, value(dense.kernel))
    before = value(dense.direction)
    dense(np.ones((1, 7), "float32"), training=False)
    np.testing.assert_array_equal(before, value(dense.direction))
    depthwise = SpectralDepthwiseConv2D(3)
    one_channel = np.zeros((1, 5, 5, 2), "float32")
    one_channel[0, 2, 2, 1] = 1.0
    assert np.linalg.norm(value(depthwise(one_channel))) == pytest.approx(1.0, abs=1e-4)
    assert SpectralConv2D(4, 3, 2)(np.zeros((2, 28, 28, 1), "float32")).shape == (2, 14, 14, 4)


def test_conditional_norm_normalises_in_training_and_remembers():
    images = np.random.default_rng(0).normal(3, 2, (16, 5, 5, 4)).astype("float32")
    layer = ConditionalNorm()
    code = np.zeros((16, 6), "float32")
    drawn = value(layer([images, code], training=True))
    assert drawn.mean((0, 1, 2)) == pytest.approx(np.zeros(4), abs=1e-3)
    assert drawn.std((0, 1, 2)) == pytest.approx(np.ones(4), abs=1e-3)
    for _ in range(100):
        layer([images, code], training=True)
    np.testing.assert_allclose(value(layer([images, code], training=False)), drawn, atol=1e-2)


def test_jitter_moves_by_whole_and_half_pixels(monkeypatch):
    images = np.zeros((1, 28, 28, 1), "float32")
    images[0, 10, 12] = 8.0
    draws = iter([1.0, 1.0, -0.5, 1.0])  # offset and scale of the rows, then of the columns
    fixed = lambda shape, *_, **__: keras.ops.full(shape, next(draws))  # noqa: E731
    monkeypatch.setattr(keras.random, "uniform", fixed)
    moved = value(jitter(images, 2, 0.1, None, 0))[0, ..., 0]
    assert moved[9, 12] == moved[9, 13] == pytest.approx(4.0)
    assert moved.sum() == pytest.approx(8.0)


def test_cutout_blanks_one_square_at_most_of_the_size_asked_for():
    ones = np.ones((200, 28, 28, 1), "float32")
    left = value(cutout(ones, 0.5, keras.random.SeedGenerator(0)))[..., 0]
    assert set(np.unique(left)) == {0.0, 1.0}
    gone = (left == 0).sum(axis=(1, 2))
    assert gone.max() == 14 * 14
    assert gone.min() < 14 * 14  # some hang over the border
    rows, columns = (left == 0).any(axis=2).sum(axis=1), (left == 0).any(axis=1).sum(axis=1)
    np.testing.assert_array_equal(rows * columns, gone)
    assert (left == 0).any(axis=0).all()  # anywhere


def test_augmentations_pass_gradients_to_the_generator():
    images = tf.Variable(np.random.default_rng(0).uniform(size=(8, 28, 28, 1)).astype("float32"))
    random = keras.random.SeedGenerator(0)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(cutout(jitter(images, 3.0, 0.1, random, 0), 0.4, random))
    gradient = tape.gradient(total, images).numpy()
    assert (np.abs(gradient).sum(axis=(1, 2, 3)) > 100).all()
    assert (gradient == 0).any(axis=(1, 2, 3)).all()  # where a square was blanked


def test_both_kinds_of_images_are_augmented_alike():
    """The very same images as real and as generated ones: nothing can tell the two apart."""
    settings = gan_recipe("diffaugment").model_copy(update={"precision": "float32"})
    model = gan.build(settings, DRAWING, classes=2, seed=0)
    images = np.repeat(gan_toy.bars(48)[0][..., None].astype("float32"), 40, axis=0)
    changed = value(model._augment(keras.ops.convert_to_tensor(np.concatenate([images, images]))))
    real, fake = changed[: len(images)], changed[len(images) :]
    assert (real != images).any(axis=(1, 2, 3)).mean() > 0.99
    np.testing.assert_allclose(real.mean(axis=0), fake.mean(axis=0), atol=12)
    np.testing.assert_allclose(real.std(axis=0), fake.std(axis=0), atol=12)


def test_both_losses_see_augmented_images_alone():
    model = gan.build(gan_toy.SETTINGS, DRAWING, classes=2, seed=0)
    model._augment = lambda images: keras.ops.full_like(images, 7.0)
    seen = []

    def learning(real, fakes, labels):
        seen.extend([real, fakes])
        return keras.ops.zeros(())

    def drawing(fakes, labels):
        seen.append(fakes)
        return keras.ops.zeros(())

    model._discriminator_loss, model._generator_loss = learning, drawing
    images, labels = gan_toy.bars(8)
    batch = {"images": images[..., None], "labels": labels}
    model.compute_loss(batch, y_pred=model(batch))
    assert len(seen) == 3
    for shown in seen:
        np.testing.assert_array_equal(value(shown), np.full((8, 28, 28, 1), 7.0))


def test_mirror_half_mirrors_some_images_and_no_pixel_else():
    images = np.zeros((64, 4, 4, 1), "float32")
    images[:, 1, 0] = 1.0
    mirrored = value(mirror_half(images, keras.random.SeedGenerator(0)))
    assert 10 < mirrored[:, 1, 3].sum() < 54
    assert (mirrored[:, 1, 0] + mirrored[:, 1, 3]).min() == mirrored.sum((1, 2, 3)).max() == 1


def test_the_reports_networks_have_its_sizes():
    assert generators.build("report", 11, DRAWING, 100).count_params() == pytest.approx(
        2.38e6, rel=5e-3
    )
    assert discriminators.build(
        "report", 11, DRAWING, spectral=False
    ).count_params() == pytest.approx(1.20e6, rel=5e-3)


@pytest.mark.parametrize("name", sorted(generators.GENERATORS))
def test_networks_take_and_give_what_the_artifacts_promise(name):
    generator, discriminator = (
        generators.build(name, 3, DRAWING, 8),
        discriminators.build(name, 3, DRAWING, spectral=True),
    )
    images = generator([np.zeros((4, 8), "float32"), np.arange(4) % 3])
    assert images.shape == (4, 28, 28, 1)
    assert value(images).min() >= 0 and value(images).max() <= 1
    source, logits = discriminator(255.0 * images)
    assert (source.shape, logits.shape) == ((4, 1), (4, 3))


def test_an_unknown_architecture_is_a_sentence():
    with pytest.raises(InputError, match="there are: report, compact, resnet, toy"):
        generators.build("stylegan", 3, DRAWING, 8)
    with pytest.raises(InputError, match="there are: report, compact, resnet, toy"):
        discriminators.build("stylegan", 3, DRAWING, spectral=True)


def check_findings(findings):
    assert findings["only_discriminator"] == {"generator": False, "discriminator": True}
    assert findings["only_generator"] == {"generator": True, "discriminator": False}
    assert findings["learned"]["right"] >= 0.95
    assert 0.03 < findings["learned"]["ink"] < 0.3
    assert 0.6 < findings["diffused"]["guidance_0"] < 0.9
    assert findings["diffused"]["guidance_3"] >= 0.9
    assert 0.03 < findings["diffused"]["ink"] < 0.3


def test_tensorflow_learns_and_keeps_the_networks_apart():
    check_findings(gan_toy.findings())


@pytest.mark.timeout(900)  # XLA compiles every network; on a busy machine that takes minutes
def test_jax_learns_and_keeps_the_networks_apart():
    findings = on_jax.found(gan_toy)
    assert findings["backend"] == "jax"
    check_findings(findings)
