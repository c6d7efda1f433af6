"""A sweep through the real command line, with every real step, tiny."""

import html
import json
from pathlib import Path

import pytest
from program import events, in_this_process, record

from augstudy.core import artifacts
from augstudy.pages import answers
from augstudy.results import files


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the smoke sweep was run."""
    folder = tmp_path_factory.mktemp("sweep")
    done = in_this_process(folder, "run", "cnn_tuning", "--preset", "smoke")
    assert done.returncode == 0, done.stderr
    (folder / "out.txt").write_text(done.stdout)
    return folder


def test_terminal_and_page_show_every_point_and_finding(swept: Path) -> None:
    out = (swept / "out.txt").read_text()
    summary = json.loads((swept / "runs/0001/summary.json").read_text())
    page = html.unescape((swept / "runs/0001/report.html").read_text())
    assert list(summary["points"]) == ["base", "kernel=5x5", "dropout=0.2"]
    for text in [*summary["points"], *(item["claim"] for item in summary["findings"])]:
        assert text in out
    assert answers.answer(files.summary(summary)).answer.split(":")[0] in page
    assert all(item["cpu_s"] > 0 for item in summary["points"].values())


def test_every_artifact_is_sound_and_two_points_were_tested(swept: Path) -> None:
    found: dict[str, int] = {}
    for manifest in (swept / "runs/0001/artifacts").rglob(artifacts.MANIFEST):
        kind = json.loads(manifest.read_text())["kind"]
        artifacts.read(manifest.parent, kind)
        found[kind] = found.get(kind, 0) + 1
    kinds = {"dataset": 1, "points": 2, "classifier": 2, "evaluation": 2, "report": 1}
    assert found == kinds
    assert record(swept)["cpu_s"] > 0


def test_the_tracker_has_a_row_a_point(swept: Path) -> None:
    done = in_this_process(swept, "runs", "list", "--columns", "pipeline,arm,val_accuracy,verdict")
    assert done.returncode == 0, done.stderr
    rows = {line for line in done.stdout.splitlines() if line.startswith("cnn_tuning")}
    assert len(rows) == 3  # however many equal runs there are
    assert "dropout=0.2" in done.stdout
    assert "base" in in_this_process(swept, "runs", "show", "1").stdout


def test_the_next_run_trains_nothing_again(swept: Path) -> None:
    done = in_this_process(swept, "run", "cnn_tuning", "--preset", "smoke", "--set", "workers=[1]")
    assert done.returncode == 0, done.stderr
    first, second = (
        json.loads((swept / f"runs/{number:04d}/summary.json").read_text()) for number in (1, 2)
    )
    assert first["differences"] == second["differences"]
    for name, point in first["points"].items():
        assert point["by_seed"] == second["points"][name]["by_seed"]
    trained = [item for item in events(swept, 2) if "loss" in str(item.get("text"))]
    assert trained == []


SEARCH = (
    "sweep.mode=search",
    "sweep.search={trials: 3, finalists: 1, startup: 1, prune_after: 1}",
    "sweep.findings=[]",
    "classifier_settings.epochs=2",
    "workers=[1]",
)


def test_a_search_shows_its_trials_and_trains_nothing_twice(tmp_path: Path) -> None:
    changes = [word for change in SEARCH for word in ("--set", change)]
    for _ in range(2):
        done = in_this_process(tmp_path, "run", "cnn_tuning", "--preset", "smoke", *changes)
        assert done.returncode == 0, done.stderr
        assert "3 trials" in done.stdout
    first, second = (
        json.loads((tmp_path / f"runs/{number:04d}/summary.json").read_text()) for number in (1, 2)
    )
    assert [trial["number"] for trial in first["search"]["trials"]] == [0, 1, 2]
    assert first["search"]["trials"][0]["id"] == "base"
    for trial, again in zip(first["search"]["trials"], second["search"]["trials"], strict=True):
        assert {**trial, "cost": 0} == {**again, "cost": 0}
        assert trial["cost"]["cpu_s"] > 0.5
    assert first["differences"] == second["differences"]
    assert len(first["points"]) == 2
    assert "What was tried" in (tmp_path / "runs/0001/report.html").read_text()
    assert [item for item in events(tmp_path, 1) if "loss" in str(item.get("text"))]
    assert not [item for item in events(tmp_path, 2) if "loss" in str(item.get("text"))]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("sweep.mode=search", "how many points it tries"),
        ("sweep.search.trials=5", "search is for mode search"),
        ("workers=[1, 1]", "workers must name at least one worker"),
        ("sweep.mode=random", "the sweep, mode"),
        ("sweep.axes=[]", "the sweep, axes"),
    ],
)
def test_mistakes_are_told_before_anything_runs(
    tmp_path: Path, setting: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from augstudy.cli.app import invoke

    asked = ["run", "cnn_tuning", "--preset", "smoke", "--set", setting]
    assert invoke([*asked, "--runs-dir", str(tmp_path / "runs")]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "runs").exists()
