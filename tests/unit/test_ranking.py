"""Sets beside each other: which is better, by how much, and on which classes."""

import re
from dataclasses import replace

import numpy as np
import pytest
from builders import build_dataset, build_evaluation
from generated import build_synthetic

from augstudy.pages import sets
from augstudy.results import comparisons, files, ranking
from augstudy.results.material import place, read_arm
from augstudy.steps import summarize

CLASSES = ("cow", "lion", "zebra")
ARMS = (
    ("real", None, None, 0.0),
    ("same_steps", 1.0, None, 0.0),
    ("add", 1.0, "good", 1.2),
    ("add", 1.0, "poor", -0.6),
    ("add", 1.0, "same", 1.2),
    ("pretrain", None, "good", 1.5),
    ("pretrain", None, "poor", 0.0),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ranked")


@pytest.fixture(scope="module")
def dataset(folder):
    return build_dataset(folder / "dataset", CLASSES, test=100)


@pytest.fixture(scope="module")
def evaluations(folder, dataset):
    return [
        build_evaluation(
            folder / f"{arm}-{of}", dataset, arm, share, skill=skill, of=of, run_spread=0.02
        ).path
        for arm, share, of, skill in ARMS
    ]


@pytest.fixture(scope="module")
def arms(evaluations):
    return sorted(map(read_arm, evaluations), key=place)


def test_sets_are_compared_within_a_kind_of_arm_the_better_one_first(arms):
    found = ranking.between_sets(arms, 0.01)
    pairs = {(item.arm, item.against): item for item in found}
    assert len(found) == 3 + 1 and all(item.comparisons == 4 for item in found)
    assert all(item.mean >= 0 and item.p_holm >= item.p for item in found)
    assert pairs["pretrain@good", "pretrain@poor"].verdict == "helps"
    beaten = [item.verdict for item in found if item.against == "add:1@poor"]
    assert beaten == ["helps", "helps"]
    (level,) = (item for item in found if {"add:1@good", "add:1@same"} == {item.arm, item.against})
    assert level.verdict != "helps"


def test_other_names_change_the_names_and_nothing_else(arms):
    other = {"good": "poor", "poor": "good"}

    def renamed(arm):
        new = other.get(arm.set, arm.set)
        return replace(arm, set=new, label=arm.label.replace(f"@{arm.set}", f"@{new}"))

    before = ranking.between_sets(arms, 0.01)
    after = ranking.between_sets([renamed(arm) for arm in arms], 0.01)
    assert len(before) == len(after)
    for old in before:
        names = {
            re.sub("@(good|poor)", lambda found: f"@{other[found[1]]}", label)
            for label in (old.arm, old.against)
        }
        (new,) = (item for item in after if {item.arm, item.against} == names)
        assert (new.mean, new.low, new.high, new.p_holm) == (
            old.mean, old.low, old.high, old.p_holm,
        )  # fmt: skip


def test_pretraining_is_compared_with_as_many_steps_and_with_its_own_set(arms):
    found = comparisons.between_arms(arms, 0.01)
    pairs = {(item.arm, item.against) for item in found}
    assert {pair for pair in pairs if pair[0] == "pretrain@good"} == {
        ("pretrain@good", "same_steps:1"), ("pretrain@good", "add:1@good"),
    }  # fmt: skip


def test_sets_that_cannot_be_told_apart_are_said_to_be_so(folder, dataset):
    paths = [
        build_evaluation(folder / f"equal-{of}", dataset, arm, share, of=of, skill=0.0).path
        for arm, share, of in (("real", None, None), ("add", 1.0, "one"), ("add", 1.0, "two"))
    ]
    report = summarize.run(dataset.path, folder / "equal", paths)
    said = sets.ranked(files.read_summary(report.path))
    assert len(said) == 1 and "100 % synthetic added: " in said[0]
    assert re.search("(one and two|two and one) cannot be told apart yet|no difference", said[0])


def test_recall_of_each_class_has_a_correction_of_its_own(arms):
    found = ranking.recalls(arms, CLASSES, 0.01)
    assert set(found) == {arm.label for arm in arms} - {"real"}
    assert all(set(of_arm) == set(CLASSES) for of_arm in found.values())
    real = next(arm for arm in arms if arm.label == "real")
    best = next(arm for arm in arms if arm.label == "pretrain@good")
    for label, name in enumerate(CLASSES):
        item, mine = found["pretrain@good"][name], real.labels == label
        assert item.comparisons == len(CLASSES) and item.images == mine.sum()
        assert item.p_holm >= item.p
        change = best.correct[:, mine].mean() - real.correct[:, mine].mean()
        assert item.mean == pytest.approx(change)


def test_a_clear_change_of_a_class_has_a_verdict(arms):
    real = next(arm for arm in arms if arm.label == "real")
    mine = real.labels == CLASSES.index("lion")
    worse = replace(real, label="add:1", arm="add", share=1.0, correct=real.correct & ~mine)
    found = ranking.recalls([real, worse], CLASSES, 0.01)["add:1"]
    assert found["lion"].verdict == "hurts" and found["lion"].mean < -0.4
    assert found["cow"].verdict == "can't tell yet" and found["cow"].mean == 0
    worst = ranking.worst_classes([real, worse], CLASSES, 0.01)["add:1"]
    assert worst.label == "lion" and worst.difference == found["lion"].model_copy(
        update={"comparisons": 1, "p_holm": worst.difference.p}
    )


def test_the_worst_class_is_no_worse_for_having_been_chosen(arms):
    """Arms that are alike: among classes that are alike, the worst one does not seem to gain."""
    generator, classes, changes, clear = np.random.default_rng(1), 8, [], 0
    real, other = (arm for arm in arms if arm.label in ("real", "add:1@good"))
    labels = np.repeat(np.arange(classes), 40).astype(np.int32)
    tries = 60
    for _ in range(tries):
        ease = generator.uniform(0.5, 0.9, len(labels))
        pair = [
            replace(arm, labels=labels, correct=generator.random((3, len(labels))) < ease)
            for arm in (real, other)
        ]
        (found,) = ranking.worst_classes(pair, [str(it) for it in range(classes)], 0.01).values()
        changes.append(found.difference.mean)
        clear += found.difference.verdict in ("helps", "hurts")
    assert abs(np.mean(changes)) < 2.5 * np.std(changes) / np.sqrt(tries)
    assert clear <= 7  # of 60 at 5 %: 3 are expected


def test_the_report_ranks_them_and_says_what_was_copied(folder, dataset, evaluations):
    images = build_synthetic(folder / "images", dataset)
    made = {name: {"images": images.path} for name in ("good", "poor", "same")}
    report = summarize.run(dataset.path, folder / "report", evaluations, made=made)
    found = files.read_summary(report.path)
    assert len(found.ranking) == 4 and set(found.sets) == set(made)
    verdict, page = (report.file(name).read_text() for name in ("verdict.md", "report.html"))
    assert "Synthetic first, then real: good is better than poor." in verdict
    assert "cannot be told apart yet" in verdict or "no difference that matters" in verdict
    beside = page[page.index("How good are the sets?") :].split("</table>")[0]
    assert all(f'<th class="num">{name}</th>' in beside for name in made)
    assert "What each set changes" in page
    assert "Verdicts of an arm are corrected for its 3 classes" in page
    assert "The class that is recognised least is" in verdict and "Worst class" in page
    assert set(found.recalls) == set(found.worst_classes) == set(found.differences)
