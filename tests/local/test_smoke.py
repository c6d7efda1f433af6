"""The whole study, every real step, on the drawings that come with the package."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from program import augstudy, events, in_this_process, record, start, wait_for

from augstudy.core import artifacts
from augstudy.local.runfolder import alive
from augstudy.pages import answers, readings
from augstudy.results import files

# A set of synthetic images is in the output of its own step, and with the other sets in curate's.
KINDS = {"dataset": 1, "judge": 1} | dict.fromkeys(
    ("gan", "synthetic", "classifier", "evaluation", "cam"), 2
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the smoke study was run."""
    folder = tmp_path_factory.mktemp("study")
    done = augstudy(folder, "run", "--preset", "smoke", "--note", "smoke")
    assert done.returncode == 0, done.stderr
    (folder / "out.txt").write_text(done.stdout)
    return folder


def test_terminal_tells_the_answer(study: Path) -> None:
    out = (study / "out.txt").read_text()
    summary = json.loads((study / "runs/0001/summary.json").read_text())
    assert answers.answer(files.summary(summary)).answer in out
    assert "replace:0.5" in out
    assert "Report: runs/0001/report.html" in out
    assert "starting the steps took" in out
    assert max(map(len, out.splitlines())) <= 100


def test_folder_holds_the_report_and_every_artifact(study: Path) -> None:
    run = study / "runs" / "0001"
    assert {"report.html", "summary.json", "verdict.md", "timings.csv"} <= {
        item.name for item in run.iterdir()
    }
    found: dict[str, int] = {}
    for manifest in (run / "artifacts").rglob(artifacts.MANIFEST):
        kind = json.loads(manifest.read_text())["kind"]
        artifacts.read(manifest.parent, kind)
        found[kind] = found.get(kind, 0) + 1
    assert found == {**KINDS, "report": 1}


def test_every_step_is_timed(study: Path) -> None:
    with (study / "runs" / "0001" / "timings.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    steps = [f"{row['stage']} {row['label']}".strip() for row in rows]
    cells = [
        f"{name} {arm}" for name in ("train_cnn", "evaluate") for arm in ("real", "replace:0.5")
    ]
    others = ["ingest", "train_judge", "train_gan", "synthesize", "import_synthetic", "curate"]
    others.append("summarize")
    assert sorted(steps) == sorted([*others, *cells])
    # With nothing to import and nothing to filter, these end before they begin.
    idle = ("import_synthetic", "curate")
    assert all(float(row["peak_mib"]) > 0 for row in rows if row["stage"] not in idle)
    assert 0 < record(study)["startup_s"] < record(study)["duration_s"]


def test_metrics_reached_the_dashboard(study: Path) -> None:
    (output,) = (study / "runs" / "0001" / "artifacts").rglob("summarize/executor_output.json")
    made = json.loads(output.read_text())["artifacts"]
    metrics = made["metrics"]["artifacts"][0]["metadata"]
    assert {"01 answer", "20 real, %", "30 gain of replace:0.5, points"} <= set(metrics)
    (quality,) = (study / "runs" / "0001" / "artifacts").rglob("gathered/*/images/quality.json")
    for name, figure in json.loads(quality.read_text())["metrics"].items():
        title = readings.figure(name).title
        assert metrics[f"51 synthetic, {title}"] == pytest.approx(figure["value"], rel=1e-3)
    steps = (study / "runs" / "0001" / "artifacts").rglob("executor_output.json")
    told = [path.parent.name for path in steps if "metrics" in _made(path)]
    assert told == ["summarize"]  # one column per run


def _made(output: Path) -> dict[str, Any]:
    """The artifacts of a step by name."""
    made: dict[str, Any] = json.loads(output.read_text()).get("artifacts", {})
    return made


def test_every_cell_reached_the_dashboard(study: Path) -> None:
    outputs = (study / "runs" / "0001" / "artifacts").rglob("evaluate/executor_output.json")
    cells = [json.loads(path.read_text())["artifacts"] for path in outputs]
    found = {cell["curves"]["artifacts"][0]["metadata"]["display_name"] for cell in cells}
    assert found == {"real, level 12", "replace:0.5, level 12"}
    for cell in cells:
        curves = cell["curves"]["artifacts"][0]["metadata"]
        assert len(curves["confusionMatrix"]["rows"]) == 3
        assert sum(sum(row["row"]) for row in curves["confusionMatrix"]["rows"]) == 3 * 6 * 2
        assert 2 <= len(curves["confidenceMetrics"]) <= 100
        assert len(json.dumps(curves, allow_nan=False)) < 16 * 1024


def test_arms_keep_their_order(study: Path) -> None:
    summary = json.loads((study / "runs" / "0001" / "summary.json").read_text())
    assert list(summary["arms"]) == ["real", "replace:0.5"]


def test_runs_lists_it(study: Path) -> None:
    done = in_this_process(study, "runs", "--csv", "all.csv", "--html", "all.html")
    assert done.returncode == 0, done.stderr
    assert "smoke" in done.stdout
    assert "replace:0.5" in (study / "all.csv").read_text()
    assert "replace:0.5" in (study / "runs" / "overview.csv").read_text()
    assert "<html" in (study / "all.html").read_text()


def test_steps_run_one_by_one_as_commands(study: Path) -> None:
    """The artifacts of the run are what the commands read and write."""
    root = next((study / "runs" / "0001" / "artifacts").iterdir())
    cell = next(root.glob("*/evaluate")).parent
    inputs = ["--classifier", str(cell / "train-cnn" / "classifier")]
    inputs += ["--dataset", str(root / "ingest" / "dataset")]
    done = in_this_process(study, "evaluate", *inputs, "--out", "evaluation")
    assert done.returncode == 0, done.stderr
    again = artifacts.read(study / "evaluation", "evaluation")
    first = artifacts.read(cell / "evaluate" / "evaluation", "evaluation")
    assert again.file("metrics.json").read_text() == first.file("metrics.json").read_text()


def hashes(folder: Path, number: int = 1) -> dict[str, set[str]]:
    """Content hashes of the artifacts of a run, by kind."""
    found: dict[str, set[str]] = {}
    for path in (folder / "runs" / f"{number:04d}" / "artifacts").rglob(artifacts.MANIFEST):
        made = artifacts.read(path.parent)
        found.setdefault(made.manifest.kind, set()).add(made.content_hash)
    return found


def test_the_same_again_is_taken_from_the_cache(study: Path) -> None:
    done = in_this_process(study, "run", "--preset", "smoke")
    assert done.returncode == 0, done.stderr
    assert "train_gan: done" in done.stdout and "(taken from the cache)" in done.stdout
    number = max(int(item.name) for item in (study / "runs").glob("[0-9]*"))
    assert hashes(study, number) == hashes(study)
    with (study / "runs" / f"{number:04d}" / "timings.csv").open() as stream:
        made = {row["stage"] for row in csv.DictReader(stream) if row["reused"] == "0"}
    # Pages are made anew by every run; curate has nothing to do.
    assert made <= {"ingest", "import_synthetic", "curate", "summarize"}
    shown = in_this_process(study, "cache")
    assert "0 entries" not in shown.stdout and "entries" in shown.stdout


def test_a_killed_study_goes_on_where_it_ended(study: Path, tmp_path: Path) -> None:
    arguments = ("run", "--preset", "smoke", "--arms", "real", "--seeds", "0-3")
    process = start(tmp_path, *arguments)
    wait_for(lambda: "seed 2 of 4" in texts(tmp_path, 1), "the second seed")
    process.kill()
    process.communicate()
    pids = {event["pid"] for event in events(tmp_path)}
    wait_for(lambda: not any(alive(pid) for pid in pids), "end of the steps")
    done = in_this_process(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    assert "seed 1 of 4" not in texts(tmp_path, 2)
    finished = {event["stage"] for event in events(tmp_path) if event["event"] == "end"}
    reused = {event["stage"] for event in events(tmp_path, 2) if event.get("reused")}
    assert finished - reused <= {"ingest", "train_cnn"}
    assert hashes(tmp_path, 2)["dataset"] == hashes(study)["dataset"]
    assert seeds(study) <= seeds(tmp_path, 2)


def texts(folder: Path, number: int) -> str:
    """All that the training of a run has said of its progress."""
    mine = [event for event in events(folder, number) if event["stage"] == "train_cnn"]
    return "\n".join(str(event.get("text", "")) for event in mine)


def seeds(folder: Path, number: int = 1) -> set[tuple[str, str]]:
    """Names and hashes of the files of the first two seeds of arm `real`."""
    found = set()
    for path in (folder / "runs" / f"{number:04d}" / "artifacts").rglob(artifacts.MANIFEST):
        made = artifacts.read(path.parent)
        if made.manifest.kind == "classifier" and made.json("arm.json")["arm"] == "real":
            found |= {
                (name, record.sha256)
                for name, record in made.manifest.files.items()
                if name.startswith(("seed-0/", "seed-1/"))
            }
    return found
