"""The guide to the tracker: every command in it runs, and every field is in its table."""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow_server import MlflowServer
from recorded import build_run

from augstudy.cli.app import invoke
from augstudy.objects import open_store
from augstudy.pages import readings
from augstudy.runs.record import ARM_FIELDS, FIELDS, RUN_FIELDS
from augstudy.ui.server import Server

GUIDE = Path(__file__).parents[2] / "docs" / "tracker.md"
ARMS = (("real", None, 0.0), ("add", 1.0, 0.5))


def commands() -> list[str]:
    """The commands in the order of the page; those on a cluster have a test of their own."""
    blocks = re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if "--cluster" not in line]


@pytest.fixture
def mlflow() -> Iterator[MlflowServer]:
    with MlflowServer() as server:
        yield server


def test_every_command_runs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    mlflow: MlflowServer,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUGSTUDY_RUNS", "runs")
    monkeypatch.setenv("COLUMNS", "250")
    for batch in (64, 512, 64, 64):
        build_run(Path("runs"), ARMS, settings={"classifier_settings": {"batch_size": batch}})
    bucket = tmp_path / "bucket"
    for folder in Path("runs/0001/artifacts/study").rglob("manifest.json"):
        name = folder.parent.name
        arm = "-".join(folder.parts[4:-1])
        shutil.copytree(folder.parent, bucket / "study" / "ab12" / arm / "1" / name)

    def served(server: Server) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Server, "serve_forever", served)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow.url)
    places = {"gs://bucket/runs": f"file://{bucket}", "http://localhost:5000": mlflow.url}
    found = commands()
    assert len(found) > 15
    for line in found:
        for there, here in places.items():
            line = line.replace(there, here)
        program, *arguments = shlex.split(line)
        assert program == "augstudy"
        arguments += ["--port", "0"] if arguments[0] == "ui" else []
        arguments += ["--yes"] if "delete" in arguments else []  # nobody is asked in a test
        assert invoke(arguments) == 0, (line, capsys.readouterr().err)
        assert capsys.readouterr().out.strip(), line
    pages = {path.name for path in tmp_path.glob("*.html")}
    assert pages == {"comparison.html", "batch-size.html", "runs.html"}
    assert "classifier_settings.batch_size" in (tmp_path / "batch-size.html").read_text()
    assert open_store(f"file://{bucket}").exists("tracker/index.jsonl")
    assert set(mlflow.experiments) == {"augstudy", "mammals"} and len(mlflow.runs) == 12


def test_every_field_is_explained() -> None:
    assert len(FIELDS) == len(RUN_FIELDS) + len(ARM_FIELDS)  # no name is given twice
    lines = GUIDE.read_text().splitlines()
    for of, fields in (("run", RUN_FIELDS), ("arm", ARM_FIELDS)):
        for field in fields:
            assert f"| `{field.name}` | {of} | {readings.field(field.name).text} |" in lines
