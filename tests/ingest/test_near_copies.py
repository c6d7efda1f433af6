"""Near copies of real photos: found, and nobody else accused."""

import io
import time
from collections.abc import Callable

import numpy as np
import pytest
from drawings import photos_folder
from PIL import Image

from augstudy.data.near_copies import near_copies


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"))


def shifted(image: np.ndarray, down: int, right: int) -> np.ndarray:
    height, width, _ = image.shape
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)), "edge")
    return padded[1 + down : 1 + down + height, 1 + right : 1 + right + width]


def resized(image: np.ndarray, side: int) -> np.ndarray:
    small = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(small.resize(image.shape[1::-1], Image.Resampling.BICUBIC))


def paler(image: np.ndarray) -> np.ndarray:
    return (0.6 * image.astype(float) + 60).astype(np.uint8)


CHANGES: list[Callable[[np.ndarray], np.ndarray]] = [
    lambda image: jpeg(image, 50),
    lambda image: jpeg(image, 75),
    lambda image: shifted(image, 1, 0),
    lambda image: shifted(image, 0, -1),
    lambda image: shifted(image, -1, 1),
    lambda image: resized(image, 24),
    lambda image: resized(image, 64),
    paler,
    lambda image: jpeg(shifted(image, 0, 1), 60),
    lambda image: jpeg(resized(image, 28), 75),
]


@pytest.fixture(scope="module")
def photos() -> np.ndarray:
    """450 photos, (450, 32, 32, 3): the first 45 of each class."""
    folders = sorted((photos_folder() / "cifar10" / "train").iterdir())
    files = [file for folder in folders for file in sorted(folder.iterdir())[:45]]
    return np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files])


def test_planted_copies_are_found_and_hardly_any_others(photos: np.ndarray) -> None:
    originals = np.random.default_rng(1).permutation(len(photos))[:50]
    copies = [CHANGES[at % len(CHANGES)](photos[row]) for at, row in enumerate(originals)]
    images = np.concatenate([photos, np.stack(copies)])
    began = time.process_time()
    found = {(pair.first, pair.second) for pair in near_copies(images)}
    assert time.process_time() - began < 5
    planted = {(int(row), len(photos) + at) for at, row in enumerate(originals)}
    assert len(planted & found) >= 49
    assert len(found - planted) <= 2


def test_two_sets_are_compared_mirrored_as_well(photos: np.ndarray) -> None:
    others = np.concatenate([photos[100:110, :, ::-1], photos[200:210]])
    plain = near_copies(photos[:150], others)
    assert plain == []
    found = near_copies(photos[:150], others, mirrored=True)
    assert [(pair.first, pair.second) for pair in found] == [(100 + at, at) for at in range(10)]
    assert all(pair.correlation > 0.99 for pair in found)


def test_grey_and_large_and_narrow_images_are_compared(photos: np.ndarray) -> None:
    grey = photos[:60].mean(axis=-1).astype(np.uint8)
    large = np.stack([np.asarray(Image.fromarray(image).resize((96, 40))) for image in grey])
    copies = np.stack([np.roll(image, 1, axis=0) for image in large[:20]])
    found = near_copies(np.concatenate([large, copies]))
    assert [(pair.first, pair.second) for pair in found] == [(at, 60 + at) for at in range(20)]


def test_images_that_show_nothing_are_no_copies() -> None:
    plain = np.full((5, 16, 16, 3), 200, np.uint8)
    noise = np.random.default_rng(0).integers(-1, 2, plain.shape)
    assert near_copies((plain + noise).astype(np.uint8)) == []
    assert near_copies(plain[:0]) == []
