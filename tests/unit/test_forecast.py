"""What a study says before it runs: what can be seen, how to see more, and how long it takes."""

import csv
import json
import platform

import pytest

from augstudy.data.listed import Listed
from augstudy.data.reading import check_source
from augstudy.local import forecast
from augstudy.pages import verdicts
from augstudy.results.power import cheapest, expected
from augstudy.settings.data import DataSettings
from augstudy.steps import ingest

CELL = ("train_cnn", "evaluate")
BASE = {"source": "sample", "classifier": "modern", "level": 50, "seeds": [0, 1], "gan": "compact"}
ARMS = [{"arm": "real"}, {"arm": "add", "share": 1.0}]
STEPS = [
    ("ingest", "", 10.0),
    ("train_judge", "", 30.0),
    ("train_gan", "", 100.0),
    ("train_cnn", "real", 38.0),
    ("train_cnn", "add:1", 78.0),
    ("evaluate", "real", 2.0),
    ("evaluate", "add:1", 2.0),
    ("summarize", "", 5.0),
]


HEAD = b"stage,label,startup_s,work_s,reused\n"
DAMAGES = [
    ("run.json", b"{"),
    ("run.json", b"[1]"),
    ("run.json", b"null"),
    ("run.json", b'{"state": "done"}'),
    ("timings.csv", b""),
    ("timings.csv", HEAD + b"ingest,,x,1,0\n"),
    ("timings.csv", HEAD + b"train_cnn\n"),
    ("timings.csv", b"\xff\xfe"),
    ("timings.csv", b"other\n1\n"),
]


def ran(runs, number, steps=STEPS, reused=(), **more):
    """A finished run, as the runner leaves it."""
    path = runs / f"{number:04d}"
    path.mkdir(parents=True)
    record = {"state": "done", "pipeline": "augmentation_study", "host": platform.node()}
    record |= {"parameters": {**BASE, "arms": ARMS}} | more
    (path / "run.json").write_text(json.dumps(record))
    with (path / "timings.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["stage", "label", "startup_s", "work_s", "reused"])
        rows.writerows([*step[:2], 0.0, step[2], int(step[0] in reused)] for step in steps)
    return path


def asked(**more):
    return {**BASE, "arms": ARMS, **more}


def test_a_study_that_was_run_before_takes_as_long_again(tmp_path):
    ran(tmp_path, 3)
    found = forecast.expected(tmp_path, "augmentation_study", asked())
    assert found.run == "0003" and found.seconds == pytest.approx(145 + 120 / 2)


@pytest.mark.parametrize(
    ("change", "seconds"),
    [
        ({"seeds": [0, 1, 2, 3]}, 145 + 120),
        ({"level": 100}, 145 + 120),
        ({"arms": [*ARMS, {"arm": "classic"}]}, 145 + 90),
        ({"draws": 3}, 15 + 3 * 130 + 180),
        ({"folds": 5, "draws": 2}, 15 + 10 * 130 + 600),
        ({"equivalence_margin": 0.02}, 145 + 60),
    ],
)
def test_more_of_it_takes_longer(tmp_path, change, seconds):
    ran(tmp_path, 1)
    found = forecast.expected(tmp_path, "augmentation_study", asked(**change))
    assert found.seconds == pytest.approx(seconds)


def test_what_cannot_be_compared_is_passed_over(tmp_path):
    ran(tmp_path, 1)
    ran(tmp_path, 2, host="elsewhere")
    ran(tmp_path, 3, state="failed")
    ran(tmp_path, 4, reused=("train_gan",))
    ran(tmp_path, 5, reused=CELL)
    ran(tmp_path, 6, parameters={**BASE, "arms": ARMS, "classifier": "report_best"})
    for number, (name, text) in enumerate(DAMAGES, 10):
        (ran(tmp_path, number) / name).write_bytes(text)
    (tmp_path / "0007").mkdir()
    (tmp_path / "0008").mkdir()
    (tmp_path / "0008" / "run.json").write_text("[")
    assert forecast.expected(tmp_path, "augmentation_study", asked()).run == "0001"
    other = asked(gan="diffusion")
    assert forecast.expected(tmp_path, "augmentation_study", other) is None
    assert forecast.expected(tmp_path, "cnn_tuning", asked()) is None
    assert forecast.expected(tmp_path / "none", "augmentation_study", asked()) is None


@pytest.mark.parametrize(
    "settings",
    [
        {"train_per_class": 20, "val_per_class": 5, "test_per_class": 9},
        {"train_per_class": 20, "val_per_class": 5},
        {"level": 10},
        {"folds": 5, "test_per_class": 9},
        {"folds": 5},
        {"test_per_class": 12, "draws": 2},
    ],
    ids=str,
)
def test_test_images_are_counted_before_they_are_read(tmp_path, settings):
    data = DataSettings(classes=("cow", "zebra", "lion"), **settings)
    listed = check_source(data)
    made = ingest.run(tmp_path / "data", data)
    report = made.json("data_report.json")
    tested = sum(fold["test"] for fold in report.get("folds", [report["total"]]))
    assert tested <= listed.tested(data) <= 1.05 * tested + 3


def test_test_images_that_are_given_are_counted():
    listed = Listed({"a": 100, "b": 80}, {"a": 20, "b": 10})
    assert listed.tested(DataSettings()) == 30
    assert listed.tested(DataSettings(test_per_class=15)) == 25


def test_the_cheapest_change_sees_the_margin():
    seen = expected(3, 3000, 1)
    found = cheapest(seen, 0.015, {0: 3000, 5: 15_000})
    assert found.runs == found.seeds * max(1, found.folds) and found.images is None
    assert expected(found.seeds, 3000, 1, folds=max(1, found.folds)).detectable <= 0.015
    others = [(seeds, 1, 3000) for seeds in range(2, 21)]
    others += [(seeds, 5, 15_000) for seeds in range(2, 21)]
    assert found.runs == min(
        seeds * folds
        for seeds, folds, images in others
        if expected(seeds, images, 1, folds=folds).detectable <= 0.015
    )
    said = verdicts.change(found, 0.015, 3)
    assert (
        said == f"To see 1.5 points, use {found.seeds} seeds: {found.runs} training runs per "
        "arm instead of 3."
    )


def test_where_images_lack_their_number_is_said():
    seen = expected(3, 220, 4)
    found = cheapest(seen, 0.01, {0: 220})
    assert found.images > 2000
    assert expected(found.seeds, found.images, 4).detectable <= 0.01
    assert verdicts.change(found, 0.01, 3).startswith("To see 1 point, it would take about ")
    assert cheapest(expected(5, 10_000, 1), 0.03, {0: 10_000}) is None
    assert cheapest(expected(3, 20, 4), 0.0001, {0: 20}) is None
    assert verdicts.change(None, 0.01, 3) == ""
