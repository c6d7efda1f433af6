"""The folder of a run: ``runs/0007/`` with ``run.json``, logs, artifacts and the report."""

import contextlib
import csv
import getpass
import json
import os
import platform
import shutil
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml

from augstudy import __version__
from augstudy.core import artifacts, outlets
from augstudy.core.files import DRAFT, naming, remove, remove_drafts, replace_text
from augstudy.core.fingerprint import code_version
from augstudy.core.machine import hardware
from augstudy.local.events import Step
from augstudy.runs.folder import DELETED, RunsFolder
from augstudy.runs.record import newest_first, rows

RECORD = "run.json"
LOG = "run.log"
EVENTS = "events.jsonl"
TEMPORARY = ".tmp"
ARTIFACTS = "artifacts"
_REPORT_FILES = ("report.html", "summary.json", "verdict.md")
_DECISION_FILES = ("decision.json", "verdict.md")


class RunFolder:
    """A run on disk; `record` mirrors ``run.json``."""

    def __init__(self, path: Path, record: dict[str, Any]) -> None:
        self.path = path
        self.record = record

    @classmethod
    def create(cls, runs: Path, pipeline: str, parameters: Mapping[str, Any], **more: Any) -> Any:
        """Make the next folder in `runs`; its number is never given twice, even to two processes.

        Raises:
            ServiceError: `runs` cannot be written.
        """
        book = RunsFolder(runs)
        number, path = book.claim()
        record = {
            "id": number,
            "name": path.name,
            "pipeline": pipeline,
            "state": "running",
            "started": _now(),
            "finished": None,
            "duration_s": None,
            "user": _user(),
            "host": platform.node(),
            "hardware": hardware(),
            "pid": os.getpid(),
            "version": __version__,
            "code": code_version(),
            **more,
            "parameters": dict(parameters),
        }
        folder = cls(path, record)
        try:
            folder.update()
            replace_text(path / "settings.yaml", yaml.safe_dump(dict(parameters), sort_keys=False))
            (path / EVENTS).touch()
            book.put(path.name)
        except BaseException:  # nothing has happened that a run would be kept for
            remove(path)
            raise
        return folder

    @property
    def log(self) -> Path:
        """What KFP and the steps wrote."""
        return self.path / LOG

    @property
    def root(self) -> Path:
        """Where the artifacts are."""
        return self.path / ARTIFACTS

    def update(self, **values: Any) -> None:
        """Change the record; a reader sees the old or the new ``run.json``, never a part."""
        self.record.update(values)
        replace_text(self.path / RECORD, json.dumps(self.record, indent=1) + "\n")

    def finish(self, state: str, duration_s: float, **values: Any) -> None:
        """Record how the run ended."""
        self.update(state=state, finished=_now(), duration_s=round(duration_s, 1), **values)

    def collect_report(self) -> Path | None:
        """Copy the newest report among the artifacts into the folder; None if there is none.

        Raises:
            DataError: the report is damaged.
        """
        manifests = self.root.rglob(f"report/{artifacts.MANIFEST}")
        newest = max(manifests, key=lambda path: path.stat().st_mtime, default=None)
        if newest is None:
            return None
        report = artifacts.read(newest.parent, "report")
        for name in _REPORT_FILES:
            shutil.copyfile(report.file(name), self.path / name)
        return self.path / "report.html"

    def collect_decision(self) -> bool:
        """Copy what a retraining decided into the folder; whether it decided anything.

        Raises:
            DataError: the decision is damaged.
        """
        manifest = next(self.root.rglob(f"decision/{artifacts.MANIFEST}"), None)
        if manifest is None:
            return False
        decision = artifacts.read(manifest.parent, "decision")
        for name in _DECISION_FILES:
            shutil.copyfile(decision.file(name), self.path / name)
        return True

    def write_timings(self, steps: Iterable[Step], wall_s: float) -> None:
        """Write ``timings.csv``: a row per step; `share` is its part of the wall time.

        A step that is `reused` was taken from the cache; what it had cost is in its manifest.
        """
        path = self.path / "timings.csv"
        with naming(path), path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            numbers = ("startup_s", "work_s", "share", "peak_mib", "cpu_s", "gpu_s", "reused")
            writer.writerow(["stage", "label", *numbers])
            for step in steps:
                share = (step.startup_s + step.work_s) / wall_s if wall_s else 0.0
                cells = [f"{step.startup_s:.3f}", f"{step.work_s:.3f}", f"{share:.4f}"]
                cells += [f"{step.peak_mib:.1f}", f"{step.cpu_s:.2f}", f"{step.gpu_s:.2f}"]
                writer.writerow(
                    [outlets.cell(step.stage), outlets.cell(step.label), *cells, int(step.reused)]
                )

    def sweep(self) -> None:
        """Remove what killed steps left half-written."""
        for path in list(self.root.rglob(".*")):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)


def settle(runs: Path) -> None:
    """Mark runs whose process died without a word (power cut, kill -9) as interrupted.

    What they, and others like them, left half-written is removed.
    """
    if not runs.is_dir():
        return
    remove_drafts([*runs.glob(f"{DRAFT}*"), *runs.glob(f"{DELETED}*")])
    records = RunsFolder(runs).records()
    unfinished = {item["key"] for item in records if item["state"] == "running"}
    for name in unfinished:
        path = runs / name / RECORD
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            record = json.loads(path.read_bytes())
            if record["host"] == platform.node() and not alive(int(record["pid"])):
                _tidy(runs / name)
                record.update(state="interrupted")
                replace_text(path, json.dumps(record, indent=1) + "\n")
    for temporary in runs.glob(f"*/{TEMPORARY}"):  # its steps may have outlived the run
        if temporary.parent.name not in unfinished:
            _tidy(temporary.parent)


def _tidy(run: Path) -> None:
    remove(run / TEMPORARY)
    remove_drafts([*run.glob(f"{DRAFT}*"), *(run / ARTIFACTS).rglob(".*")])


def refresh_overview(runs: Path) -> str:
    """Rewrite ``overview.csv``, a row for each arm of the runs, their records, and missing pages.

    Returns:
        What went wrong: an overview that cannot be made is no reason to lose a run. Else empty.
    """
    try:
        from augstudy.pages import run_page, tables

        book = RunsFolder(runs)
        run_page.write_missing(book)
        tables.write_csv(list(rows(newest_first(book.records()))), runs / "overview.csv")
    except Exception as error:
        return f"The overview in {runs} could not be refreshed: {error}"
    return ""


def alive(pid: int) -> bool:
    """Whether a process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())
