"""Which rows are read, and how drawings are cleaned and split."""

import itertools

import numpy as np
import pytest

from augstudy.data.found import ClassImages, Found
from augstudy.data.sampling import choose_rows, row_numbers
from augstudy.data.splits import Splits, TooFewError, make_splits
from augstudy.settings.data import DataSettings
from augstudy.settings.spec import DRAWING

CLASSES = ("ant", "bee", "cow")


def messy(seed: int, count: int = 120) -> dict[str, ClassImages]:
    """Three classes full of blank drawings and of drawings that occur often, in any class."""
    random = np.random.default_rng(seed)
    pool = random.integers(0, 256, (250, 28, 28), np.uint8)
    pool[:5] = 0
    result = {}
    for name in CLASSES:
        images = pool[random.integers(0, len(pool), count)]
        images[:60] = random.integers(0, 256, (60, 28, 28), np.uint8)
        rows = np.sort(random.choice(10_000, count, replace=False))
        result[name] = ClassImages(name, f"file:///x/{name}.npy", 10_000, images, rows)
    return result


def split(drawings: dict[str, ClassImages], wanted: DataSettings) -> Splits:
    return make_splits(Found(drawings, DRAWING), wanted)


def settings(**changes: object) -> DataSettings:
    values = {"classes": CLASSES, "train_per_class": 30, "val_per_class": 9, "test_per_class": 8}
    return DataSettings.model_validate(values | changes)


def keys(result: Splits, name: str) -> list[bytes]:
    return [image.tobytes() for image in result.splits[name].images]


@pytest.mark.parametrize("seed", range(12))
def test_no_drawing_is_blank_or_in_two_places(seed: int) -> None:
    drawings = messy(seed)
    result = split(drawings, settings(seed=seed, level=21))
    assert len(result.splits["extra"]) == 3 * 9
    everything = [key for name in result.splits for key in keys(result, name)]
    assert len(everything) == len(set(everything)) == 3 * 47
    assert bytes(784) not in everything
    for label, name in enumerate(CLASSES):
        lost = result.dropped[name]
        used = sum(int((part.labels == label).sum()) for part in result.splits.values())
        dropped = lost.blank + lost.repeated + lost.in_other_class
        assert dropped + used + result.unused[name] == 120
        for part in result.splits.values():
            of_class = part.labels == label
            where = np.searchsorted(drawings[name].rows, part.rows[of_class])
            np.testing.assert_array_equal(drawings[name].images[where], part.images[of_class])


def test_a_drawing_of_two_classes_stays_in_the_first() -> None:
    drawings = messy(0)
    drawings["bee"].images[7] = drawings["ant"].images[3]
    drawings["bee"].images[8] = drawings["bee"].images[9]
    before = split(messy(0), settings()).dropped["bee"]
    after = split(drawings, settings()).dropped["bee"]
    assert after.in_other_class == before.in_other_class + 1
    assert after.repeated == before.repeated + 1


@pytest.mark.parametrize("level", [1, 10, 29])
def test_levels_are_nested_and_leave_the_other_splits_alone(level: int) -> None:
    whole = split(messy(1), settings())
    small = split(messy(1), settings(level=level))
    for label in range(3):
        few, many = (
            result.splits["train"].rows[result.splits["train"].labels == label].tolist()
            for result in (small, whole)
        )
        assert few == many[:level]
        beyond = small.splits["extra"].rows[small.splits["extra"].labels == label].tolist()
        assert few + beyond == many
    for name in ("val", "test"):
        assert keys(small, name) == keys(whole, name)
    assert len(whole.splits["extra"]) == 0


def test_the_test_split_does_not_depend_on_the_size_of_the_others() -> None:
    small = split(messy(1), settings(train_per_class=5, val_per_class=2))
    large = split(messy(1), settings())
    assert keys(small, "test") == keys(large, "test")


def test_what_is_left_over_is_tested_on_alike_in_every_class() -> None:
    drawings = messy(1)
    drawings["cow"].images[:40] = 0  # the class with the fewest decides
    result = split(drawings, settings(test_per_class=0, level=10))
    usable = {
        name: 120 - lost.blank - lost.repeated - lost.in_other_class
        for name, lost in result.dropped.items()
    }
    left = min(usable.values()) - 30 - 9
    assert [(result.splits["test"].labels == label).sum() for label in range(3)] == [left] * 3
    assert result.unused == {name: count - left - 39 for name, count in usable.items()}
    assert result.unused["cow"] == 0 < result.unused["ant"]
    everything = [key for name in result.splits for key in keys(result, name)]
    assert len(everything) == len(set(everything)) == 3 * (39 + left)


def test_something_must_be_left_over_for_the_test() -> None:
    few = messy(3, count=60)
    few["bee"].images[:21] = 0
    with pytest.raises(TooFewError, match=r"bee\.npy gave 39 usable .*by 1 in all"):
        split(few, settings(test_per_class=0))


def test_seeds_split_differently_but_repeatably() -> None:
    first, again, other = (split(messy(1), settings(seed=seed)) for seed in (3, 3, 4))
    assert keys(first, "test") == keys(again, "test")
    assert keys(first, "test") != keys(other, "test")


def test_too_few_usable_drawings_are_explained() -> None:
    drawings = messy(2, count=60)
    drawings["cow"].images[:20] = 0
    with pytest.raises(
        TooFewError, match=r"cow\.npy gave 40 usable .*20 blank.*by 7 in all"
    ) as caught:
        split(drawings, settings())
    assert caught.value.unread


@pytest.mark.parametrize(
    ("rows", "needed"), [(424, 100), (4959, 1000), (120_000, 6_000), (188_000, 50), (65, 10)]
)
def test_rows_are_enough_and_in_order_and_few_ranges(rows: int, needed: int) -> None:
    ranges = choose_rows(rows, needed, "cat", 0)
    numbers = row_numbers(ranges)
    assert len(numbers) == needed + max(16, -(-needed // 50))
    assert (np.diff(numbers) > 0).all()
    assert numbers[0] >= 0 and numbers[-1] < rows
    assert len(ranges) <= 65
    assert all(last < first for (_, last), (first, _) in itertools.pairwise(ranges))
    assert ranges == choose_rows(rows, needed, "cat", 0)
    assert ranges != choose_rows(rows, needed, "dog", 0)
    assert ranges != choose_rows(rows, needed, "cat", 1)


@pytest.mark.parametrize(("rows", "needed"), [(100, 100), (110, 100), (1000, 950)])
def test_nearly_everything_is_read_in_one_go(rows: int, needed: int) -> None:
    assert choose_rows(rows, needed, "cat", 0) == [(0, rows)]


def test_every_row_is_about_as_likely() -> None:
    hits = np.zeros(1000)
    for seed in range(400):
        hits[row_numbers(choose_rows(1000, 200, "cat", seed))] += 1
    expected = 400 * 216 / 1000
    assert abs(hits - expected).max() < 6 * np.sqrt(expected)
