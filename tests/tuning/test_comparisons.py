"""What a sweep says of its points and of findings, and that its page shows all of it."""

import json
import re
from unittest.mock import Mock

import numpy as np
import pytest
from builders import build_dataset
from swept import build_points, build_tested

from augstudy.core import artifacts
from augstudy.core.errors import InputError
from augstudy.local import catalog, parameters
from augstudy.pages import answers, kfp_metrics, levels
from augstudy.results import files
from augstudy.results.against_base import on_other_images
from augstudy.runs import record
from augstudy.stats.paired import as_differences, paired_difference, run_difference
from augstudy.stats.verdicts import judge
from augstudy.steps.summarize_sweep import run
from augstudy.tuning.sweep import Finding, parse_sweep

SWEEP = {
    "axes": [
        {
            "name": "kernel",
            "values": [
                {"label": "5x5", "set": {"network": {"kernels": [5, 5, 5], "padding": "same"}}},
                {"label": "4x4", "set": {"network": {"kernels": [4, 4, 4], "padding": "same"}}},
            ],
        },
        {
            "name": "batch",
            "values": [
                {"label": "32", "set": {"batch_size": 32}},
                {"label": "1000", "set": {"batch_size": 1000}},
            ],
        },
    ],
    "findings": [
        {"claim": "Wide filters help", "point": "kernel=5x5", "expected": "higher"},
        {"claim": "A batch of 1000 helps", "point": "batch=1000", "expected": "higher"},
        {
            "claim": "A batch of 32 overfits",
            "point": "batch=32",
            "metric": "overfitting",
            "expected": "higher",
        },
    ],
}
SKILLS = {
    "base": (0.6, 0.1),
    "kernel=5x5": (0.75, 0.1),
    "batch=1000": (0.5, 0.1),
    "batch=32": (0.6, 0.3),
}


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """The report of a sweep that two workers trained."""
    folder = tmp_path_factory.mktemp("sweep")
    data, sweep = build_dataset(folder / "data", val=60, test=30), parse_sweep(SWEEP)
    workers = [
        build_points(folder / f"w{n}", data, sweep, SKILLS, worker=n, workers=2) for n in (0, 1)
    ]
    tested = (
        build_tested(folder / "base", data, "base", "base"),
        build_tested(folder / "chosen", data, "chosen", "kernel=5x5", skill=0.8),
    )
    study = {"source": "file:///drawings", "sweep": SWEEP, "seeds": [0, 1]}
    made = data.path, workers, tested, sweep, study
    return folder, made, run(made[0], folder / "report", *made[1:])


def test_points_are_compared_with_the_base(swept) -> None:
    summary = swept[2].json("summary.json")
    verdicts = {name: found["verdict"] for name, found in summary["differences"].items()}
    assert verdicts["kernel=5x5"] == "helps"
    assert verdicts["batch=1000"] == "hurts"
    assert verdicts["kernel=4x4"] not in ("helps", "hurts")
    assert summary["chosen"] == "kernel=5x5"
    # An axis is a family: two comparisons each.
    assert {found["comparisons"] for found in summary["differences"].values()} == {2}


def test_findings_hold_or_do_not(swept) -> None:
    found = {item["claim"]: item for item in swept[2].json("summary.json")["findings"]}
    assert found["Wide filters help"]["judgement"] == "holds"
    assert found["A batch of 1000 helps"]["judgement"] == "does not hold"
    assert found["A batch of 32 overfits"]["judgement"] == "holds"
    assert found["A batch of 32 overfits"]["difference"]["mean"] == pytest.approx(0.2, abs=0.03)


def test_test_accuracy_is_known_of_two_points_only(swept) -> None:
    summary = swept[2].json("summary.json")
    assert set(summary["test"]) == {"base", "chosen", "difference"}
    assert not [key for point in summary["points"].values() for key in point if "test" in key]
    found = files.summary(summary)
    rows = record.build({"id": 1, "state": "done"}, found)["arms"]
    tested = {row["arm"] for row in rows if row["accuracy"] is not None}
    assert tested == {"base", "kernel=5x5"}
    assert {row["arm"]: row["verdict"] for row in rows}["batch=1000"] == "hurts"


@pytest.mark.parametrize(("validation", "test"), [(1500, 100), (60, 400)])
def test_the_scatter_of_runs_is_carried_over_to_other_images(validation, test) -> None:
    """Over few images accuracies scatter more than over many: the interval must know."""
    generator, tries, held = np.random.default_rng(0), 400, 0
    for _ in range(tries):
        drawn = [equals(generator, count, arms) for count, arms in ((validation, 8), (test, 2))]
        points = [
            Mock(balance=None, correct=each, by_seed=lambda _, own=each: own.mean(1))
            for each in drawn[0]
        ]
        scatter = on_other_images(points, as_differences(*drawn[1]))
        found = paired_difference(*drawn[1], resamples=500, runs=scatter)
        held += found.low <= 0 <= found.high
    assert 0.93 <= held / tries <= 0.99  # 400 tries at 95 %: +- 1.1 %


def equals(generator, images, arms):
    """Outcomes (3, images) of arms that are equally good, with three seeds."""
    ease = 1.5 * generator.normal(size=images)
    own = 0.3 * generator.normal(size=(arms, 1, images))
    return (ease + own + 0.8 * generator.normal(size=(arms, 3, images))) > -0.4


def test_tables_over_many_runs_take_a_sweep_as_it_is(swept) -> None:
    summary = files.read_summary(swept[2].path)
    data = summary.data.model_copy(update={"level": 99})
    other = summary.model_copy(update={"data": data})
    assert levels.curves([summary, other]) == []  # a sweep has no arms to follow over levels
    found = record.rows([record.build({"id": 1, "state": "done"}, summary)])
    (row,) = (row for row in found if row["arm"] == "kernel=5x5")
    assert (row["state"], row["outcome"], row["verdict"]) == ("done", "helps", "helps")


def test_the_page_shows_every_axis_and_finding_and_needs_nothing_else(swept) -> None:
    page = swept[2].file("report.html").read_text()
    for text in ("Kernel", "Batch", "5x5", "1000", "Wide filters help", "does not hold"):
        assert text in page
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    assert len(page) < 2_000_000
    verdict = swept[2].file("verdict.md").read_text()
    assert "| A batch of 1000 helps |" in verdict
    flat = kfp_metrics.scalars(files.read_summary(swept[2].path))
    assert flat["23 findings that hold"] == 2
    json.dumps(flat, allow_nan=False)


def test_another_point_than_chosen_is_refused(swept, tmp_path) -> None:
    _, (data, workers, (base, _), sweep, study), _ = swept
    other = build_tested(tmp_path / "other", artifacts.read(data), "chosen", "batch=32")
    with pytest.raises(InputError, match="'kernel=5x5' is best"):
        run(data, tmp_path / "report", workers, (base, other), sweep, study)
    with pytest.raises(InputError, match="base of the sweep was not trained"):
        run(data, tmp_path / "report", workers[1:], (base, other), sweep, study)


@pytest.mark.parametrize(
    ("expected", "by", "low", "high", "p", "said"),
    [
        ("higher", 0.0, 0.01, 0.05, 0.01, "holds"),
        ("higher", 0.0, 0.01, 0.05, 0.20, "can't tell"),  # not after correction
        ("higher", 0.0, -0.02, 0.05, 0.30, "can't tell"),
        ("higher", 0.0, -0.05, 0.009, 0.30, "does not hold"),  # less than matters, if anything
        ("higher", 0.0, -0.05, -0.02, 0.01, "does not hold"),
        ("higher", 0.03, 0.01, 0.05, 0.01, "can't tell"),
        ("higher", 0.03, 0.01, 0.02, 0.01, "does not hold"),
        ("lower", 0.0, -0.05, -0.01, 0.01, "holds"),
        ("lower", 0.0, 0.02, 0.05, 0.01, "does not hold"),
        ("same", 0.0, -0.005, 0.008, 0.60, "holds"),
        ("same", 0.0, 0.02, 0.05, 0.01, "does not hold"),
        ("same", 0.0, -0.03, 0.02, 0.60, "can't tell"),
    ],
)
def test_what_an_interval_says_of_a_finding(expected, by, low, high, p, said) -> None:
    finding = Finding(claim="x", point="a=b", expected=expected, by=by)
    asked = finding.expected, finding.by
    assert judge(*asked, low, high, p, margin=0.01) == said


def test_a_single_seed_tells_nothing_of_a_finding(tmp_path) -> None:
    data, sweep = build_dataset(tmp_path / "data", val=30), parse_sweep(SWEEP)
    worker = build_points(tmp_path / "w", data, sweep, SKILLS, seeds=(0,))
    base, chosen = (
        build_tested(tmp_path / name, data, name, point, seeds=(0,))
        for name, point in (("base", "base"), ("chosen", "kernel=5x5"))
    )
    report = run(data.path, tmp_path / "report", [worker], (base, chosen), sweep, {})
    summary = report.json("summary.json")
    assert {item["judgement"] for item in summary["findings"]} == {"can't tell"}
    assert {item["verdict"] for item in summary["differences"].values()} == {"can't tell yet"}


def test_of_classifiers_that_only_guess_it_says_what_to_change(swept) -> None:
    found = files.summary(swept[2].json("summary.json"))
    assert "epochs" not in answers.answer(found).sentence
    guessed = found.test.difference.model_copy(update={"verdict": "at chance"})
    test = found.test.model_copy(update={"difference": guessed})
    said = answers.answer(found.model_copy(update={"test": test}))
    assert "has learnt nothing" in said.answer and "(epochs)" in said.sentence


def test_run_difference_is_a_paired_t_interval() -> None:
    from scipy import stats

    one, other = [0.3, 0.5, 0.45], [0.2, 0.3, 0.4]
    mean, low, high, p_value = run_difference(one, other)
    expected = stats.ttest_rel(one, other)
    interval = expected.confidence_interval(0.95)
    assert (mean, low, high) == pytest.approx((0.35 / 3, interval.low, interval.high))
    assert p_value == pytest.approx(expected.pvalue)
    assert run_difference([0.3], [0.2])[1:] == (-1.0, 1.0, 1.0)


def test_a_preset_extends_another(tmp_path) -> None:
    (tmp_path / "a.yaml").write_text(
        "seeds: [0]\nclassifier_settings: {epochs: 3, batch_size: 8}\n"
    )
    (tmp_path / "b.yaml").write_text("extends: a\nclassifier_settings: {epochs: 5}\n")
    content = catalog.load_preset(str(tmp_path / "b.yaml"), "cnn_tuning")
    assert content == {"seeds": [0], "classifier_settings": {"epochs": 5, "batch_size": 8}}
    with pytest.raises(InputError, match="did you mean report"):
        parameters.Wanted("cnn_tuning", "reprot").values()
