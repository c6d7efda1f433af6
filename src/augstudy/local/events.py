"""Follows the event file of a run and keeps the state of each step."""

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Step:
    """What is known of one step's process."""

    stage: str
    label: str
    launched: float
    state: str = "starting"
    stages: int = 0  # begun so far: a step may do several, or one in parts
    worked_since: float | None = None
    done: float = 0.0
    total: float = 0.0
    text: str = ""
    startup_s: float = 0.0
    work_s: float = 0.0
    cpu_s: float = 0.0
    peak_mib: float = 0.0
    gpus: int = 0
    reused: bool = False
    ended: float | None = None
    error: dict[str, Any] | None = None

    @property
    def title(self) -> str:
        """Stage and label."""
        return f"{self.stage} {self.label}".strip()

    @property
    def gpu_s(self) -> float:
        """Seconds that it held GPUs, times their number."""
        return self.gpus * (self.startup_s + self.work_s)

    @property
    def running(self) -> bool:
        """Whether the step has not ended."""
        return self.state in ("starting", "working")

    def elapsed(self, now: float) -> float:
        """Seconds since the process began, or that it took."""
        return (self.ended or now) - self.launched

    def seconds_left(self, now: float) -> float | None:
        """Estimate from the progress so far; None before there is any."""
        if self.worked_since is None or not 0 < self.done <= self.total:
            return None
        return (now - self.worked_since) * (self.total - self.done) / self.done


@dataclass
class RunState:
    """All steps of a run, in the order in which they began."""

    steps: list[Step] = field(default_factory=list)
    planned: int = 0
    _by_pid: dict[int, Step] = field(default_factory=dict)

    @property
    def finished(self) -> list[Step]:
        """Steps that ended well."""
        return [step for step in self.steps if step.state == "done"]

    @property
    def failed(self) -> list[Step]:
        """Steps that ended with an error."""
        return [step for step in self.steps if step.error is not None]

    @property
    def startup_s(self) -> float:
        """Seconds that all steps together took to start Python and import."""
        return sum(step.startup_s for step in self.finished)

    @property
    def reused(self) -> int:
        """Steps whose result was taken from the cache."""
        return sum(step.reused for step in self.finished)

    def cost(self) -> dict[str, float]:
        """Processor and GPU seconds of all steps that said what they used."""
        return {
            name: round(sum(getattr(step, name) for step in self.steps), 1)
            for name in ("cpu_s", "gpu_s")
        }

    def apply(self, event: Mapping[str, Any]) -> None:
        """Take in one event."""
        kind = event["event"]
        if kind == "plan":
            self.planned = int(event["steps"])
            return
        step = self._step(event)
        more = int(event.get("parts", 0))
        if kind == "start":
            step.state = "working"
            step.stages += 1
            if step.stages == 1:
                step.startup_s = float(event.get("startup_s", 0.0))
                step.worked_since = float(event["time"])
        elif kind == "progress":
            step.done, step.total = float(event["done"]), float(event["total"])
            step.text = str(event.get("text", ""))
        elif kind == "end":
            before, later = 0.0, step.stages > 1
            if later:  # what came before it was work, too
                before = float(event["startup_s"]) - step.startup_s
            else:
                step.startup_s = float(event["startup_s"])
            step.work_s = before + float(event["work_s"])
            step.peak_mib, step.ended = float(event["peak_mib"]), float(event["time"])
            step.cpu_s, step.gpus = float(event.get("cpu_s", 0)), int(event.get("gpus", 0))
            reused = bool(event.get("reused", False))
            step.reused = reused and (step.reused or not later)
            step.state = str(event["outcome"])
            if step.state == "done" and int(event.get("part", 0)) + 1 < more:
                step.state, step.ended = "working", None
        elif kind == "exit" and step.running:  # it had nothing to do
            step.state, step.ended = "done", float(event["time"])
        elif kind == "error":
            step.error, step.state, step.ended = dict(event), "failed", float(event["time"])

    def running_pids(self) -> list[int]:
        """Processes of the steps that have not ended."""
        return [pid for pid, step in self._by_pid.items() if step.running]

    def bury(self, pid: int, time: float) -> None:
        """Note that the process of a step is gone, unless its last words were heard."""
        step = self._by_pid[pid]
        if step.running:
            step.state, step.ended = "failed", time
            message = (
                "ended without a message, most likely because memory ran out: use fewer images or "
                "a smaller model, or close other programs."
            )
            step.error = {"message": message, "known": True, "exit_code": 3, "guessed": True}

    def _step(self, event: Mapping[str, Any]) -> Step:
        """The step an event belongs to; each is a process of its own."""
        pid = int(event["pid"])
        step = self._by_pid.get(pid)
        if step is None or (event["event"] == "launch" and not step.running):
            step = Step(str(event["stage"]), str(event["label"]), float(event["time"]))
            self.steps.append(step)
            self._by_pid[pid] = step
        step.label = str(event["label"]) or step.label
        return step


class Follower:
    """Reads what was appended to the event file since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0

    def update(self, state: RunState) -> None:
        """Apply the new events to `state`."""
        with self._path.open("rb") as stream:
            stream.seek(self._position)
            content = stream.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._position += len(whole)
        for line in whole.splitlines():
            # A full disk may have torn one.
            with contextlib.suppress(ValueError, LookupError, TypeError, RecursionError):
                state.apply(json.loads(line))


def now() -> float:
    """The clock that events carry."""
    return time.time()
