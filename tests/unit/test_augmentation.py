import numpy as np
import pytest

from augstudy.models.backend import keras
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


def extent(result):
    """Standard deviation of the ink along x and y, (N, 2)."""
    ink = result[..., 0].astype(float)
    places = np.arange(28)
    spreads = []
    for axis in (1, 2):
        profile = ink.sum(axis) / ink.sum((1, 2))[:, None]
        mean = (profile * places).sum(1)
        spreads.append(np.sqrt((profile * places**2).sum(1) - mean**2))
    return np.stack(spreads, axis=1)


def test_a_stretch_scales_width_and_height_apart(images):
    ratio = extent(apply({"stretch": 0.2}, images)) / extent(images)
    assert 0.75 < ratio.min() < 0.9
    assert 1.1 < ratio.max() < 1.25
    assert np.abs(np.corrcoef(ratio.T)[0, 1]) < 0.4


def test_a_shear_slants_upright_strokes_and_keeps_their_height():
    bar = np.zeros((64, 28, 28, 1), np.uint8)
    bar[:, 4:24, 13:15] = 255
    result = apply({"shear": 0.2}, bar)
    rows, columns = np.arange(28), np.arange(28)
    centre = (result[..., 0] * columns).sum(2) / np.maximum(result[..., 0].sum(2), 1)
    slope = np.array([np.polyfit(rows[6:22], line[6:22], 1)[0] for line in centre])
    assert 0.15 < np.abs(slope).max() < 0.21
    np.testing.assert_allclose(extent(result)[:, 1], extent(bar)[:, 1], rtol=0.02)


def test_equal_seeds_give_equal_images(images):
    settings = {"rotation": 10, "shift": 0.1}
    first, again = (apply(settings, images, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, apply(settings, images, seed=4))
