"""What the report says of filters, of doubtful labels, and of what is beside the arms."""

import re

import builders
import generated
import numpy as np
import pytest
from found import arm as trained
from found import study as results_of

from augstudy.core import artifacts
from augstudy.pages import sections
from augstudy.settings.arms import Arm
from augstudy.steps import summarize

CLASSES = ("cow", "horse", "zebra", "tiger")  # two pairs that are easily confused
ARMS = (
    ("real", None, None, 0.0),
    ("real", None, "unaugmented", -0.5),
    ("add_filtered", 0.5, None, 0.5),
    ("classic_add", 1.0, None, 0.3),
    ("same_steps", 1.0, None, 0.1),
    ("real_filtered", None, None, -0.1),
    ("extra_real", 1.0, None, 0.9),
)


def made_of(synthetic, curation):
    return {
        "compact": {"images": synthetic, "filter": curation.path},
        "": {"filter": curation.path},
    }


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    dataset = builders.build_dataset(folder / "dataset", CLASSES, test=40)
    paths = []
    for arm, share, name, skill in ARMS:
        label = Arm(arm=arm, share=share, name=name).label
        made = builders.build_evaluation(
            folder / label,
            dataset,
            arm,
            share,
            skill=skill,
            name=name,
            discriminator=label == "real",
        )
        paths.append(made.path)
    synthetic = generated.build_synthetic(folder / "synthetic", dataset)
    return {
        "dataset": dataset.path,
        "evaluations": paths[::-1],
        "made": made_of(synthetic.path, generated.build_curation(folder / "f", dataset, synthetic)),
        "left_out": {"add:3": "the pool is <empty>"},
    }


@pytest.fixture(scope="module")
def report(study, tmp_path_factory):
    return summarize.run(out=tmp_path_factory.mktemp("out") / "report", **study)


@pytest.fixture(scope="module")
def page(report):
    text = report.file("report.html").read_text()
    return re.sub(r"\s+", " ", text.replace("\N{NO-BREAK SPACE}", " "))


def test_the_arm_called_real_comes_first_and_is_what_others_are_compared_with(report):
    summary = report.json("summary.json")
    assert list(summary["arms"])[:2] == ["real", "unaugmented"]
    assert "real" not in summary["differences"] and "unaugmented" in summary["differences"]
    assert "| Unaugmented |" in report.file("verdict.md").read_text()


def test_an_arm_that_was_left_out_is_named_with_its_reason(report, page):
    assert report.json("summary.json")["left_out"] == {"add:3": "the pool is <empty>"}
    assert "Arm add:3 was left out: the pool is &lt;empty&gt;." in page


def test_the_budget_is_stated(report, page):
    assert report.json("summary.json")["budget"] == "steps"
    assert "Equal gradient steps" in page
    assert "“100 % more steps (control)” is the exception" in page


def budget_of(kind, **steps):
    arms = {
        name: trained(name, 1.0).model_copy(update={"steps": made}) for name, made in steps.items()
    }
    found = results_of(arms, {}, None)
    return sections.budget(found.model_copy(update={"budget": kind}))


def test_steps_that_are_not_equal_are_said_to_be_so():
    """One epoch of 11 steps cannot be halved for an arm with twice the images."""
    said = budget_of("steps", real=11, add=21, replace=11, same_steps=22)
    assert "real made 11, “100 % synthetic added” 21. “100 % more steps (control)” is the" in said
    assert "every arm trains for as many" not in said
    nearly = budget_of("steps", real=1000, add=1049, replace=951)
    assert "every arm trains for as many steps as real" in nearly and "made" not in nearly


def test_with_equal_epochs_the_arm_that_has_more_is_named():
    said = budget_of("epochs", real=11, add=22, same_steps=22)
    assert "more images mean more steps. “100 % more steps (control)” is the exception" in said
    assert budget_of("epochs", real=11, add=22).endswith("more images mean more steps.")


def test_the_filter_is_shown_class_by_class(report, page):
    assert "What the filter lets through" in page
    filtered = report.json("summary.json")["sets"]["compact"]["filtered"]
    assert filtered["synthetic"]["by_class"]["cow"]["kept"] == 0
    assert "takes 4 images per class, but fewer of some classes passed the filter (cow: 0)." in page
    assert "Real images filtered (control) takes " in page.split('id="filter"')[1]


def test_without_balance_too_few_in_all_are_named(study, tmp_path):
    dataset = artifacts.read(study["dataset"])
    synthetic = artifacts.read(study["made"]["compact"]["images"])
    few = generated.build_curation(tmp_path / "few", dataset, synthetic, 0.02, balance=False)
    report = summarize.run(out=tmp_path / "out", **{**study, "made": made_of(synthetic.path, few)})
    filtered = report.file("report.html").read_text().split('id="filter"')[1]
    kept = report.json("summary.json")["sets"]["compact"]["filtered"]["synthetic"]["kept"]
    assert f"but only {kept} passed the filter." in filtered
    assert "per class, but" not in filtered


def test_accuracies_with_and_without_doubtful_labels(report, study):
    found = report.json("summary.json")["label_noise"]
    real = artifacts.read(study["evaluations"][-1], "evaluation")
    with np.load(real.file("label_noise.npz")) as stored:
        left = ~stored["suspicious"]
    assert found["suspicious"] == (~left).sum() > 0 and found["left"] == left.sum()
    with np.load(real.file("predictions.npz")) as stored:
        correct = stored["probabilities"].argmax(-1) == stored["labels"]
    assert found["arms"]["real"] == {
        "all": pytest.approx(correct.mean()),
        "left": pytest.approx(correct[:, left].mean()),
        "left_minus_real": None,
    }
    other = found["arms"]["extra_real:1"]
    assert other["left_minus_real"]["mean"] == pytest.approx(
        other["left"] - found["arms"]["real"]["left"]
    )


def test_the_most_doubtful_drawings_are_shown(page):
    suspects = page.split('class="suspects"')[1].split("</section>")[0]
    assert 0 < suspects.count("<figure>") <= 24
    assert re.search(
        r"<figcaption>(cow|horse|zebra|tiger) <b>→ (cow|horse|zebra|tiger)</b>", suspects
    )


def test_the_discriminator_stands_beside_the_arms_but_is_none(report, page):
    summary = report.json("summary.json")
    assert summary["sets"]["compact"]["discriminator"]["recall_macro"]["value"] > 0
    assert "discriminator" not in summary["arms"]
    row = page[page.index("The GAN's discriminator" if "The GAN's" in page else "The GAN&#39;s") :]
    assert "not an arm" in row[:900]


def test_without_filter_and_discriminator_their_parts_are_missing(study, tmp_path):
    plain = {**study, "evaluations": study["evaluations"][:1], "made": {}}
    dataset = artifacts.read(study["dataset"], "dataset")
    made = builders.build_evaluation(tmp_path / "real", dataset)
    page = summarize.run(out=tmp_path / "out", **{**plain, "evaluations": [made.path]})
    text = page.file("report.html").read_text()
    assert "not an arm" not in text and "What the filter lets through" not in text
    assert page.json("summary.json")["sets"] == {}
