"""Folders of images of any size, from files to a dataset."""

import os
from pathlib import Path

import numpy as np
import pytest
from ingest.pictures import class_folders, encoded, pixels

from augstudy.core.artifacts import Artifact
from augstudy.core.errors import DataError, InputError
from augstudy.data.dataset import SPLITS, load_classes, load_spec, load_split
from augstudy.settings.data import DataSettings
from augstudy.steps import ingest


def made(source: Path, tmp_path: Path, **changes: object) -> Artifact:
    settings = DataSettings.model_validate({"source": str(source)} | changes)
    return ingest.run(tmp_path / f"dataset-{len(list(tmp_path.iterdir()))}", settings)


def counts(dataset: Artifact) -> dict[str, list[int]]:
    classes = len(load_classes(dataset))
    return {
        name: np.bincount(load_split(dataset, name).labels, minlength=classes).tolist()
        for name in SPLITS
    }


def test_unequal_classes_are_split_by_shares(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "in", {"cat": 20, "ant": 5, "dog": 50}, height=10, width=14)
    dataset = made(source, tmp_path)
    assert load_classes(dataset) == ["ant", "cat", "dog"]
    assert load_spec(dataset).stored == (10, 14, 3)
    assert counts(dataset) == {
        "train": [3, 12, 30],
        "extra": [0, 0, 0],
        "val": [1, 4, 10],
        "test": [1, 4, 10],
    }
    train = load_split(dataset, "train")
    np.testing.assert_array_equal(
        train.images[0], pixels(20 + int(train.rows[0]), height=10, width=14)
    )


def test_a_level_is_a_cap(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "in", {"cat": 20, "ant": 5})
    whole, capped = made(source, tmp_path), made(source, tmp_path, level=4)
    assert counts(capped)["train"] == [3, 4]
    assert counts(capped)["extra"] == [0, 8]
    for name in ("val", "test"):
        np.testing.assert_array_equal(
            load_split(capped, name).images, load_split(whole, name).images
        )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("train", "test"), {"train": [6, 6], "val": [2, 2], "test": [8, 8]}),
        (("Training", "valid", "testing"), {"train": [8, 8], "val": [8, 8], "test": [8, 8]}),
        (("train", "val"), {"train": [6, 6], "val": [8, 8], "test": [2, 2]}),
        (("train",), {"train": [4, 4], "val": [2, 2], "test": [2, 2]}),
    ],
)
def test_given_splits_are_honoured(
    names: tuple[str, ...], expected: dict[str, list[int]], tmp_path: Path
) -> None:
    for index, name in enumerate(names):
        class_folders(tmp_path / "in" / name, {"ant": 8, "bee": 8}, start=100 * index)
    found = counts(made(tmp_path / "in", tmp_path))
    assert {name: found[name] for name in expected} == expected


def test_a_test_source_gives_the_test_images(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "in", {"ant": 8, "bee": 8})
    other = class_folders(tmp_path / "other", {"ant": 3, "bee": 5}, start=50)
    found = counts(made(source, tmp_path, test_source=str(other)))
    assert found == {"train": [6, 6], "extra": [0, 0], "val": [2, 2], "test": [3, 5]}


def test_counts_are_exact_and_only_what_they_need_is_decoded(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "in", {"ant": 90, "bee": 60})
    dataset = made(source, tmp_path, train_per_class=5, val_per_class=4, test_per_class=3)
    assert counts(dataset) == {"train": [5, 5], "extra": [0, 0], "val": [4, 4], "test": [3, 3]}
    assert dataset.json("data_report.json")["classes"]["ant"]["read"] == 12 + 16


def test_copies_across_given_splits_leave_the_training_side(tmp_path: Path) -> None:
    class_folders(tmp_path / "in" / "train", {"ant": 20, "bee": 20})
    class_folders(tmp_path / "in" / "test", {"ant": 3, "bee": 3})  # the same three ants
    (tmp_path / "in" / "test" / "bee" / "ant.png").write_bytes(encoded(pixels(7)))
    dataset = made(tmp_path / "in", tmp_path)
    report = dataset.json("data_report.json")["classes"]
    # The bees of the test folder are ants 3 to 5 of the training folder, and one more is the last.
    assert report["ant"]["dropped"]["on_other_side"] == 7
    assert counts(dataset)["test"] == [3, 4]


def test_what_is_no_image_of_a_class_is_counted(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "in", {"ant": 6, "bee": 6})
    deep = source / "ant" / "more" / "of them"
    deep.mkdir(parents=True)
    (deep / "één.JPG").write_bytes(encoded(pixels(90), "JPEG"))
    (source / "ant" / "Thumbs.db").write_bytes(b"x")
    (source / "ant" / ".hidden.png").write_bytes(b"x")
    (source / ".git").mkdir()
    (source / ".git" / "x.png").write_bytes(b"x")
    (source / "README.md").write_text("read me")
    (source / "loose.png").write_bytes(encoded(pixels(91)))
    (source / "bee" / "loop").symlink_to(source)
    (source / "bee" / "out.png").symlink_to(tmp_path / "elsewhere.png")
    (source / "bee" / "in.png").symlink_to(deep / "één.JPG")
    (tmp_path / "elsewhere.png").write_bytes(encoded(pixels(92)))
    report = made(source, tmp_path).json("data_report.json")
    assert report["classes"]["ant"]["available"] == 7
    assert report["classes"]["bee"]["available"] == 7
    assert report["classes"]["bee"]["dropped"]["in_other_class"] == 1
    assert report["left_out"] == {
        "files that are no images": 1,
        "images outside the folders of classes": 1,
        "links that lead elsewhere": 2,
    }


def test_unreadable_images_are_named_until_they_are_too_many(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "in", {"ant": 10, "bee": 10})
    (source / "ant" / "0003.png").write_bytes(encoded(pixels(3))[:60])
    (source / "bee" / "0004.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"2 of 20 images .*ant/0003\.png .*max_unreadable \(0\.01"):
        made(source, tmp_path)
    dataset = made(source, tmp_path, image_settings={"max_unreadable": 0.1})
    report = dataset.json("data_report.json")
    assert report["total"]["unreadable"] == 2
    assert report["classes"]["bee"]["unreadable"] == [["0004.png", "it is empty"]]
    assert sum(map(sum, counts(dataset).values())) == 18


def test_groups_of_a_pattern_stay_together(tmp_path: Path) -> None:
    source = tmp_path / "in"
    for label, name in enumerate(("ant", "bee")):
        (source / name).mkdir(parents=True)
        for index in range(40):
            path = source / name / f"patient{index % 8}-{index}.png"
            path.write_bytes(encoded(pixels(100 * label + index)))
    dataset = made(source, tmp_path, image_settings={"groups": r"(patient\d+)-"})
    sides = [set(load_split(dataset, name).groups.tolist()) for name in ("train", "val", "test")]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 8  # patients are in both classes
    assert all(sides)


@pytest.mark.parametrize(
    ("names", "changes", "message"),
    [
        ({"ant": 5}, {}, "one class only, 'ant': a study needs at least two"),
        ({"ant": 5, "bee": 2}, {}, "class 'bee'.* gave 2 usable .*each class needs 3"),
        ({"ant": 5, "bee": 5}, {"classes": ["ant", "be"]}, "no class 'be': the nearest are 'bee'"),
        ({"ant": 5, "bee": 5}, {"train_per_class": 9}, "ask for 11: lower them by 6"),
        ({"ant": 5, "a%2fb": 5}, {}, "'a%2fb' cannot be the name of a class"),
        ({}, {}, "is empty: check the address"),
    ],
)
def test_what_cannot_be_studied_is_refused(
    names: dict[str, int], changes: dict[str, object], message: str, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match=message) as caught:
        made(class_folders(tmp_path / "in", names), tmp_path, **changes)
    assert str(caught.value).count(". ") == 0


def test_a_relative_path_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class_folders(tmp_path / "photos", {"ant": 5, "bee": 5})
    monkeypatch.chdir(tmp_path)
    for typed in ("photos", "photos/", "./photos", f"../{tmp_path.name}/photos"):
        assert DataSettings(source=typed).source == f"file://{os.path.realpath('photos')}"
