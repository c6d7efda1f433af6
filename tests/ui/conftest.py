"""Fixtures: ten thousand runs, the page over them, and a browser; ``make test-ui`` runs these."""

import contextlib
import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Page, Proxy, browser

from augstudy.runs.folder import RunsFolder

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "tracker"))
from recorded import build_run, summary  # noqa: E402

RUNS = 10_000
REAL = 2  # of them with artifacts
ARMS = (("real", None, 0.0), ("add", 1.0, 2.0))


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten thousand runs of two arms; the last two hold real artifacts."""
    folder = tmp_path_factory.mktemp("many") / "runs"
    for number in range(1, RUNS - REAL + 1):
        _write(folder / f"{number:04d}", number)
    for _ in range(REAL):
        build_run(folder, ARMS)
    assert RunsFolder(folder).rebuild() == RUNS
    return folder


def _write(folder: Path, number: int) -> None:
    """A finished run: its accuracy rises and falls with its number, the best is 0.95."""
    folder.mkdir(parents=True)
    accuracy = round(0.5 + 0.45 * (number * 7919 % 9001) / 9000, 3)
    facts = {
        "name": folder.name,
        "pipeline": "augmentation_study" if number % 3 else "cnn_tuning",
        "preset": "quick",
        "state": "failed" if number % 97 == 0 else "done",
        "started": 1_700_000_000 + 600 * number,
        "duration_s": number % 4000,
        "user": ("ada", "grace", "alan")[number % 3],
        "note": f"note {number}" if number % 1000 == 0 else "",
        "parameters": {"source": "sample", "level": 10 * (number % 30 + 1), "classifier": "modern"},
        "changed": {"classifier_settings.batch_size": 2 ** (number % 6 + 4)},
    }
    (folder / "run.json").write_text(json.dumps(facts))
    (folder / "summary.json").write_text(_summary(accuracy))


@functools.cache  # making one takes longer than writing it
def _summary(accuracy: float) -> str:
    return json.dumps(summary(accuracy))


@contextlib.contextmanager
def served(runs: Path, *options: str) -> Iterator[str]:
    """Where ``augstudy ui``, as a person starts it, serves runs."""
    command = [sys.executable, "-m", "augstudy.cli", "ui", "--runs-dir", str(runs), "--port", "0"]
    command += options
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("http://127.0.0.1:"), line
        yield line.split()[0]
        process.terminate()


@pytest.fixture(scope="session")
def address(runs: Path) -> Iterator[str]:
    """Where these runs are served."""
    with served(runs) as found:
        yield found


@pytest.fixture
def few(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder for runs, empty, and where it is served."""
    folder = tmp_path / "runs"
    folder.mkdir()
    with served(folder) as found:
        yield folder, found


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A browser's tab, which must neither complain nor ask for anything but loopback."""
    with browser(tmp_path) as (tab, proxy):
        yield tab
        _check(tab, proxy)


def _check(tab: Page, proxy: Proxy) -> None:
    foreign = [url for url in tab.requests if not url.startswith(("http://127.0.0.1:", "data:"))]
    assert foreign == [] and proxy.asked == []
    assert tab.complaints == []


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots are kept: the folder AUGSTUDY_SHOTS, to look at them."""
    return Path(os.environ.get("AUGSTUDY_SHOTS") or tmp_path_factory.mktemp("shots"))
