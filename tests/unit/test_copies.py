"""The copy check: on real photos and pictures made by Stable Diffusion."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augstudy.core.errors import InputError
from augstudy.data.copies import Check, Known
from augstudy.training import copying

PHOTOS = Path(
    os.environ.get("AUGSTUDY_PHOTOS", Path(__file__).parents[3] / "shared" / "data" / "photos")
)
CLASSES = ("cat", "ship", "truck")


def read(folder: str, each: int, start: int = 0) -> np.ndarray:
    if not (PHOTOS / folder).is_dir():
        pytest.fail(f"{PHOTOS / folder} is missing: AUGSTUDY_PHOTOS says where the photos are.")
    paths = [
        path
        for name in CLASSES
        for path in sorted((PHOTOS / folder / name).iterdir())[start : start + each]
    ]
    return np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths])


@pytest.fixture(scope="module")
def known():
    train = read("cifar10/train", 150)
    return Known(train, read("cifar10/train", 60, 150), read("cifar10/test", 60))


@pytest.fixture(scope="module")
def check(known):
    return Check(known)


@pytest.fixture(scope="module")
def made():
    return read("stable_diffusion_14", 200)


def changed(image: np.ndarray, kind: str, random: np.random.Generator) -> np.ndarray:
    if kind == "recompressed":
        content = io.BytesIO()
        Image.fromarray(image).save(content, "JPEG", quality=int(random.integers(50, 90)))
        return np.asarray(Image.open(content))
    if kind == "shifted":
        down, right = random.integers(-2, 3, 2)
        padded = np.pad(image, ((2, 2), (2, 2), (0, 0)), mode="edge")
        return padded[2 + down : 34 + down, 2 + right : 34 + right]
    return image[:, ::-1] if kind == "mirrored" else image


def test_planted_copies_are_found_and_clean_sets_are_not_accused(check, known, made):
    """In each of 100 sets of 100 pictures one is a test image; 100 others hold none."""
    random, kinds = np.random.default_rng(0), ("exact", "recompressed", "mirrored", "shifted")
    missed, accused = [], 0
    for trial in range(100):
        chosen = made[random.choice(len(made), 100, replace=False)]
        accused += bool(check.copies(chosen).unwanted.any())
        place, original = random.integers(100), int(random.integers(len(known.test)))
        chosen[place] = changed(known.test[original], kinds[trial % 4], random)
        found = check.copies(chosen)
        if not found.of["test"][place] or (place, original) not in found.pairs["test"]:
            missed.append((trial, kinds[trial % 4]))
    assert missed == []
    assert accused <= 2


def test_copies_of_each_split_are_told_apart_and_repeated_pictures_counted(check, known, made):
    mixed = np.concatenate([made[:40], made[:3], known.train[:2], known.val[:5], known.test[:7]])
    found = check.copies(mixed)
    assert {name: int(copied.sum()) for name, copied in found.of.items()} == {
        "train": 2, "val": 5, "test": 7,
    }  # fmt: skip
    assert found.repeated == 3
    assert np.flatnonzero(found.unwanted).tolist() == list(range(45, 57))
    shown = check.shown(mixed, found)["test"]
    assert shown.shape == (7, 2, 32, 32, 3) and np.array_equal(shown[:, 0], shown[:, 1])


def test_what_the_judge_takes_for_the_same_image_is_a_copy(known, made):
    """A judge that sees the mean colour only; pictures turned upside down look the same to it."""

    def mean_colour(images: np.ndarray) -> np.ndarray:
        return images.reshape(len(images), -1, 3).mean(axis=1)

    scrambled = known.val[:4].reshape(4, -1, 3)[:, ::-1].reshape(4, 32, 32, 3)
    found = Check(known, mean_colour).copies(scrambled)
    assert found.alike["val"] == 4 and found.of["val"].all()
    assert Check(known).copies(scrambled).of["val"].sum() == 0


def test_what_happens_to_copies(check, known, made):
    found = check.copies(np.concatenate([made[:10], known.test[:2], known.train[:1]]))
    assert copying.kept(found, "drop", "sd").tolist() == [True] * 10 + [False] * 2 + [True]
    assert copying.kept(found, "keep", "sd").all()
    with pytest.raises(InputError, match="of set sd hold near copies: 2 of test images"):
        copying.kept(found, "fail", "sd")
