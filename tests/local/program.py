"""Runs the real command line in an empty world: in this process, or in one of its own."""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from augstudy.cli.app import DEBUG_VARIABLE, invoke

FAKES = Path(__file__).parent / "fakes"
COMMAND = [sys.executable, "-m", "augstudy.cli"]


def environment(folder: Path) -> dict[str, str]:
    """The environment for a process whose temporary files go to ``folder/tmp``."""
    (folder / "tmp").mkdir(exist_ok=True)
    return {
        **os.environ,
        "TMPDIR": str(folder / "tmp"),
        "AUGSTUDY_LOG": str(folder / "augstudy.log"),
        "COLUMNS": "200",
    }


def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start ``augstudy`` with `folder` as the working directory."""
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(folder),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def augstudy(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run ``augstudy`` to its end in a process of its own."""
    with start(folder, *arguments) as process:
        out, err = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def in_this_process(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run ``augstudy`` to its end here, which spares the start of Python and of KFP."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in environment(folder).items():
            patch.setenv(name, value)
        patch.setenv(DEBUG_VARIABLE, "")  # which --verbose sets for as long as the process lives
        patch.setattr(tempfile, "tempdir", None)  # so that TMPDIR counts
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = invoke(list(arguments))
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def record(folder: Path, number: int = 1) -> dict[str, Any]:
    """``run.json`` of a run."""
    return json.loads((folder / "runs" / f"{number:04d}" / "run.json").read_text())


def events(folder: Path, number: int = 1) -> list[dict[str, Any]]:
    """The events of a run so far."""
    path = folder / "runs" / f"{number:04d}" / "events.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Wait until `condition` is true; the limit is there only to fail rather than hang."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"never happened: {what}")
