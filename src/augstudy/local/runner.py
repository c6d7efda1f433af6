"""Runs a pipeline on this machine and keeps its run folder."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from augstudy.core.cache import VARIABLE as CACHE_VARIABLE
from augstudy.core.cache import Cache
from augstudy.core.errors import InputError
from augstudy.core.files import open_log
from augstudy.core.machine import usable_cores
from augstudy.core.redaction import without_secrets
from augstudy.core.stopping import Interrupted, end_group, interruptible
from augstudy.data.listed import Listed
from augstudy.local import display
from augstudy.local.events import Follower, RunState, now
from augstudy.local.failures import StepError, explain
from augstudy.local.runfolder import EVENTS, TEMPORARY, RunFolder, alive, refresh_overview, settle
from augstudy.local.series import Series
from augstudy.runs.folder import RunsFolder
from augstudy.runs.record import difference_of
from augstudy.runs.rounds import Finished
from augstudy.steps.study import Study

if TYPE_CHECKING:
    from augstudy.runs.mlflow_api import Server

TRACK_VARIABLE = "AUGSTUDY_TRACK"
THREADS_VARIABLE = "AUGSTUDY_THREADS"
CELL = "train_cnn"
PARALLEL_CELLS = 2  # kfp.local runs at most two iterations of a loop at once
_POLL_S = 0.1


@dataclass(frozen=True)
class Result:
    """A finished run; ``trained_s`` are the seconds that its cells took to train, one by one."""

    folder: Path
    report: Path | None
    wall_s: float
    startup_s: float
    reused: int = 0
    trained_s: float = 0.0

    @property
    def finished(self) -> Finished["Result"]:
        """The same as the round of a study."""
        from augstudy.results import files

        return Finished(self, files.read_summary(self.folder), self.trained_s / PARALLEL_CELLS)


def run(
    pipeline: str,
    parameters: Mapping[str, Any],
    *,
    runs: Path,
    console: Console,
    note: str = "",
    preset: str = "",
    threads: int = 0,
    cache: Path | None = None,
    base: Mapping[str, Any] | None = None,
    series: Series | None = None,
    checked: Callable[[Listed | None], None] = lambda _: None,
    track: str = "",
) -> Result:
    """Run a pipeline to its end.

    Args:
        pipeline: Name, or path of a Python file; see :mod:`augstudy.local.catalog`.
        parameters: All parameters, already checked.
        runs: Where the run folder is made.
        console: Where progress is shown.
        note: Kept with the run, for the overview.
        preset: Kept with the run.
        threads: Processor threads of a step that runs alone (0: all of the machine). Cells, of
            which two run side by side, get half. A CPU sums in an order that depends on the
            number of threads, so it is kept with the run. Without it ``AUGSTUDY_THREADS`` counts,
            which is that of every step, cells too, as in the pods of a cluster.
        cache: Folder of a cache of what earlier runs made, see :mod:`augstudy.core.cache`.
        base: What the parameters would have been without anybody's wishes: those of the preset.
            What differs from them is kept with the run.
        series: The study at several levels that this run is a part of, if it is.
        checked: Called once nothing speaks against the run, before there is one, with how many
            images the source has, if that is known.
        track: Address of an MLflow server that the finished run is sent to. Without it
            ``AUGSTUDY_TRACK`` counts. A run that cannot be sent is no less finished: a warning says
            how to send it later.

    Raises:
        StepError: a step failed; it carries the exit code of the step's error.
        Interrupted: Ctrl-C, or the process was asked to end.
        InputError: ``AUGSTUDY_THREADS`` is no number of threads, the source lacks a class or
            images, or `track` is no address: then there is no run.
    """
    listed = Study(parameters).check_source()
    tracker = _tracker(track)
    used = _threads(threads)
    kept: dict[str, Any] = {"note": note, "preset": preset, "threads": used}
    if base is not None:
        kept["changed"] = difference_of(parameters, base)
    checked(listed)
    settle(runs)
    if cache:
        Cache(cache).tidy()
    folder = RunFolder.create(runs, Path(pipeline).stem, parameters, **kept)
    if series:
        folder.update(series=series.record(folder.record["id"]))
    console.print(
        f"Run [bold]{folder.record['id']}[/] in {escape(str(folder.path))}", highlight=False
    )
    state = RunState()
    began = time.monotonic()
    outcome: dict[str, Any] = {"state": "failed"}
    try:
        environment = {
            THREADS_VARIABLE: str(used["step"]),
            "AUGSTUDY_CELL_THREADS": str(used["cell"]),
            CACHE_VARIABLE: str(cache.absolute()) if cache else "",
        }
        screen = display.make(console, series.place if series else "")
        _execute(pipeline, folder, environment, state, screen)
        report = folder.collect_report()
        folder.collect_decision()
        outcome = {"state": "done"}
    except Interrupted as stop:
        outcome = {"state": "interrupted", "exit_code": 128 + stop.signal}
        raise
    except StepError as error:
        outcome = {
            "state": "failed",
            "exit_code": error.exit_code,
            "error": without_secrets(str(error)),
        }
        raise
    finally:
        wall = time.monotonic() - began
        outcome |= {"startup_s": round(state.startup_s, 2), "reused": state.reused} | state.cost()
        trouble = _finish(folder, state, wall, outcome) or refresh_overview(runs)
        if trouble:
            console.print(f"[yellow]Warning:[/] {escape(trouble)}", soft_wrap=True)
    if tracker:
        _track(tracker, folder, console)
    trained = sum(step.work_s for step in state.finished if step.stage == CELL and not step.reused)
    return Result(folder.path, report, wall, state.startup_s, state.reused, trained)


def _finish(folder: RunFolder, state: RunState, wall: float, outcome: dict[str, Any]) -> str:
    """Write down how a run ended; what went wrong, which must not hide why the run failed.

    Raises:
        OSError: the run is done, and cannot be written down as such.
    """
    ended = outcome.pop("state")
    try:
        folder.finish(ended, wall, **outcome)
        folder.write_timings(state.finished, wall)
    except OSError as error:
        if ended == "done":
            raise
        return f"How the run ended could not be written: {error}."
    return ""


def _tracker(address: str) -> "Server | None":
    """The MLflow server of a run, if it has one; nothing is asked of it yet."""
    address = address or os.environ.get(TRACK_VARIABLE, "")
    if not address:
        return None
    from augstudy.runs.mlflow_api import Server

    return Server(address)


def _track(server: "Server", folder: RunFolder, console: Console) -> None:
    """Send a finished run to an MLflow server, or say how to do it later."""
    from augstudy.runs import tracking
    from augstudy.runs.shelf import of_store

    book = RunsFolder(folder.path.parent)
    try:
        record = book.put(folder.path.name)
        link = tracking.track(record, of_store(book.store)(record), server)
        console.print(f"Tracked: {link}", soft_wrap=True, markup=False)
    except Exception as error:  # nothing about tracking is a reason to lose a run
        again = f"augstudy runs track {folder.record['id']} --to {server.host}"
        console.print(
            f"[yellow]Warning:[/] the run was not tracked. {escape(str(error))} "
            f"To send it later: {escape(again)}",
            soft_wrap=True,
        )


def _threads(asked: int) -> dict[str, int]:
    """The threads of a step that runs alone, and of a cell."""
    told = os.environ.get(THREADS_VARIABLE)
    if told and not asked:
        if not re.fullmatch("[1-9][0-9]{0,3}", told):
            raise InputError(f"{THREADS_VARIABLE} is {told!r}: set it to a number of threads.")
        return {"step": int(told), "cell": int(told)}
    whole = asked or usable_cores()
    return {"step": whole, "cell": max(1, whole // PARALLEL_CELLS)}


def _execute(
    pipeline: str,
    folder: RunFolder,
    environment: Mapping[str, str],
    state: RunState,
    screen: display.Display,
) -> None:
    follower = Follower(folder.path / EVENTS)
    with interruptible(), screen, _worker(pipeline, folder, environment) as process:
        code: int | None = None
        try:
            while code is None and not state.failed:
                code = process.poll()
                gone = [pid for pid in state.running_pids() if not alive(pid)]
                follower.update(state)
                screen.update(state)
                for pid in gone:
                    state.bury(pid, now())
                if code is None:
                    time.sleep(_POLL_S)
            if state.failed:
                # Nothing can save the run now: spare the cells that still wait.
                code = 1
            if code == 0:
                return
        except Interrupted as stop:
            stop.log = folder.log
            raise
        finally:
            if code != 0:
                end_group(process)
            follower.update(state)
            screen.update(state)
    raise explain(state, folder.log)


@contextlib.contextmanager
def _worker(
    pipeline: str, folder: RunFolder, environment: Mapping[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start the process that runs KFP, in a session of its own so that Ctrl-C spares it."""
    temporary = folder.path / TEMPORARY
    temporary.mkdir()
    parameters = folder.record["parameters"]
    request = {"pipeline": pipeline, "parameters": parameters, "root": str(folder.root)}
    environment = {
        **os.environ,
        **environment,
        "AUGSTUDY_EVENTS": str(folder.path / EVENTS),
        "AUGSTUDY_LOCAL": "1",
        "TMPDIR": str(temporary),
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",  # KFP writes in the locale's encoding
        # Steps are started with `python -m`: no module of the current folder may shadow ours.
        "PYTHONSAFEPATH": "1",
    }
    command = [sys.executable, "-m", "augstudy.local.worker"]
    try:
        with open_log(folder.log) as log:
            process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        assert process.stdin is not None
        with process.stdin as pipe:
            with contextlib.suppress(BrokenPipeError):
                pipe.write(json.dumps(request).encode() + b"\n")
                pipe.flush()  # and left open: its end tells the worker that we are gone
            yield process
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        folder.sweep()
