"""More than a hundred mangled sources: handled with the right counts, or refused in a sentence."""

import re
from pathlib import Path

import numpy as np
import pytest
from ingest import mangled_packed  # noqa: F401 (it adds cases)
from ingest.mangled import CASES, GREY, NAMES, NEW, READABLE, UNREADABLE, Case
from ingest.pictures import class_folders, encoded, pixels
from PIL import Image

from augstudy.core.errors import AugstudyError, DataError, InputError
from augstudy.data.dataset import load_classes
from augstudy.data.decoding import UnreadableError, decode
from augstudy.data.reading import read_images
from augstudy.data.splits import make_splits
from augstudy.settings.data import DataSettings, ImageSettings
from augstudy.settings.spec import ImageSpec
from augstudy.steps import ingest


def test_there_are_a_hundred() -> None:
    assert len(CASES) >= 100


@pytest.mark.parametrize("name", CASES)
def test_it_is_handled_or_refused(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    source = case.make(tmp_path)
    before = everything(tmp_path)
    image = {"near_copies": False, "max_unreadable": 0.1}
    settings = DataSettings.model_validate({"source": str(source), "image_settings": image})
    if case.refused:
        with pytest.raises(AugstudyError, match=case.refused) as caught:
            make_splits(read_images(settings), settings)
        assert isinstance(caught.value, InputError | DataError)
        text = str(caught.value)
        assert text.endswith(".") and "\n" not in text
        assert re.search(r"[:;,] ", text), "it says what to do"
    else:
        check(case, settings)
    assert everything(tmp_path) == before


def check(case: Case, settings: DataSettings) -> None:
    found = read_images(settings)
    result = make_splits(found, settings)
    assert list(found.classes) == list(case.counts)
    labels = np.concatenate([split.labels for split in result.splits.values()])
    used = np.bincount(labels, minlength=len(case.counts))
    assert dict(zip(case.counts, used.tolist(), strict=True)) == case.counts
    assert sum(len(item.unreadable) for item in found.classes.values()) == case.unreadable
    assert sum(found.facts["left_out"].values()) == case.left_out


def everything(root: Path) -> list[str]:
    return sorted(str(path) for path in root.rglob("*"))


@pytest.mark.parametrize("name", NAMES)
def test_odd_names_of_classes_go_all_the_way(name: str, tmp_path: Path) -> None:
    source = class_folders(tmp_path / "in", {NAMES[name]: 5, "zzz": 5})
    before = everything(source)
    dataset = ingest.run(tmp_path / "out", DataSettings(source=str(source)))
    assert load_classes(dataset) == sorted((NAMES[name], "zzz"))
    assert everything(source) == before
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out"}


SPEC = ImageSpec(20, 30, 3)


def decoded(content: bytes, spec: ImageSpec = SPEC, **settings: object) -> np.ndarray:
    return decode(content, spec, ImageSettings.model_validate(settings))


@pytest.mark.parametrize("orientation", range(2, 9))
def test_orientation_is_heeded(orientation: int) -> None:
    turned = {2: (1, 0), 3: (0, 2), 4: (1, 2), 5: (1, 1), 6: (0, 3), 7: (1, 3), 8: (0, 1)}
    mirror, quarters = turned[orientation]
    seen = np.rot90(NEW[:, ::-1] if mirror else NEW, quarters)
    spec = ImageSpec(*seen.shape[:2], 3)
    found = decoded(READABLE[f"exif{orientation}.jpg"], spec).astype(int)
    plain = decoded(encoded(np.ascontiguousarray(seen), "JPEG", quality=95), spec)
    assert np.abs(found - plain).mean() < 8


def test_depth_is_scaled_and_not_clipped() -> None:
    grey = ImageSpec(20, 30, 1)
    np.testing.assert_array_equal(decoded(READABLE["sixteen.png"], grey), GREY)
    np.testing.assert_array_equal(decoded(READABLE["fraction.tif"], grey), GREY)
    expected = np.rint(GREY.astype(float) * 200 / 257)
    np.testing.assert_array_equal(decoded(READABLE["sixteen.tif"], grey), expected)


def test_what_is_transparent_shows_the_fill_colour() -> None:
    image = np.zeros((20, 30, 4), np.uint8)
    image[:10] = 255, 0, 0, 255
    found = decoded(encoded(image), fill="#0080ff")
    assert (found[:10] == (255, 0, 0)).all() and (found[10:] == (0, 128, 255)).all()


@pytest.mark.parametrize("name", ["frames.gif", "frames.webp"])
def test_the_first_frame_counts(name: str) -> None:
    found = decoded(READABLE[name], ImageSpec(12, 12, 3)).astype(int)
    away = [np.abs(found - pixels(1000 + at)).mean() for at in range(3)]
    assert away[0] < 20 < min(away[1:])


@pytest.mark.parametrize(
    ("rule", "left", "corner"),
    [("crop", 127, 127), ("stretch", 0, 0), ("pad", 0, 255)],
)
def test_shapes_are_made_to_fit(rule: str, left: int, corner: int) -> None:
    """An image three times as wide as high: black, grey, white."""
    image = np.repeat(np.uint8([[0, 127, 255]]), 30, axis=1).repeat(30, axis=0)
    found = decoded(encoded(image), ImageSpec(30, 30, 1), resize=rule)
    assert abs(int(found[15, 1]) - left) <= 2
    assert abs(int(found[0, 1]) - corner) <= 2


def test_reasons_are_short_and_name_no_object_in_memory() -> None:
    for content in UNREADABLE.values():
        with pytest.raises(UnreadableError) as caught:
            decoded(content)
        assert 5 < len(str(caught.value)) <= 120
        assert "0x" not in str(caught.value)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(48, 64)] * 3, (48, 64)),
        ([(480, 640), (960, 1280)], (48, 64)),
        ([(300, 300), (200, 400), (500, 100)], (64, 64)),
        ([(30, 40), (41, 30), (33, 60)], (32, 32)),
        ([(1, 1)], (8, 8)),
        ([(10, 10_000)], (8, 64)),
    ],
)
def test_the_size_suits_the_images(
    sizes: list[tuple[int, int]], expected: tuple[int, int], tmp_path: Path
) -> None:
    source = tmp_path / "in"
    for label in range(2):
        (source / str(label)).mkdir(parents=True)
        for at in range(9):
            height, width = sizes[at % len(sizes)]
            image = Image.fromarray(pixels(100 * label + at, height, width, 1))
            (source / str(label) / f"{at}.png").write_bytes(encoded(image))
    found = read_images(DataSettings(source=str(source)))
    assert found.spec == ImageSpec(*expected, 1)
