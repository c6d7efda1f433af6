"""Says why a run failed: the step, its sentence or traceback, and the exit code."""

import errno
import os
import re
import shutil
from pathlib import Path

from augstudy.core.errors import AugstudyError, ServiceError
from augstudy.local.events import RunState

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ORCHESTRATOR = re.compile(r"Task (\S+) failed with exception: (.*)")
_LEAST_SPACE = 1 << 20
_RECENT = 200  # lines
_ORCHESTRATION = ("kfp/local", "augstudy/local/worker.py")


class StepError(AugstudyError):
    """A step of a run failed; carries the exit code of the error inside the step.

    Attributes:
        traceback: What the step's process printed; empty if the sentence says it all.
        log: Where the rest is.
    """

    def __init__(self, sentence: str, traceback: str, exit_code: int, log: Path) -> None:
        super().__init__(sentence)
        self.traceback = traceback
        self.exit_code = exit_code
        self.log = log


def explain(state: RunState, log: Path) -> StepError:
    """The best account of the failure of a run that the events and the log give."""
    if state.failed:
        step = state.failed[0]
        error = step.error or {}
        known = bool(error.get("known"))
        if (not known or error.get("guessed")) and _disk_is_full(log):
            return _no_space(log)
        trace = "" if known else str(error.get("traceback", "")).strip()
        return StepError(f"{step.title}: {error['message']}", trace, int(error["exit_code"]), log)
    if _disk_is_full(log):
        return _no_space(log)
    trace = last_traceback(log)
    if trace:
        return StepError(f"A step failed: {trace.splitlines()[-1]}", trace, 1, log)
    reason = _ORCHESTRATOR.findall(_COLOUR.sub("", _read(log)))
    sentence = f"KFP could not run {': '.join(reason[0])}" if reason else "The run ended silently."
    return StepError(sentence, _tail(log), 1, log)


def _disk_is_full(log: Path) -> bool:
    """Whether there is no space now, or was none just now for somebody who has made some since."""
    free = shutil.disk_usage(log.parent).free
    return free < _LEAST_SPACE or os.strerror(errno.ENOSPC) in _tail(log, _RECENT)


def _no_space(log: Path) -> StepError:
    sentence = f"No space left in {log.parent}: free some disk space and run again."
    return StepError(sentence, "", ServiceError.exit_code, log)


def last_traceback(log: Path) -> str:
    """The last traceback in the log that is a step's own and not KFP's; empty if there is none."""
    lines = [_COLOUR.sub("", line).rstrip() for line in _read(log).splitlines()]
    found: list[str] = []
    starts = [at for at, line in enumerate(lines) if line.lstrip().startswith("Traceback (most")]
    for at in starts:
        indent = len(lines[at]) - len(lines[at].lstrip())
        block = [lines[at][indent:]]
        for line in lines[at + 1 :]:
            block.append(line[indent:])
            if line.strip() and not line[indent:].startswith(" "):
                break
        text = "\n".join(block)
        if not any(part in text for part in _ORCHESTRATION):
            found.append(text)
    return found[-1] if found else ""


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(_COLOUR.sub("", _read(log)).splitlines()[-lines:])


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
