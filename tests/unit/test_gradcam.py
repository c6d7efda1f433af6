import numpy as np
import pytest

from augstudy.core.errors import InputError
from augstudy.explain.gradcam import heat_maps
from augstudy.models.backend import keras

layers = keras.layers


def network(*body):
    return keras.Sequential(
        [keras.Input((28, 28, 1)), layers.Rescaling(1 / 255), *body, layers.Softmax()]
    )


def corner_detector():
    """Class 0 looks at the upper left quarter alone, class 1 at the lower right one."""
    model = network(
        layers.Conv2D(1, 1, use_bias=False), layers.ReLU(), layers.Flatten(), layers.Dense(2)
    )
    model.layers[1].set_weights([np.ones((1, 1, 1, 1))])
    weights = np.zeros((28, 28, 2), np.float32)
    weights[:14, :14, 0] = 1
    weights[14:, 14:, 1] = 1
    model.layers[4].set_weights([weights.reshape(-1, 2), np.zeros(2)])
    return model


def test_the_heat_is_where_the_evidence_is():
    images = np.zeros((2, 28, 28), np.uint8)
    images[:, 4:8, 4:8] = 255
    heat = heat_maps(corner_detector(), images, np.array([0, 1], np.int32))
    expected = images[0] / 255
    np.testing.assert_allclose(heat[0], expected, atol=1e-3)


def test_matches_the_formula_worked_out_by_hand():
    """alpha_k is the mean gradient of map k, the heat relu(sum_k alpha_k A_k) over its peak."""
    rng = np.random.default_rng(0)
    model = network(
        layers.Conv2D(3, 3, padding="same"), layers.ReLU(), layers.Flatten(), layers.Dense(2)
    )
    images = rng.integers(0, 256, (4, 28, 28)).astype(np.uint8)
    labels = np.array([0, 1, 1, 0], np.int32)
    heat = heat_maps(model, images, labels)

    maps = keras.Sequential(model.layers[:3])(images[..., None].astype(np.float32))
    maps = keras.ops.convert_to_numpy(maps)
    dense = model.layers[4].get_weights()[0].reshape(28, 28, 3, 2)
    alpha = dense.mean(axis=(0, 1))[:, labels].T
    raw = np.maximum((alpha[:, None, None, :] * maps).sum(-1), 0)
    peak = raw.max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(heat, raw / np.where(peak > 0, peak, 1), atol=2e-3)


def test_a_class_without_any_evidence_has_no_heat():
    model = corner_detector()
    kernel, bias = model.layers[4].get_weights()
    model.layers[4].set_weights([-np.abs(kernel), bias])
    images = np.full((1, 28, 28), 255, np.uint8)
    assert not heat_maps(model, images, np.array([0], np.int32)).any()


def test_small_maps_are_passed_over_for_wider_ones():
    """All is dead but one place of the 14x14 map: the heat is there, not spread over a 4x4 one."""
    model = network(
        layers.Conv2D(1, 1, strides=2, use_bias=False),
        layers.ReLU(),
        layers.AveragePooling2D(4),
        layers.Conv2D(1, 1, use_bias=False),
        layers.ReLU(),
        layers.Flatten(),
        layers.Dense(2),
    )
    for index in (1, 4):
        model.layers[index].set_weights([np.ones((1, 1, 1, 1))])
    kernel, bias = model.layers[7].get_weights()
    model.layers[7].set_weights([np.ones_like(kernel), bias])
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 10, 10] = 255
    heat = heat_maps(model, image, np.array([1], np.int32))[0]
    assert heat[10, 10] > 0.5
    assert (heat > 0).sum() <= 16  # one place of a 3x3 map would cover 81 pixels and more


def test_a_network_without_convolutions_is_refused():
    with pytest.raises(InputError, match="no convolution"):
        heat_maps(
            network(layers.Flatten(), layers.Dense(2)),
            np.zeros((1, 28, 28), np.uint8),
            np.zeros(1, np.int32),
        )
