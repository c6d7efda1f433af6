"""Starts the real command line in a process of its own, in an empty world."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    """Run ``augstudy`` to its end."""
    with start(folder, *arguments) as process:
        out, err = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


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
