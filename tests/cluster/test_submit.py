"""Submitting through the real command line to a KFP server on loopback."""

import os
import re
import time
from pathlib import Path

import pytest
from kfp_server import BAD, GOOD, KfpServer
from said import SMALL, Program

from augstudy.cluster import connection

WAIT = ["--wait", "--poll", "0.01"]


def test_two_levels_are_two_runs_of_one_version(kfp: KfpServer, program: Program) -> None:
    said = program("submit", SMALL, "--levels", "50 250", "--source", "gs://b/d", "--gpus", "1")
    assert said.code == 0, said.err
    (pipeline,), (version,) = kfp.pipelines.values(), kfp.versions.values()
    (experiment,) = kfp.experiments.values()
    assert pipeline["display_name"] == experiment["display_name"] == "small"
    assert re.fullmatch(r"small-[0-9a-f]{12}", version["display_name"])
    first, second = kfp.runs.values()
    parameters = [run["runtime_config"]["parameters"] for run in (first, second)]
    assert [item["level"] for item in parameters] == [50, 250]
    # One pool for both: level 50 is inside level 250, and the test images are the same.
    assert [item["train_per_class"] for item in parameters] == [250, 250]
    assert parameters[0]["gpus"] == 1 and parameters[0]["source"] == "gs://b/d"
    for run in (first, second):
        reference = run["pipeline_version_reference"]
        assert reference["pipeline_version_id"] == version["pipeline_version_id"]
        assert run["experiment_id"] == experiment["experiment_id"]
        assert f"{kfp.url}/#/runs/details/{run['run_id']}" in said.out
    assert re.fullmatch(r"small level 50 20\d\d-\d\d-\d\d \d\d:\d\d", first["display_name"])
    assert f"{kfp.url}/#/compare?runlist={first['run_id']},{second['run_id']}" in said.out


def test_unchanged_pipeline_is_not_uploaded_again(kfp: KfpServer, program: Program) -> None:
    for _ in range(2):
        said = program("submit", SMALL, "--experiment", "mine")
        assert said.code == 0, said.err
    assert "nothing to upload" in said.out
    assert (len(kfp.versions), len(kfp.experiments), len(kfp.runs)) == (1, 1, 2)
    assert kfp.requests["POST experiments"] == 1


def test_changed_pipeline_is_a_second_version(
    kfp: KfpServer, program: Program, tmp_path: Path
) -> None:
    text = Path(SMALL).read_text()
    changed = tmp_path / "small.py"
    for content in (text, text.replace("print(level)", "print(level + 1)")):
        changed.write_text(content)
        assert program("submit", str(changed)).code == 0
    first, second = kfp.versions.values()
    assert len(kfp.pipelines) == 1 and first["pipeline_id"] == second["pipeline_id"]
    assert first["display_name"] != second["display_name"]
    runs = [run["pipeline_version_reference"]["pipeline_version_id"] for run in kfp.runs.values()]
    assert runs == list(kfp.versions)


def test_without_caching(kfp: KfpServer, program: Program) -> None:
    assert program("submit", SMALL).code == program("submit", SMALL, "--no-cache").code == 0
    cached, fresh = (item["pipeline_spec"]["root"]["dag"] for item in kfp.versions.values())
    assert cached["tasks"]["ingest"]["cachingOptions"] == {"enableCache": True}
    assert fresh["tasks"]["ingest"]["cachingOptions"] == {}


def test_pipeline_root_and_service_account(
    kfp: KfpServer, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUGSTUDY_SERVICE_ACCOUNT", "runner")
    assert program("submit", SMALL, "--pipeline-root", "gs://bucket/runs").code == 0
    (run,) = kfp.runs.values()
    assert run["runtime_config"]["pipeline_root"] == "gs://bucket/runs"
    assert run["service_account"] == "runner"


def test_the_study_is_accepted_with_all_its_parameters(kfp: KfpServer, program: Program) -> None:
    said = program("submit", "augmentation_study", "--preset", "quick", "--levels", "50,250")
    assert said.code == 0, said.err
    first, second = kfp.runs.values()
    names = [run["display_name"].rpartition(" 20")[0] for run in (first, second)]
    compared = "(classic + replace:0.3 + add:1 from compact)"
    assert names == [f"quick level 50 {compared}", f"quick level 250 {compared}"]
    assert second["runtime_config"]["parameters"]["arms"][2] == {"arm": "replace", "share": 0.3}
    (version,) = kfp.versions.values()
    assert "platform_spec" in version["pipeline_spec"]


def test_waits_for_success(kfp: KfpServer, program: Program) -> None:
    kfp.states = [GOOD, ("PENDING", "PENDING", "RUNNING", "RUNNING", "SUCCEEDED")]
    said = program("submit", SMALL, "--levels", "10 20", *WAIT)
    assert said.code == 0, said.err
    for level in (10, 20):
        states = re.findall(rf"small level {level} [-0-9]+ [:0-9]+: (\w+)", said.out)
        assert states == ["http", "pending", "running", "ingest", "succeeded"]
    assert "driver" not in said.out


def test_a_failed_run_is_exit_code_1(kfp: KfpServer, program: Program) -> None:
    kfp.states = [BAD, GOOD]
    said = program("submit", SMALL, "--levels", "10 20", *WAIT)
    assert said.code == 1
    assert "ingest failed: the drawings are damaged: fetch them again." in said.out
    failed = next(run for run in kfp.runs.values() if run["state"] == "FAILED")
    assert (
        f"fetch them again; its logs are at {kfp.url}/#/runs/details/{failed['run_id']}" in said.err
    )
    assert {run["state"] for run in kfp.runs.values()} == {"FAILED", "SUCCEEDED"}


def test_waiting_survives_a_server_that_restarts(kfp: KfpServer, program: Program) -> None:
    kfp.fail("GET runs", 503, 502, 503)
    said = program("submit", SMALL, *WAIT)
    assert said.code == 0, said.err
    assert said.out.count("not ready") == 1
    kfp.fail("GET runs", *[503] * 50)
    said = program("submit", SMALL, *WAIT)
    assert said.code == 3 and "not ready (HTTP 503)" in said.err


def test_gpus_choose_the_images(kfp: KfpServer, program: Program) -> None:
    assert program("submit", SMALL, "--gpus", "2").code == 0
    assert os.environ["AUGSTUDY_GPUS"] == "2"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["augmentation_studi"], "did you mean augmentation_study?"),
        (["--preset", "quik"], "did you mean quick?"),
        ([SMALL, "--set", "shar=1"], "There is no parameter 'shar' of small; did you mean share"),
        ([SMALL, "--arms", "real"], "There is no parameter 'arms' of small"),
        ([SMALL, "--set", "level=many"], "level must be a whole number, not 'many'."),
        ([SMALL, "--levels", "50 many"], "'50 many'"),
        ([SMALL, "--levels", "50 50"], "names a level twice"),
        (["--levels", "70", "--set", "train_per_class=60"], "level 70 is more than"),
    ],
)
def test_mistakes_are_told_before_anything_is_sent(
    kfp: KfpServer, program: Program, arguments: list[str], said: str
) -> None:
    done = program("submit", *arguments)
    assert done.code == 2
    assert said in done.err
    assert not kfp.requests


def test_what_the_server_refuses_is_told(kfp: KfpServer, program: Program) -> None:
    kfp.fail("POST pipelines", 400)
    said = program("submit", SMALL)
    assert said.code == 2
    assert "does not create pipeline 'small': ordered by the test" in said.err


def test_interrupted_waiting_leaves_the_runs(
    kfp: KfpServer, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)
    said = program("submit", SMALL, "--wait")
    assert said.code == 130 and "the runs continue" in said.out


def test_addresses_as_people_paste_them() -> None:
    for text in ("localhost:8080", "http://localhost:8080/", "http://localhost:8080/#/runs"):
        assert connection.settings(host=text).host == "http://localhost:8080"
    assert (
        connection.settings(host="k.example.org/pipeline/").host == "https://k.example.org/pipeline"
    )
