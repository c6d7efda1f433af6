import numpy as np
import pytest

from augstudy.models.backend import keras
from augstudy.models.colours import RandomColours
from augstudy.models.layers import RandomAffine
from augstudy.settings.augmentation import Augmentation


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


def coloured(settings, images, background=None, training=True):
    layer = RandomColours(settings, 0, background)
    return keras.ops.convert_to_numpy(layer(images.astype("float32"), training=training))


@pytest.fixture
def photos():
    return np.random.default_rng(0).integers(60, 180, (48, 10, 12, 3)).astype(np.uint8)


def grey(images):
    return (images * (0.299, 0.587, 0.114)).sum(axis=-1)


def test_brightness_adds_one_number_to_an_image(photos):
    added = coloured({"brightness": 0.2}, photos) - photos
    np.testing.assert_allclose(
        added, np.broadcast_to(added[:, :1, :1, :1], photos.shape), atol=1e-2
    )
    assert -51 <= added.min() < -25 < 25 < added.max() <= 51


def test_contrast_keeps_the_mean_and_scales_what_is_about_it(photos):
    seen = coloured({"contrast": 0.3}, photos)
    np.testing.assert_allclose(seen.mean((1, 2, 3)), photos.mean((1, 2, 3)), rtol=1e-4)
    scale = seen.std((1, 2, 3)) / photos.std((1, 2, 3))
    assert 0.7 <= scale.min() < 0.85 and 1.15 < scale.max() <= 1.3


def test_saturation_keeps_what_is_grey(photos):
    seen = coloured({"saturation": 0.5}, photos)
    np.testing.assert_allclose(grey(seen), grey(photos), rtol=1e-3)
    apart = np.abs(seen - grey(seen)[..., None]).mean((1, 2, 3))
    scale = apart / np.abs(photos - grey(photos)[..., None]).mean((1, 2, 3))
    assert 0.5 <= scale.min() < 0.8 and 1.2 < scale.max() <= 1.51
    one = photos[..., :1]
    np.testing.assert_array_equal(coloured({"saturation": 0.5}, one), one)


@pytest.mark.parametrize(("background", "blank"), [(None, 127.5), (255, 255.0)])
def test_what_is_cut_out_is_grey_or_background(photos, background, blank):
    seen = coloured({"cutout": 0.5}, photos, background)
    gone = (seen != photos).any(axis=-1)
    assert (seen[gone] == blank).all()
    assert gone.sum((1, 2)).min() >= 1 and gone.sum((1, 2)).max() == 5 * 6


def test_colours_stay_in_range_and_change_in_training_alone(photos):
    every = {"brightness": 0.9, "contrast": 0.9, "saturation": 1.0}
    seen = coloured(every, photos)
    assert seen.min() >= 0 and seen.max() <= 255
    np.testing.assert_array_equal(coloured(every, photos, training=False), photos)


def test_views_are_not_of_other_colours():
    changed = Augmentation(shift=0.2, horizontal_flip=True, cutout=0.5, contrast=0.2)
    assert changed.halved() == Augmentation(shift=0.1)
    assert changed.colours and changed.moves
    assert not Augmentation(cutout=0.5).moves and not Augmentation(shift=0.1).colours
