"""The environment: two makes at once take turns, and a half-made one is not taken for finished."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from checkout import Checkout

# Takes the place of pip: a moment's work that must not be disturbed, and leaves a trace.
PIP = """
import os, sys, time
from pathlib import Path

folder = Path(sys.prefix)
(folder / "log").open("a").write(" ".join(sys.argv[1:]) + "\\n")
if "--version" in sys.argv:
    sys.exit()
busy = folder / "busy"
busy.touch(exist_ok=False)  # an error if another one is at work
time.sleep(float(os.environ.get("PIP_TAKES", "0.5")))
busy.unlink()
"""


@pytest.fixture
def clone(tmp_path: Path) -> Checkout:
    """A fresh clone, in which python makes environments with a pip that only takes notes."""
    made = Checkout(tmp_path / "clone")
    fake = tmp_path / "python3"
    pip = tmp_path / "pip.py"
    pip.write_text(PIP)
    # A real environment without pip, and a stand-in for it.
    fake.write_text(
        f"""#!{sys.executable}
import os, subprocess, sys
from pathlib import Path
words = sys.argv[1:]
if words[:2] == ["-m", "venv"]:
    folder = words[-1]
    subprocess.run([{sys.executable!r}, "-m", "venv", "--without-pip", *words[2:]], check=True)
    site = next(Path(folder, "lib").glob("python*/site-packages"))
    (site / "pip.py").write_text(Path({str(pip)!r}).read_text())
    program = Path(folder, "bin", "augstudy")
    program.write_text("#!/bin/sh\\necho listed\\n")
    program.chmod(0o755)
else:
    os.execv({sys.executable!r}, [{str(fake)!r}, *words])
"""
    )
    fake.chmod(0o755)
    return made


def start(clone: Checkout, target: str = "runs", takes: str = "0.5") -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["make", target, f"PYTHON={clone.path.parent / 'python3'}"],
        cwd=clone.path,
        env={**os.environ, "PIP_TAKES": takes},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def installs(clone: Checkout) -> list[str]:
    lines = (clone.path / ".venv" / "log").read_text().splitlines()
    return [line for line in lines if "install" in line]


def test_two_at_once_take_turns(clone: Checkout) -> None:
    both = [start(clone), start(clone)]
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert ["listed" in out for out, _ in said] == [True, True]
    assert sum("waiting for it" in err for _, err in said) == 1
    assert len(installs(clone)) == 2  # the packages, and the project: once


def test_two_targets_of_one_make_take_turns(clone: Checkout) -> None:
    done = subprocess.run(
        ["make", "-j2", "ready", "ready-dev", f"PYTHON={clone.path.parent / 'python3'}"],
        cwd=clone.path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    stamp = json.loads((clone.path / ".venv" / ".augstudy.json").read_text())
    assert set(stamp) == {"run", "dev"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_was_broken_off_is_made_again(clone: Checkout, number: int) -> None:
    process = start(clone, takes="30")
    deadline = time.monotonic() + 30
    while not (clone.path / ".venv" / "busy").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, number)
    process.communicate(timeout=60)
    assert process.returncode != 0
    (clone.path / ".venv" / "half").touch()
    again = start(clone)
    out, err = again.communicate(timeout=60)
    assert again.returncode == 0, err
    assert "listed" in out
    assert not (clone.path / ".venv" / "half").exists()


def test_a_failing_pip_leaves_nothing_that_counts_as_finished(clone: Checkout) -> None:
    failing = start(clone, takes="no number")
    failing.communicate(timeout=60)
    assert failing.returncode != 0
    assert not (clone.path / ".venv" / ".augstudy.json").exists()
    again = start(clone)
    assert "listed" in again.communicate(timeout=60)[0]


def test_a_finished_one_is_left_alone_until_the_packages_change(clone: Checkout) -> None:
    for _ in range(2):
        start(clone).communicate(timeout=60)
    assert len(installs(clone)) == 2
    (clone.path / ".venv" / "mine").touch()
    with (clone.path / "requirements" / "run.txt").open("a") as stream:
        stream.write("\n")
    start(clone).communicate(timeout=60)
    assert len(installs(clone)) == 4
    assert (clone.path / ".venv" / "mine").exists()


@pytest.mark.parametrize("venv", ["", ".", "scripts"])
def test_a_folder_of_something_else_is_left_alone(clone: Checkout, venv: str) -> None:
    before = sorted(path.name for path in clone.path.rglob("*"))
    done = clone.make("runs", f"PYTHON={clone.path.parent / 'python3'}", f"VENV={venv}")
    assert done.returncode == 2
    assert "is no virtual environment: name another one in VENV." in done.stderr
    left = sorted(path.name for path in clone.path.rglob("*") if path.suffix != ".lock")
    assert left == before
