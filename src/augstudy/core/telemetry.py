"""What a running step tells the world: start, progress, end, and how long each took.

A step opens :func:`stage` and reports through it. Under ``augstudy run`` the events go to the file
named by ``AUGSTUDY_EVENTS`` (one JSON object a line, appended atomically), which the runner turns
into progress bars and ``timings.csv``. On a terminal they become a progress bar, elsewhere a
log line now and then.
"""

import contextlib
import json
import logging
import os
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from augstudy.core import outlets
from augstudy.core.files import append_lines
from augstudy.core.redaction import without_secrets

EVENTS_VARIABLE = "AUGSTUDY_EVENTS"
_LOG_EVERY_SECONDS = 10.0

logger = logging.getLogger("augstudy")
_running: "Stage | None" = None
_part: tuple[int, int, str] | None = None


class Stage:
    """A running step; see :func:`stage`."""

    def __init__(self, name: str, label: str) -> None:
        self.name = name
        self.label = label
        self.title = f"{name} {label}".strip()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._last_log = time.monotonic()
        self.reused = False
        # Keys of what its trainings keep in a store until their artifact is published.
        self.checkpoints: list[str] = []
        self._credit = {"wall_s": 0.0, "cpu_s": 0.0}

    def cost(self) -> dict[str, float]:
        """What the work of this step has cost: seconds, and seconds of processor time.

        From the start of the process, with what :meth:`credit` added.
        """
        spent = {"wall_s": _process_age(), "cpu_s": _cpu_s()}
        return {name: round(spent[name] + self._credit[name], 3) for name in spent}

    def credit(self, spent: Mapping[str, Any]) -> None:
        """Add what others spent on parts of the work, as :meth:`cost` told it there."""
        for name in self._credit:
            self._credit[name] += float(spent.get(name, 0.0))

    def take_from_cache(self) -> None:
        """Note that there is nothing to do: the result was found."""
        self.reused = True
        self.progress(1, 1, "taken from the cache")

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Report `done` of `total` units of work, with a short text such as a metric."""
        if _part:
            number, parts, what = _part
            done, total = number * total + done, parts * total
            text = f"{what} {number + 1} of {parts}  {text}"
        if os.environ.get(EVENTS_VARIABLE):
            self.event("progress", done=done, total=total, text=text)
        elif sys.stderr.isatty():
            self._draw(done, total, text)
        elif time.monotonic() - self._last_log > _LOG_EVERY_SECONDS:
            self._last_log = time.monotonic()
            logger.info("%s: %.0f of %.0f %s", self.title, done, total, text)

    def event(self, event: str, **values: Any) -> None:
        """Append an event to the event file, if there is one.

        Raises:
            OSError: it cannot be written, and is more than progress.
        """
        target = os.environ.get(EVENTS_VARIABLE)
        if not target:
            return
        record = {"time": time.time(), "pid": os.getpid(), "event": event, "stage": self.name}
        if _part:
            values["part"], values["parts"], _ = _part
        shown = {
            name: without_secrets(value) if isinstance(value, str) else value
            for name, value in {"label": self.label, **values}.items()
        }
        line = json.dumps({**record, **shown}) + "\n"
        try:
            append_lines(Path(target), line.encode())
        except OSError:
            if event != "progress":
                raise

    def _draw(self, done: float, total: float, text: str) -> None:
        if self._bar is None:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[text]}"),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=outlets.console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self.title, total=total, text=text)
        assert self._task is not None
        self._bar.update(self._task, completed=done, total=total, text=text)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()


@contextlib.contextmanager
def stage(name: str, label: str = "") -> Iterator[Stage]:
    """Announce a step, time it, and report its end or failure.

    The `end` event carries ``startup_s`` (from the start of the process to here: interpreter and
    imports), ``work_s``, ``peak_mib`` (peak resident memory of the process), ``cpu_s`` (processor
    time of the process and its children, all cores), ``gpus`` (how many it held) and ``reused``
    (whether the cache had the result).
    """
    global _running
    current, before = Stage(name, label), _running
    _running = current
    startup = _process_age()
    current.event("start", startup_s=round(startup, 3))
    began = time.monotonic()
    outcome = "failed"
    try:
        yield current
        outcome = "done"
    except SystemExit:  # asked to end; errors are other exceptions
        outcome = "stopped"
        raise
    finally:
        _running = before
        current._close()
        work = time.monotonic() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        current.event(
            "end",
            outcome=outcome,
            startup_s=round(startup, 3),
            work_s=round(work, 3),
            peak_mib=round(peak, 1),
            cpu_s=round(_cpu_s(), 2),
            gpus=_gpus(),
            reused=current.reused,
        )
        logger.info("%s: %s in %.1f s", current.title, outcome, work)


@contextlib.contextmanager
def part(number: int, parts: int, what: str) -> Iterator[None]:
    """Count what stages do meanwhile as one of equal `parts` of the work of a step.

    Args:
        number: of the part, from 0.
        parts: how many there are.
        what: a part is called, such as ``fold``.
    """
    global _part
    before, _part = _part, (number, parts, what)
    try:
        yield
    finally:
        _part = before


def running() -> Stage | None:
    """The step that this process is at work on."""
    return _running


def _cpu_s() -> float:
    """Processor time of this process and its children, over all cores."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(part.ru_utime + part.ru_stime for part in used)


def _gpus() -> int:
    """GPUs that this process held; none where nothing has asked for them."""
    backend = sys.modules.get("augstudy.models.backend")
    return backend.gpus() if backend else 0


def _process_age() -> float:
    """Seconds since this process started (0 where the system does not tell)."""
    try:
        ticks = float(Path("/proc/self/stat").read_bytes().rsplit(b")", 1)[1].split()[19])
        uptime = float(Path("/proc/uptime").read_bytes().split()[0])
    except OSError:
        return 0.0
    return max(0.0, uptime - ticks / os.sysconf("SC_CLK_TCK"))
