"""Steps on a cluster wait for a service that is away; on one machine they tell at once."""

import ast
import importlib
import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from servers import GcsServer

from augstudy.core import artifacts
from augstudy.objects import open_store, retry
from augstudy.steps import adapters, patience

COMPONENTS = sorted((Path(__file__).parents[2] / "components").glob("[!_]*.py"))
SOURCE = "gs://study/drawings"
DATA: dict[str, Any] = {
    "source": SOURCE,
    "classes": ["cow", "zebra"],
    "train_per_class": 6,
    "val_per_class": 3,
    "test_per_class": 3,
}
# A step by itself, as in a pod: its standard output is the pod's log.
STEP = f"""
from pathlib import Path
from augstudy.steps import adapters
adapters.ingest({{"dataset": Path("dataset"), **{DATA!r}}})
"""


def settings(**changes: Any) -> str:
    usual = {"times": 2, "wait_s": 30, "factor": 2.0, "longest_wait_s": 300}
    return json.dumps({**usual, **changes})


@pytest.fixture
def away(gcs: GcsServer, monkeypatch: pytest.MonkeyPatch) -> GcsServer:
    """A bucket with drawings, in a service that will refuse for a while."""
    generator = np.random.default_rng(0)
    for name in DATA["classes"]:
        stream = io.BytesIO()
        np.save(stream, generator.integers(0, 255, (60, 784), dtype=np.uint8))
        gcs.put("study", f"drawings/{name}.npy", stream.getvalue())
    gcs.forbidden.add("study")
    monkeypatch.setattr(retry, "ATTEMPTS", 1)
    return gcs


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that a step would have waited; nobody waits for them here."""
    found: list[float] = []
    monkeypatch.setattr(patience, "_sleep", found.append)
    return found


def test_a_service_that_comes_back_costs_nothing_but_time(
    tmp_path: Path,
    away: GcsServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            away.forbidden.clear()

    monkeypatch.setattr(patience, "_sleep", wait)
    monkeypatch.setenv(patience.VARIABLE, settings())
    adapters.ingest({"dataset": tmp_path / "dataset", **DATA})
    assert artifacts.read(tmp_path / "dataset", "dataset").json("classes.json") == ["cow", "zebra"]
    assert waited == [30, 60]
    assert capsys.readouterr().out.count("ingest failed: ") == 2
    assert "Retrying the step in 30 s (retry 1 of 2)" in caplog.text
    assert "Retrying the step in 60 s (retry 2 of 2)" in caplog.text


def test_a_service_that_stays_away_ends_the_step_with_code_3(
    tmp_path: Path,
    away: GcsServer,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(patience.VARIABLE, settings(times=4, longest_wait_s=100))
    with pytest.raises(SystemExit) as stopped:
        adapters.ingest({"dataset": tmp_path / "dataset", **DATA})
    assert stopped.value.code == 3
    assert waits == [30, 60, 100, 100]
    assert capsys.readouterr().out.splitlines()[-1].startswith("ingest failed: gs://study")


def test_on_one_machine_the_error_is_told_at_once(
    tmp_path: Path, away: GcsServer, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variables in ({}, {patience.VARIABLE: settings(), "AUGSTUDY_LOCAL": "1"}):
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as stopped:
                adapters.ingest({"dataset": tmp_path / "dataset", **DATA})
        assert (stopped.value.code, waits) == (3, [])


@pytest.mark.parametrize(
    ("values", "code"), [({"level": 60}, 2), ({"source": "file:///is/not/there"}, 2)]
)
def test_what_would_fail_alike_is_not_repeated(
    values: dict[str, Any],
    code: int,
    tmp_path: Path,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(patience.VARIABLE, settings())
    with pytest.raises(SystemExit) as stopped:
        adapters.ingest({"dataset": tmp_path / "dataset", **DATA, "source": "sample", **values})
    assert (stopped.value.code, waits) == (code, [])


def test_sigterm_ends_the_waiting_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process of its own that nothing ever answers."""
    monkeypatch.setenv(patience.VARIABLE, settings(wait_s=300))
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    quick = "from augstudy.objects import retry; retry.ATTEMPTS = 1\n"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", quick + STEP], cwd=tmp_path, text=True, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        lines = iter(process.stdout.readline, "")
        assert next(line for line in lines if "Retrying the step in 300 s" in line)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert "Ended by SIGTERM while waiting." in process.stdout.read()
    assert process.returncode == 143
    assert time.monotonic() - began < 10


def calls(path: Path) -> set[str]:
    """What a component calls of the stages, such as ``cells.train_cnn``."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "augstudy.steps":
            modules = {alias.name for alias in node.names}
            tree = ast.parse(path.read_text())
            found |= {
                f"{call.func.value.id}.{call.func.attr}"
                for call in ast.walk(tree)
                if isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and isinstance(call.func.value, ast.Name)
                and call.func.value.id in modules
            }
    return found


def called(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(".")
    found: Callable[..., Any] = getattr(
        importlib.import_module(f"augstudy.steps.{module}"), function
    )
    return found


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.stem)
def test_every_component_is_patient(path: Path) -> None:
    names = calls(path)
    assert names or path.stem == "image"
    for name in names:
        assert getattr(called(name), "patient", False), f"{name} needs the decorator patient"


def test_a_store_that_cannot_be_written_is_waited_for_too(
    tmp_path: Path, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only sources: whatever raises the error of an unreachable service."""
    from augstudy.core.errors import ServiceError

    store = open_store(f"file://{tmp_path}/store")

    @patience.patient
    def work() -> None:
        with adapters.step("promote"):
            if len(waits) < 2:
                raise ServiceError("the store does not answer.")
            store.write("champion", b"it")

    monkeypatch.setenv(patience.VARIABLE, settings(wait_s=5, factor=1))
    work()
    assert (store.read("champion"), waits) == (b"it", [5, 5])
