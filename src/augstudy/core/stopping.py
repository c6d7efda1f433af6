"""What SIGTERM, SIGINT and SIGHUP do, wherever they come: to a run, its worker, a step at work.

A run that is stopped ends its worker and all steps, those at work save what they have done, and a
worker whose run is gone ends itself.
"""

import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

TERMINATED = 128 + signal.SIGTERM
KILLED = 128 + signal.SIGKILL
_GRACE_S = 5.0
_POLL_S = 0.05

logger = logging.getLogger("augstudy")


class Interrupted(Exception):  # noqa: N818 (not an error)
    """The person, or the system, asked the run to stop; `signal` says how."""

    def __init__(self, signal: int, log: Path | None = None) -> None:
        super().__init__(f"stopped by signal {signal}")
        self.signal = signal
        self.log = log


class Terminated(SystemExit):
    """The process was asked to end (SIGTERM); its exit code says so."""


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn Ctrl-C, a closed terminal and a polite kill into :class:`Interrupted`."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = False

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if not asked:  # the second must not disturb the ending of the steps
            asked = True
            raise Interrupted(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def terminable(said: str, save: Callable[[], None] | None = None) -> Iterator[None]:
    """On SIGTERM `save`, log `said` and end the process with exit code 143.

    Without a handler the first process of a container ignores the signal.

    Raises:
        Terminated: the signal came.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> NoReturn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
        raise Terminated(TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except Terminated:
        if save:
            save()
        logger.warning(said)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def saved_when_terminated(
    save: Callable[[], None] | None,
) -> contextlib.AbstractContextManager[None]:
    """Let a training `save` its checkpoint when SIGTERM ends it; nothing without `save`."""
    said = "Ended by SIGTERM; the next start goes on from the checkpoint."
    return terminable(said, save) if save else contextlib.nullcontext()


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """End the leader of a process group and all processes that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
        if not _group_alive(process.pid):
            return


def end_with_parent() -> None:
    """End this process and its group once the other end of standard input is gone."""

    def wait() -> None:
        while os.read(0, 1):
            pass
        os.killpg(0, signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def _group_alive(group: int) -> bool:
    deadline = time.monotonic() + _GRACE_S
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except (ProcessLookupError, PermissionError):
            return False
        time.sleep(_POLL_S)
    return True
