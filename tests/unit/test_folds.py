"""Folds: every image is tested once, by nothing that has seen it or its group."""

import hashlib

import numpy as np
import pytest

from augstudy.core import artifacts
from augstudy.core.errors import InputError
from augstudy.data.dataset import SPLITS, Split, load_split
from augstudy.data.found import ClassImages, Found
from augstudy.data.parts import Layout, layout_of
from augstudy.data.splits import Splits, TooFewError, make_splits
from augstudy.settings.base import parse
from augstudy.settings.data import DataSettings
from augstudy.settings.spec import DRAWING
from augstudy.steps import ingest

CLASSES = ("ant", "bee", "cow")
Place = tuple[int, int]  # label and row


def found(groups: dict[str, list[int]], seed: int = 0, splits: str = "") -> Found:
    """Images of classes, by the number of the group of each; negative ones are in none."""
    random, classes = np.random.default_rng(seed), {}
    for name, of_class in groups.items():
        images = random.integers(1, 256, (len(of_class), 28, 28), np.uint8)
        classes[name] = ClassImages(
            *(name, f"class {name!r}", len(of_class), images, np.arange(len(of_class))),
            groups=[f"g{number}" if number >= 0 else "" for number in of_class],
            splits=[splits] * len(of_class) if splits else (),
        )
    return Found(classes, DRAWING)


def settings(**changes: object) -> DataSettings:
    return DataSettings.model_validate({"classes": CLASSES, "folds": 3} | changes)


def places(split: Split) -> list[Place]:
    return list(zip(split.labels.tolist(), split.rows.tolist(), strict=True))


def folds(result: Splits) -> list[dict[str, Split]]:
    return [result.splits, *result.more]


def mixed(seed: int) -> dict[str, list[int]]:
    """Images without a group, groups of a class, and groups that classes share."""
    random, groups = np.random.default_rng(seed), {}
    for at, name in enumerate(CLASSES):
        kinds = (-1, 100 * (at + 1) + random.integers(12), 900 + random.integers(4))
        groups[name] = [
            int(kinds[random.integers(3)]) if random.random() < 0.3 else int(kinds[0])
            for _ in range(random.integers(40, 70))
        ]
        for _ in range(20):
            groups[name].append(100 * (at + 1) + int(random.integers(12)))
    return groups


@pytest.mark.parametrize("seed", range(25))
def test_every_image_is_tested_once_and_no_group_is_on_two_sides(seed):
    groups, count, limit = mixed(seed), 2 + seed % 4, (0, 0, 7)[seed % 3]
    wanted = settings(folds=count, seed=seed, test_per_class=limit, level=3)
    result = make_splits(found(groups), wanted)
    assert len(folds(result)) == count
    tested = [place for fold in folds(result) for place in places(fold["test"])]
    assert len(tested) == len(set(tested))
    of_class = np.bincount([label for label, _ in tested])
    assert result.unused == {
        name: len(of) - of_class[at] for at, (name, of) in enumerate(groups.items())
    }
    if not limit:
        assert sum(result.unused.values()) == 0
    for fold in folds(result):
        seen = {name: set(places(fold[name])) for name in SPLITS}
        assert min(len(np.unique(fold[name].labels)) for name in ("train", "val", "test")) == 3
        assert set().union(*seen.values()) == set(tested)
        assert sum(map(len, seen.values())) == len(tested)
        of_groups = [
            {groups[CLASSES[label]][row] for label, row in seen[name]} - {-1}
            for name in ("test", "val")
        ]
        learnt = {groups[CLASSES[at]][row] for at, row in seen["train"] | seen["extra"]}
        assert not of_groups[0] & (of_groups[1] | learnt) and not of_groups[1] & learnt
        assert limit == 0 or np.bincount(fold["test"].labels).max() <= limit


def test_folds_are_as_large_as_each_other_and_choose_by_different_images():
    result = make_splits(found(dict.fromkeys(CLASSES, [-1] * 41)), settings(folds=5))
    sizes = [np.bincount(fold["test"].labels).tolist() for fold in folds(result)]
    assert sorted(size for of_fold in sizes for size in of_fold) == [8] * 12 + [9] * 3
    assert max(map(sum, sizes)) - min(map(sum, sizes)) <= 1  # the odd images are in other folds
    assert {len(fold["val"]) for fold in folds(result)} <= {24, 25}  # a quarter of the rest
    chosen = [set(places(fold["val"])) for fold in folds(result)]
    assert len(set().union(*chosen)) > 2 * len(chosen[0])


def test_a_large_group_does_not_make_folds_unequal():
    of_class = [*range(30), *[99] * 10]
    shuffled = np.random.default_rng(0).permutation(of_class).tolist()
    result = make_splits(
        found({"ant": shuffled, "bee": shuffled[::-1]}), settings(folds=4, classes=())
    )
    assert {len(fold["test"]) for fold in folds(result)} == {20}


def test_a_smaller_level_lies_within_a_larger_one():
    images = found(dict.fromkeys(CLASSES, [-1] * 30))
    small, large = (make_splits(images, settings(level=level)) for level in (4, 9))
    for few, many in zip(folds(small), folds(large), strict=True):
        assert set(places(few["train"])) < set(places(many["train"]))
        for name in ("val", "test"):
            assert places(few[name]) == places(many[name])


def test_seeds_deal_other_folds_but_repeatably():
    images = found(dict.fromkeys(CLASSES, [-1] * 30))
    first, again, other = (make_splits(images, settings(seed=seed)) for seed in (3, 3, 4))
    assert places(first.more[0]["test"]) == places(again.more[0]["test"])
    assert places(first.more[0]["test"]) != places(other.more[0]["test"])


def test_a_class_with_fewer_groups_than_folds_is_refused():
    groups = {"ant": [-1] * 20, "bee": [1] * 10 + [2] * 10}
    with pytest.raises(TooFewError, match=r"class 'bee' has 2 groups .* but 3 folds need 3"):
        make_splits(found(groups), settings(classes=()))


def test_splits_of_the_source_are_refused():
    with pytest.raises(InputError, match="but folds test every image: leave folds out"):
        make_splits(found(dict.fromkeys(CLASSES, [-1] * 20), splits="test"), settings())


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"folds": 1}, "folds is 0, for one test split, or 2 and more"),
        ({"folds": 2, "test_source": "/x"}, "so there can be no test_source"),
        (
            {"folds": 3, "test_per_class": 10, "train_per_class": 15, "val_per_class": 6},
            "3 folds of 10 test images leave 20 images per class .* ask for 21",
        ),
    ],
)
def test_what_cannot_be_with_folds_is_refused(values, match):
    with pytest.raises(InputError, match=match):
        parse(DataSettings, values, "the data settings")


def test_a_source_that_lacks_what_folds_need_is_refused_before_a_run(tmp_path):
    from ingest.pictures import class_folders

    from augstudy.data.reading import check_source

    source = class_folders(tmp_path / "in", {"ant": 20, "bee": 4})
    wanted = DataSettings(source=str(source), folds=5)
    with pytest.raises(InputError, match=r"class 'bee' of .* has 4 groups .* 5 folds need 5"):
        check_source(wanted)
    for name in ("train", "test"):
        class_folders(tmp_path / "split" / name, {"ant": 20, "bee": 20})
    with pytest.raises(InputError, match="folds test every image"):
        check_source(wanted.model_copy(update={"source": f"file://{tmp_path}/split"}))


TINY = {"classes": ("cow", "zebra"), "train_per_class": 6, "val_per_class": 3}


def test_without_folds_everything_is_as_it_was_before_there_were_any(tmp_path):
    made = ingest.run(tmp_path / "data", DataSettings(**TINY, test_per_class=3))
    digest = hashlib.sha256()
    for name in SPLITS:
        split = load_split(made, name)
        for array in (split.images, split.labels, split.rows):
            digest.update(array.tobytes())
    assert digest.hexdigest() == "99f7ca02ff5e226e9b84956293bf08028367042247a31ca3e661ad03a5fbdd1e"
    assert "folds" not in made.manifest.config and "folds" not in made.json("data_report.json")
    assert layout_of(made.path) == Layout()


def test_each_fold_is_a_dataset_of_its_own(tmp_path):
    wanted = DataSettings(**TINY, test_per_class=6, folds=3)
    made, again = (ingest.run(tmp_path / name, wanted) for name in ("data", "again"))
    assert made.content_hash == again.content_hash
    layout = layout_of(made.path)
    assert layout == Layout(folds=3)
    parts = [artifacts.read(layout.place(made.path, it), "dataset") for it in layout.parts]
    assert [layout_of(part.path) for part in parts[1:]] == [Layout(), Layout()]
    assert len({part.content_hash for part in parts}) == 3
    tested = [place for part in parts for place in places(load_split(part, "test"))]
    assert len(set(tested)) == len(tested) == 2 * 3 * 6
    sizes = made.json("data_report.json")["folds"]
    assert sizes == [{"train": 12, "extra": 0, "val": 6, "test": 12}] * 3
