import json
import re

import builders
import pytest

from augstudy.core.errors import InputError
from augstudy.local.series import Series
from augstudy.pages import levels, worth
from augstudy.results import files, learning
from augstudy.results.learning import Learning, Worth
from augstudy.results.material import gather, read_arm
from augstudy.results.study import summarise

CLASSES = ("cow", "lion", "zebra")
SKILLS = {4: (-1.2, -0.2), 8: (-0.2, 0.4), 16: (0.8, 0.9)}


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """A study at three levels, in run folders; `add` is worth about as much as the next level."""
    runs = tmp_path_factory.mktemp("runs")
    found = Series(list(SKILLS))
    for number, (level, skills) in enumerate(SKILLS.items()):
        folder = runs / f"{number:04}"
        root = folder / "artifacts"
        dataset = builders.build_dataset(root / "dataset", CLASSES, train=level, test=60)
        paths = [root / "evaluations" / label for label in ("real", "add:1")]
        for path, arm, share, skill in zip(
            paths, ("real", "add"), (None, 1.0), skills, strict=True
        ):
            builders.build_evaluation(path, dataset, arm, share, (0, 1, 2, 3), skill)
        material = gather(dataset.path, paths, (), {}, {"classifier": "modern"}, {})
        files.write(folder, summarise(material))
        (folder / "run.json").write_text(json.dumps({"id": folder.name, "state": "done"}))
        found.add(folder)
    return found


@pytest.fixture(scope="module")
def evaluations(series):
    return {
        level: [read_arm(folder / "artifacts" / "evaluations" / label) for label in labels]
        for folder, level in zip(series.folders, SKILLS, strict=True)
        for labels in [("real", "add:1")]
    }


def test_the_worth_of_an_arm_is_read_off_the_curve_of_real(evaluations):
    found = learning.learning_curve(evaluations)
    assert Learning.model_validate_json(found.model_dump_json()) == found
    assert found.basis == "evaluations"
    assert {item.label for item in found.worth} == {"add:1"}
    first, second, third = found.worth
    assert [item.level for item in found.worth] == [4, 8, 16]
    assert 2 < first.value < 6 and first.low <= first.value <= first.high
    assert (second.floor, second.ceiling) == (-4, 8) and third.ceiling == 0
    said = worth.sentence(first)
    assert said.startswith("`add:1` at level 4 is worth about 3 extra real images")


def test_summaries_give_the_same_numbers_with_wider_intervals(series, evaluations):
    exact = learning.learning_curve(evaluations).worth
    coarse = learning.from_summaries(series.summaries()).worth
    for one, other in zip(exact, coarse, strict=True):
        assert one.value == pytest.approx(other.value)
    assert coarse[0].high - coarse[0].low > exact[0].high - exact[0].low


def test_one_level_is_no_curve(evaluations, series):
    with pytest.raises(InputError, match="at least two levels"):
        learning.learning_curve({4: evaluations[4]})
    with pytest.raises(InputError, match="Level 8 has no arm 'real'"):
        learning.learning_curve({4: evaluations[4], 8: evaluations[8][1:]})
    assert levels.curves(series.summaries()[:1]) == []


def test_the_page_of_all_levels_says_it(series):
    page = series.page.read_text()
    assert "Worth in real images" in page and "<code>add:1</code> at level 4 is worth" in page
    assert "wider than need be" not in page
    assert "6 rows, one for each arm." in page
    links = re.findall(r'href="(.*?\w+\.html)"', page)  # in the order in which they ran
    assert links == [f"{place}index.html" for place in ("", "../0001/", "../0002/") for _ in "ra"]
    assert "How to read this" in page and "No difference larger than 1 point" in page
    (curve,) = series.curves()
    assert curve.learning.basis == "evaluations"
    (row,) = levels.worth_rows(curve)
    assert row[0] == "add:1" and row[1].startswith("+3 (")
    assert len(levels.worth_sentences(curve)) == 2
    assert curve.learning == series.curves()[0].learning


@pytest.mark.parametrize(
    ("numbers", "words", "span"),
    [
        ((20.4, -3, 41, -25, 150), "is worth about 20 extra real images per class", "-3 to 41"),
        (
            (150, 90, 150, -25, 150),
            "is worth 150 extra real images per class, or more",
            "90 to 150 or more",
        ),
        ((-12, -20, 5, -25, 9), "is like having about 12 fewer real images per class", "-20 to 5"),
        (
            (-25, -25, -9, -25, 9),
            "is like having 25 fewer real images per class, or worse",
            "-25 or less to -9",
        ),
        ((1.2, 0, 3, 0, 175), "is worth about 1 extra real image per class", "0 or less to 3"),
        ((-0.9, -2, 3, -25, 175), "is like having about 1 fewer real image per class", "-2 to 3"),
        ((0, 0, 3, 0, 175), "is worth no extra real images", "0 or less to 3"),
        ((0, 0, 0, 0, 175), "is worth no extra real images", "0 or less"),
        (
            (0, -30, 0, -175, 0),
            "is no worse than `real`; its worth in real images needs a larger level",
            "-30 to 0 or more",
        ),
    ],
)
def test_sentences(numbers, words, span):
    text = worth.sentence(worth_of(*numbers))
    assert text == f"`add:1` at level 50 {words} (95 % interval {span})."


def test_cells():
    assert worth.cell(worth_of(150, 20, 150, -25, 150)) == "≥ +150 (+20 to ≥ +150)"
    assert worth.cell(worth_of(0.2, -25, 2, -25, 9)) == "0 (≤ -25 to +2)"


def worth_of(*numbers):
    names = ("value", "low", "high", "floor", "ceiling")
    return Worth(label="add:1", level=50, **dict(zip(names, numbers, strict=True)))
