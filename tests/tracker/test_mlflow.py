"""Runs are tracked with MLflow: what is on the server afterwards, and what may go wrong.

The server is a small one of the tests, or the real one whose address is in AUGSTUDY_TEST_MLFLOW;
``scripts/ci_mlflow.sh`` starts such a one.
"""

import csv
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import urllib3
from mlflow_server import FILES, MlflowServer
from recorded import add, build_run, leave
from rich.console import Console
from servers import RefusingServer, S3Bucket

from augstudy.cli.app import invoke
from augstudy.core import artifacts
from augstudy.core.errors import InputError
from augstudy.local import runner
from augstudy.local.runfolder import RunFolder
from augstudy.runs.mlflow_api import Entry, Server, name_of

REAL = os.environ.get("AUGSTUDY_TEST_MLFLOW", "")
NOBODY = "http://127.0.0.1:9"  # nothing listens there
SMALL_ALONE = pytest.mark.skipif(bool(REAL), reason="a real server makes no such fault")
ARMS = [("real", None, 0.0), ("add", 1.0, 0.4)]
STUDY = "level 8, real + add:1, sets compact"
SETTINGS = {"classifier_settings": {"epochs": 20}, "my_token": "hunter2-hunter2", "level": 30}


@pytest.fixture
def small() -> Iterator[MlflowServer]:
    """A server that makes the faults that it is told to."""
    with MlflowServer() as server:
        yield server


@pytest.fixture
def url(small: MlflowServer) -> str:
    """The address of the real server if there is one, else of the small one."""
    return REAL or small.url


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one finished study."""
    runs = tmp_path_factory.mktemp("tracked") / "runs"
    build_run(runs, ARMS, settings=SETTINGS)
    return runs


@pytest.fixture
def runs(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same in a folder of its own, which commands use."""
    shutil.copytree(finished, tmp_path / "runs")
    monkeypatch.setenv("AUGSTUDY_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def track(runs: Path, tmp_path: Path, capsys) -> Callable[..., tuple[int, str]]:
    """Calls the command; gives its exit code and what it said."""

    def call(*words: str) -> tuple[int, str]:
        named = [] if "--experiment" in words else ["--experiment", str(tmp_path)]
        capsys.readouterr()
        code = invoke(["runs", "track", *words, *named])
        said = capsys.readouterr()
        return code, said.out + said.err

    return call


def asked(url: str, method: str, call: str, **body: Any) -> dict[str, Any]:
    query, given = (f"?{urlencode(body)}", None) if method == "GET" else ("", body)
    answer = urllib3.request(method, url + call + query, json=given, retries=False)
    assert answer.status == 200, answer.data
    found: dict[str, Any] = answer.json()
    return found


def listed(url: str, experiment: object) -> list[dict[str, Any]]:
    """The runs of an experiment, each with all that there is to know of it."""
    api = "/api/2.0/mlflow/"
    known = asked(url, "GET", f"{api}experiments/get-by-name", experiment_name=str(experiment))
    number = known["experiment"]["experiment_id"]
    found = asked(url, "POST", f"{api}runs/search", experiment_ids=[number]).get("runs", [])
    return [
        run["info"]
        | {
            kind: {item["key"]: item["value"] for item in run["data"].get(kind, [])}
            for kind in ("tags", "params", "metrics")
        }
        for run in found
    ]


def shown(url: str, experiment: object) -> dict[str, dict[str, Any]]:
    """The same by name, where no two have the same."""
    return {run["run_name"]: run for run in listed(url, experiment)}


def history(url: str, run: dict[str, Any], metric: str) -> list[tuple[int, float]]:
    told = {"run_id": run["run_id"], "metric_key": metric}
    found = asked(url, "GET", "/api/2.0/mlflow/metrics/get-history", **told)["metrics"]
    return [(int(it.get("step", 0)), it["value"]) for it in found]


def files(url: str, run: dict[str, Any], folder: str = "") -> list[str]:
    place = run["artifact_uri"].removeprefix("mlflow-artifacts:/") + folder
    return sorted(it["path"] for it in asked(url, "GET", FILES, path=place).get("files", []))


def test_a_study_and_its_arms(url: str, runs: Path, tmp_path: Path, track) -> None:
    code, said = track("1", "--to", url)
    assert code == 0, said
    found = shown(url, tmp_path)
    assert set(found) == {STUDY, "real", "add:1"}
    study, add_1 = found[STUDY], found["add:1"]
    assert f"{url}/#/experiments/{study['experiment_id']}/runs/{study['run_id']}" in said
    assert study["status"] == add_1["status"] == "FINISHED"
    assert found["real"]["tags"]["mlflow.parentRunId"] == study["run_id"]
    record = json.loads((runs / "0001" / "record.json").read_text())
    told = {name: study["tags"][f"augstudy.{name}"] for name in ("verdict", "data_hash", "code")}
    assert told == {key: record.get(key, record["outcome"]) for key in told}
    assert study["tags"]["mlflow.note.content"] == "## It helps.\n"
    assert study["tags"]["augstudy.id"] == "1" and study["tags"]["augstudy.source"]
    assert study["params"]["classifier_settings.epochs"] == "20"
    assert study["params"]["arms"] == "real+add"
    row = record["arms"][1]
    names = ("difference", "difference_low", "difference_high", "p")
    assert {name: study["metrics"][name] for name in names} == {name: row[name] for name in names}
    assert study["metrics"]["accuracy/add_1"] == add_1["metrics"]["accuracy"] == row["accuracy"]
    assert study["metrics"]["fid_qd/compact"] == record["fid_qd"]
    assert add_1["params"] == {"arm": "add:1", "seeds": "0+1+2"}
    assert files(url, study) == ["report.html", "summary.json", "verdict.md"]
    assert not files(url, add_1)


def test_learning_curves_of_every_seed(url: str, runs: Path, tmp_path: Path, track) -> None:
    assert track("1", "--to", url)[0] == 0
    real = shown(url, tmp_path)["real"]
    with next(runs.rglob("evaluations/real/history.csv")).open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["seed"] == "1"]
    for name, column in (("val_accuracy", "val_accuracy"), ("train_loss", "loss")):
        curve = [(int(row["epoch"]), float(row[column])) for row in rows]
        assert history(url, real, f"{name}/seed-1") == curve
    scores = [real["metrics"][f"accuracy/seed-{seed}"] for seed in range(3)]
    assert sum(scores) / 3 == pytest.approx(real["metrics"]["accuracy"])


def test_tracking_again_changes_nothing(url: str, tmp_path: Path, track) -> None:
    assert track("1", "--to", url)[0] == 0
    before = shown(url, tmp_path)
    curve = history(url, before["real"], "val_accuracy/seed-0")
    assert track("1", "--to", url)[0] == 0
    after = shown(url, tmp_path)
    assert after == before
    assert history(url, after["real"], "val_accuracy/seed-0") == curve


def test_a_run_that_was_annotated_is_brought_up_to_date(
    url: str, runs: Path, tmp_path: Path, track
) -> None:
    assert track("1", "--to", url)[0] == 0
    study = shown(url, tmp_path)[STUDY]
    own = [{"key": "mlflow.note.content", "value": "mine"}]
    asked(url, "POST", "/api/2.0/mlflow/runs/log-batch", run_id=study["run_id"], tags=own)
    assert invoke(["runs", "note", "1", "the one for the paper"]) == 0
    assert track("1", "--to", url)[0] == 0
    tags = shown(url, tmp_path)[STUDY]["tags"]
    assert tags["augstudy.note"] == "the one for the paper"
    assert tags["mlflow.note.content"] == "mine"


def test_models_go_along_if_asked_for(url: str, tmp_path: Path, track) -> None:
    assert track("1", "--to", url, "--models")[0] == 0
    real = shown(url, tmp_path)["real"]
    assert files(url, real, "/models/seed-1") == ["model.keras"]


def test_no_secret_leaves(url: str, tmp_path: Path, track) -> None:
    assert track("1", "--to", url)[0] == 0
    found = shown(url, tmp_path)
    assert "hunter2" not in json.dumps(found)
    assert found[STUDY]["params"]["my_token"] == "***"


def test_two_runs_and_the_experiment_of_the_environment(
    url: str, runs: Path, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_run(runs, ARMS, seeds=(0,), settings=SETTINGS | {"level": 20})
    monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", f"{tmp_path}/two")
    assert invoke(["runs", "track", "1", "2"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert len(listed(url, f"{tmp_path}/two")) == 6


@pytest.mark.parametrize(
    ("kind", "title", "verdict", "nested"),
    [
        ("study", "level 12, real + replace:0.5", "can't tell yet", 2),
        ("sweep", "level 12, 3 points", "can't tell yet", 3),
        ("generators", "level 12, 2 points", None, 0),
        ("held", "retrain", "held", 0),
    ],
)
def test_sweeps_retrainings_and_old_runs(
    url: str, tmp_path: Path, track, kind: str, title: str, verdict: str | None, nested: int
) -> None:
    old = Path(__file__).parents[1] / "data" / "version1" / kind
    pipeline = "retrain" if kind == "held" else "any"
    folder = RunFolder.create(tmp_path / "runs", pipeline, {"level": 60})
    published = "decision" if kind == "held" else "report"
    with artifacts.publish(folder.root / "end" / published, published) as draft:
        shutil.copytree(old, draft, dirs_exist_ok=True)
        for name in ("report.html", "verdict.md"):
            (draft / name).write_text("found")
    assert folder.collect_decision() if kind == "held" else folder.collect_report()
    folder.finish("done", 60.0)
    code, said = track(folder.path.name, "--to", url)
    assert code == 0, said
    found = listed(url, tmp_path)
    (parent,) = (run for run in found if "mlflow.parentRunId" not in run["tags"])
    assert parent["run_name"].startswith(title)
    assert parent["tags"].get("augstudy.verdict") == verdict
    assert len(found) == 1 + nested


def test_more_than_fits_in_a_request(url: str, tmp_path: Path) -> None:
    curve = [(epoch, epoch / 800) for epoch in range(1, 801)]
    entry = Entry(
        key="a" * 32,
        name="n" * 300,
        tags={f"tag {number}": "t" * 6000 for number in range(3)},
        params={f"p{number}": "v" * 700 for number in range(230)},
        metrics={f"curve/seed-{seed}": curve for seed in range(3)},
        began=1_700_000_000_000,
        ended=1_700_000_060_000,
    )
    server = Server(url)
    place = server.experiment(str(tmp_path))
    assert server.put(place, entry) == server.put(place, entry)
    (run,) = shown(url, tmp_path).values()
    assert (len(run["params"]), len(run["metrics"])) == (230, 3)
    assert history(url, run, "curve/seed-2") == curve


def test_names_are_such_as_every_server_takes() -> None:
    assert name_of("accuracy", "add:1@sd") == "accuracy/add_1_sd"
    assert name_of("../kernel=5, pool") == ".._kernel_5_ pool"


@SMALL_ALONE
def test_what_fails_for_a_while_is_tried_again(
    small: MlflowServer, url: str, tmp_path: Path, track
) -> None:
    small.busy = 3
    small.broken = {"runs/create": 2, "experiments/create": 1, "runs/log-batch": 1, FILES: 1}
    code, said = track("1", "--to", url)
    assert code == 0, said
    assert set(shown(url, tmp_path)) == {STUDY, "real", "add:1"}
    assert len(small.runs) == 3


@SMALL_ALONE
def test_a_parameter_that_is_there_stays_as_it_is(
    small: MlflowServer, url: str, tmp_path: Path, track
) -> None:
    assert track("1", "--to", url)[0] == 0
    small.runs[0]["params"]["level"] = "as an older version wrote it"
    assert track("1", "--to", url)[0] == 0
    assert shown(url, tmp_path)[STUDY]["params"]["level"] == "as an older version wrote it"


@SMALL_ALONE
def test_files_go_to_the_bucket_that_a_server_names(
    small: MlflowServer, url: str, s3: S3Bucket, track
) -> None:
    small.artifacts = f"s3://{s3.name}/mlflow"
    code, said = track("1", "--to", url)
    assert code == 0, said
    assert any(name.endswith("/artifacts/report.html") for name in s3.names())


@SMALL_ALONE
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"page": True}, "is a web page or leads to one, and not MLflow: log in to the proxy"),
        ({"status": 403}, "does not let us open the experiment"),
        ({"status": 503}, "cannot be used (HTTP 503; tried 6 times)"),
        ({"authorization": "Bearer abc"}, "wants a login: set MLFLOW_TRACKING_USERNAME"),
        ({"artifacts": "/srv/mlruns"}, "keeps files in /srv/mlruns/1/"),
    ],
)
def test_a_server_that_does_not_want_us(
    small: MlflowServer, url: str, track, fault: dict[str, Any], said: str
) -> None:
    for name, value in fault.items():
        setattr(small, name, value)
    code, told = track("1", "--to", url)
    assert (code, said in told) == (3, True), told
    assert "abcdef12" not in told and "Traceback" not in told


@SMALL_ALONE
@pytest.mark.parametrize(
    ("variables", "header"),
    [
        ({"TOKEN": "letmein-1"}, "Bearer letmein-1"),
        ({"USERNAME": "me", "PASSWORD": "letmein-1"}, "Basic bWU6bGV0bWVpbi0x"),
    ],
)
def test_logins(
    small: MlflowServer, url: str, track, monkeypatch, variables: dict[str, str], header: str
) -> None:
    small.authorization = header
    for name, value in variables.items():
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", value)
    assert track("1", "--to", url)[0] == 0
    small.authorization = "another"
    code, said = track("1", "--to", url)
    assert code == 3 and "refuses the login" in said and "letmein" not in said
    code, said = track("1", "--to", "http://mlflow.example.com")
    assert code == 2 and "would travel to http://mlflow.example.com unencrypted" in said


@SMALL_ALONE
def test_an_experiment_that_was_deleted(small: MlflowServer, url: str, tmp_path, track) -> None:
    assert track("1", "--to", url)[0] == 0
    small.deleted.add(str(tmp_path))
    code, said = track("1", "--to", url)
    assert code == 2 and "was deleted: restore it there" in said


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["1"], 2, "No address of MLflow: give one, or set MLFLOW_TRACKING_URI."),
        (["1", "--to", "mlflow:5000"], 2, "must be an address with http:// or https://"),
        (["1", "--to", "http://me:hunter2@mlflow"], 2, "must not carry credentials"),
        (["9", "--to", NOBODY], 2, "There is no run '9'"),
        (["2", "--to", NOBODY], 2, "Run 2 has no results to track: it is running."),
        (["1", "--to", NOBODY], 3, "cannot be used (nothing answers there; tried 6 times)"),
    ],
)
def test_what_cannot_be_tracked(runs: Path, track, words: list[str], code: int, said: str) -> None:
    add(runs)
    assert track(*words)[0] == code
    assert said in track(*words)[1]


def test_what_answers_is_not_mlflow(track) -> None:
    with RefusingServer(404, "NoSuchKey") as other:
        code, said = track("1", "--to", other.url)
    assert code == 3 and "is not MLflow, or too old" in said


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run leaves what a study leaves, and trains nothing."""

    def execute(pipeline: str, folder: RunFolder, *_: object) -> None:
        leave(folder.root / "study", ARMS)

    monkeypatch.setattr(runner, "_execute", execute)


def run(runs: Path, **options: Any) -> tuple[int, str]:
    said = io.StringIO()
    values = {"source": "sample", "level": 30}
    console = Console(file=said, width=100)
    result = runner.run("augmentation_study", values, runs=runs, console=console, **options)
    return json.loads((result.folder / "run.json").read_text())["state"], said.getvalue()


@pytest.mark.usefixtures("pretend")
def test_a_run_is_tracked_when_it_ends(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", str(tmp_path))
    assert "Tracked" not in run(tmp_path / "runs")[1]
    state, said = run(tmp_path / "runs", track=url)
    assert state == "done" and f"Tracked: {url}/#/experiments/" in said
    monkeypatch.setenv("AUGSTUDY_TRACK", url)
    assert "Tracked" in run(tmp_path / "runs")[1]
    assert [run["tags"]["augstudy.id"] for run in listed(url, tmp_path)].count("3") == 3
    assert len(listed(url, tmp_path)) == 6


@pytest.mark.usefixtures("pretend")
def test_a_run_that_cannot_be_tracked_is_done_all_the_same(tmp_path: Path) -> None:
    state, said = run(tmp_path / "runs", track=NOBODY)
    assert state == "done"
    assert "Warning: the run was not tracked. http://127.0.0.1:9 cannot be used" in said
    assert said.endswith("To send it later: augstudy runs track 1 --to http://127.0.0.1:9\n")


def test_a_wrong_address_is_found_before_a_run_begins(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="address of MLflow"):
        run(tmp_path / "runs", track="mlflow:5000")
    assert not (tmp_path / "runs").exists()
