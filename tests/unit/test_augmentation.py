import numpy as np
import pytest

from augstudy.backend import keras
from augstudy.models.layers import RandomAffine


def apply(settings, images, training=True, seed=0):
    layer = RandomAffine(settings, seed=seed)
    return keras.ops.convert_to_numpy(layer(images, training=training))


@pytest.fixture
def images():
    pixels = np.zeros((64, 28, 28, 1), np.uint8)
    pixels[:, 4:24, 10:12] = 255
    pixels[:, 4:6, 10:20] = 255
    return pixels


def test_outside_training_it_changes_nothing(images):
    settings = {"horizontal_flip": True, "rotation": 45, "shift": 0.2, "zoom": 0.2}
    np.testing.assert_array_equal(apply(settings, images, training=False), images)


@pytest.mark.parametrize(("setting", "axis"), [("horizontal_flip", 2), ("vertical_flip", 1)])
def test_a_flip_mirrors_about_half_of_the_images_exactly(images, setting, axis):
    result = apply({setting: True}, images)
    mirrored = np.flip(images, axis).astype(np.float32)
    flipped = np.array(
        [np.allclose(r, m, atol=1e-2) for r, m in zip(result, mirrored, strict=False)]
    )
    kept = np.array([np.allclose(r, i, atol=1e-2) for r, i in zip(result, images, strict=False)])
    assert np.all(flipped ^ kept)
    assert 16 < flipped.sum() < 48


def test_a_shift_moves_the_ink_and_no_farther_than_allowed(images):
    result = apply({"shift": 0.1}, images)
    columns = np.arange(28)

    def centre(x):
        return (x[..., 0].sum(1) * columns).sum(1) / x[..., 0].sum((1, 2))

    moved = centre(result) - centre(images)
    assert np.abs(moved).max() <= 2.81
    assert np.abs(moved).max() > 1.4
    assert len(np.unique(moved.round(3))) > 32
    np.testing.assert_allclose(result.sum((1, 2, 3)), images.sum((1, 2, 3)), rtol=0.02)


def test_a_zoom_changes_the_amount_of_ink_with_the_square_of_the_scale(images):
    ratio = apply({"zoom": 0.2}, images).sum((1, 2, 3)) / images.sum((1, 2, 3), dtype=float)
    assert 0.6 < ratio.min() < 0.8
    assert 1.2 < ratio.max() < 1.5


def test_a_rotation_keeps_the_ink_and_turns_the_longest_stroke():
    bar = np.zeros((64, 28, 28, 1), np.uint8)
    bar[:, 13:15, 4:24] = 255
    result = apply({"rotation": 45}, bar)[..., 0]
    y, x = np.mgrid[:28, :28] - 13.5
    xx, yy, xy = ((result * k).sum((1, 2)) for k in (x * x, y * y, x * y))
    degrees = np.degrees(0.5 * np.arctan2(2 * xy, xx - yy))
    assert np.abs(degrees).max() <= 46
    assert np.abs(degrees).max() > 30
    np.testing.assert_allclose(result.sum((1, 2)), bar.sum((1, 2, 3)), rtol=0.04)


def test_equal_seeds_give_equal_images(images):
    settings = {"rotation": 10, "shift": 0.1}
    first, again = (apply(settings, images, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, apply(settings, images, seed=4))
