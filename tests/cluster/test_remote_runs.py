"""The overview of a cluster's runs, from a KFP server and a store on loopback."""

import json
from pathlib import Path
from typing import Any

import pytest
from builders import build_dataset, build_evaluation
from found import promoted
from kfp_server import BAD, KfpServer
from said import SMALL, Program
from servers import GcsServer

from augstudy.core import artifacts
from augstudy.runs.record import FIELDS
from augstudy.steps import summarize

ROOT = "gs://artifacts/kfp"
SKILL = {4: 0.0, 8: 0.5}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Reports of one study at two levels."""
    folder = tmp_path_factory.mktemp("reports")
    made = {}
    for level, skill in SKILL.items():
        here = folder / str(level)
        dataset = build_dataset(here / "data", train=level)
        cells = [
            build_evaluation(here / "real", dataset, "real", skill=skill),
            build_evaluation(here / "add", dataset, "add", share=1.0, skill=skill + 0.3),
        ]
        study: dict[str, Any] = {"classifier": "modern", "source": "file:///drawings"}
        summarize.run(
            dataset.path,
            here / "report",
            [cell.path for cell in cells],
            study=study | {"level": level, "data_seed": 0},
        )
        made[level] = here / "report"
    return made


def store(gcs: GcsServer, run_id: str, report: Path, attempt: str = "1f2e") -> str:
    """Put a report where KFP's launcher would; its prefix."""
    prefix = f"kfp/small/{run_id}/summarize/{attempt}/report"
    for name in ("summary.json", "report.html", artifacts.MANIFEST):
        gcs.put("artifacts", f"{prefix}/{name}", (report / name).read_bytes())
    return prefix


@pytest.fixture
def levels(
    kfp: KfpServer, gcs: GcsServer, program: Program, reports: dict[int, Path]
) -> dict[int, str]:
    """Two finished runs with their reports in the store; run ids by level."""
    gcs.put("artifacts", "kfp/other", b"")
    said = program(
        "submit", SMALL, "--levels", "4 8", "--pipeline-root", ROOT, "--wait", "--poll", "0"
    )
    assert said.code == 0, said.err
    ids = {run["runtime_config"]["parameters"]["level"]: key for key, run in kfp.runs.items()}
    for level, run_id in ids.items():
        store(gcs, run_id, reports[level])
    return ids


def test_table_and_learning_curve(
    kfp: KfpServer, levels: dict[int, str], program: Program, tmp_path: Path
) -> None:
    files = {kind: tmp_path / f"out.{kind}" for kind in ("html", "png", "csv")}
    arguments = [text for kind, path in files.items() for text in (f"--{kind}", str(path))]
    said = program("runs", "--cluster", *arguments)
    assert said.code == 0, said.err
    for level, run_id in levels.items():
        assert f"small level {level} " in said.out
        assert f"{kfp.url}/#/runs/details/{run_id}" in said.out
    assert "succeeded" in said.out and "add:1" in said.out
    assert "11 classes of file:///drawings, modern arm level 4 level 8 " in said.out
    page = files["html"].read_text()
    assert "Learning curve" in page and "data:image/svg+xml;base64," in page
    assert f'href="{kfp.url}/#/runs/details/{levels[4]}"' in page
    assert files["png"].read_bytes().startswith(b"\x89PNG") and files["png"].stat().st_size > 9000
    text = files["csv"].read_text()
    assert text.splitlines()[0] == ",".join(FIELDS) and len(text.splitlines()) == 5
    filtered = program("runs", "--cluster", "--where", "level == 4", "--columns", "id,arm")
    assert filtered.out.count(levels[4][:8]) == 2 and levels[8][:8] not in filtered.out


def test_newest_first_and_only_one_experiment(
    kfp: KfpServer, levels: dict[int, str], program: Program
) -> None:
    assert program("submit", SMALL, "--experiment", "other").code == 0
    both = program("runs", "--cluster")
    assert both.out.index("small level 60") < both.out.index("small level 8")
    assert both.out.index("small level 8") < both.out.index("small level 4")
    assert "pending" in both.out
    only = program("runs", "--host", kfp.url, "--experiment", "small")
    assert "small level 60" not in only.out and "small level 4" in only.out
    assert "small level 8" not in program("runs", "--cluster", "--limit", "1").out
    wrong = program("runs", "--cluster", "--experiment", "nowhere")
    assert wrong.code == 2 and "There is no experiment 'nowhere'" in wrong.err


def test_what_a_failed_try_left_is_not_read(
    gcs: GcsServer, levels: dict[int, str], program: Program, reports: dict[int, Path]
) -> None:
    """A retried step leaves a folder without manifest; a broken report is shown as such."""
    prefix = store(gcs, levels[4], reports[8], attempt="ffff")
    gcs.delete("artifacts", f"{prefix}/{artifacts.MANIFEST}")
    assert program("runs", "--cluster").out.count("modern") == 1
    gcs.put("artifacts", f"kfp/small/{levels[4]}/summarize/1f2e/report/summary.json", b'{"arms')
    said = program("runs", "--cluster")
    assert said.code == 0 and "damaged" in said.out
    assert "modern" not in said.out  # one level alone makes no curve


def test_failed_runs_and_pipelines_without_report_have_no_results(
    kfp: KfpServer, gcs: GcsServer, program: Program, tmp_path: Path
) -> None:
    gcs.put("artifacts", "kfp/other", b"")
    kfp.states = [BAD, ("SUCCEEDED",)]
    assert (
        program(
            "submit", SMALL, "--levels", "1 2", "--pipeline-root", ROOT, "--wait", "--poll", "0"
        ).code
        == 1
    )
    said = program("runs", "--cluster")
    assert said.code == 0, said.err
    assert "failed" in said.out and "succeeded" in said.out
    said = program("runs", "--cluster", "--png", str(tmp_path / "out.png"))
    assert said.code == 2 and "at two levels" in said.err


def test_a_retraining_says_whether_it_promoted(
    kfp: KfpServer, gcs: GcsServer, program: Program
) -> None:
    kfp.states = [("SUCCEEDED",)]
    assert program("submit", SMALL, "--pipeline-root", ROOT, "--wait", "--poll", "0").code == 0
    (run_id,) = kfp.runs
    folder = f"kfp/small/{run_id}/promote/1f2e/decision"
    gcs.put("artifacts", f"{folder}/decision.json", promoted().model_dump_json().encode())
    gcs.put("artifacts", f"{folder}/{artifacts.MANIFEST}", b"{}")
    assert "promoted" in program("runs", "--cluster").out


def test_the_root_may_come_from_the_settings(
    kfp: KfpServer,
    gcs: GcsServer,
    levels: dict[int, str],
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for run in kfp.runs.values():
        del run["runtime_config"]["pipeline_root"]
    said = program("runs", "--cluster")
    assert said.code == 2 and "give --pipeline-root" in said.err
    monkeypatch.setenv("AUGSTUDY_PIPELINE_ROOT", ROOT)
    assert "add:1" in program("runs", "--cluster").out


def test_pages_of_runs(kfp: KfpServer, program: Program) -> None:
    assert program("submit", SMALL).code == 0
    (run,) = kfp.runs.values()
    for number in range(230):
        changes = {"run_id": str(number), "display_name": f"copy {number}", "state": "FAILED"}
        kfp.runs[str(number)] = json.loads(json.dumps(run)) | changes
    said = program("runs", "--cluster", "--limit", "300")
    assert said.code == 0, said.err
    assert all(f"copy {number} " in said.out for number in range(230))
    assert kfp.requests["GET runs"] == 3
    assert kfp.requests["GET pipelines"] == 2  # one to submit, one for the name of the version


@pytest.mark.parametrize("status", [403, 503])
def test_a_store_that_cannot_be_read(
    gcs: GcsServer, levels: dict[int, str], program: Program, status: int
) -> None:
    gcs.fail("list", status, 400)
    done = program("runs", "--cluster")
    assert done.code == 3 and "gs://artifacts/kfp" in done.err
    assert "Traceback" not in done.err


def test_a_bucket_that_does_not_exist(kfp: KfpServer, gcs: GcsServer, program: Program) -> None:
    kfp.states = [("SUCCEEDED",)]
    assert (
        program(
            "submit", SMALL, "--pipeline-root", "gs://nowhere/kfp", "--wait", "--poll", "0"
        ).code
        == 0
    )
    done = program("runs", "--cluster")
    assert done.code == 2 and "gs://nowhere" in done.err


def test_png_needs_a_cluster(program: Program, tmp_path: Path) -> None:
    said = program("runs", "--runs-dir", str(tmp_path), "--png", "out.png")
    assert said.code == 2 and "add --cluster" in said.err
