"""Follows runs on a cluster until they end: a line a change, and a live line on a terminal."""

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape

from augstudy.cluster.faults import UnreachableError
from augstudy.cluster.kfp_answers import Run, Task
from augstudy.cluster.kfp_api import Server
from augstudy.cluster.reasons import DRIVER, Reasons
from augstudy.cluster.steps import Steps
from augstudy.cluster.submit import Submitted
from augstudy.core.errors import AugstudyError
from augstudy.pages.formats import duration

_GOOD = ("SUCCEEDED", "SKIPPED")
_BAD = ("FAILED", "CANCELED")
_TRY = re.compile(r"\(\d+\)$")
_POD = "executor"  # what KFP calls the node of a step's pod
_COLOURS = {"SUCCEEDED": "green", "FAILED": "bold red", "CANCELED": "red", "RUNNING": "cyan"}
_KFPS = {"root": "the run", "iteration": "a loop", "iteration-item": "a round of a loop"}
_PATIENCE = 20  # polls in a row that may go unanswered, for a server that restarts
_PENDING_S = 120.0  # a pod that waits longer most often waits for ever


class RunsFailedError(AugstudyError):
    """A run ended without success."""


@dataclass
class _Seen:
    """What was last told of a run."""

    state: str = ""
    told: set[str] = field(default_factory=set)
    waiting: dict[str, float] = field(default_factory=dict)  # since when, by title
    terminated: bool = False
    why: str = ""  # the first reason of a failure

    @property
    def over(self) -> bool:
        return self.state in _GOOD + _BAD


def follow(
    server: Server, runs: Sequence[Submitted], steps: Steps, console: Console, poll_s: float
) -> None:
    """Wait for the end of `runs`.

    Args:
        server: Where they run.
        runs: What to wait for.
        steps: Those of the pipeline; KFP lists drivers, graphs and pods as tasks, too.
        console: Where changes are told.
        poll_s: Seconds between two looks.

    Raises:
        RunsFailedError: a run did not succeed.
        ServiceError: the server stays away.
    """
    followers = [_Follower(server, run, steps, console) for run in runs]
    began, missed = time.monotonic(), 0
    with console.status("waiting") as status:
        while True:
            try:
                for follower in followers:
                    if not follower.seen.over:
                        follower.look()
                missed = 0
            except UnreachableError as error:
                missed += 1
                if missed > _PATIENCE:
                    raise
                if missed == 1:
                    console.print(f"[yellow]{escape(str(error))}[/] Trying again.", soft_wrap=True)
            over = sum(follower.seen.over for follower in followers)
            if over == len(runs):
                break
            passed = duration(time.monotonic() - began)
            status.update(f"{over} of {len(runs)} runs ended · {passed}")
            time.sleep(poll_s)
    _judge(followers)


class _Follower:
    """One run, and what was told of it."""

    def __init__(self, server: Server, run: Submitted, steps: Steps, console: Console) -> None:
        self.run, self.seen = run, _Seen()
        self._server, self._steps, self._console = server, steps, console
        self._reasons = Reasons(server, run.run_id, steps)

    def look(self) -> None:
        """Ask for the run and tell what is new."""
        found = self._server.run(self.run.run_id)
        states = [found.state, *(change.state for change in found.state_history)]
        self.seen.terminated |= "CANCELING" in states or found.state == "CANCELED"
        tasks = found.run_details.task_details if found.run_details else []
        for title, task in _named(tasks, self._steps):
            if task.state == "SUCCEEDED" and task.display_name in self._steps.steps:
                self._say(title, "done")
            elif task.state in _BAD:
                self._failed(found, title, task)
        for title, task in _waiting(tasks, self._steps):
            self._waits(title, task)
        self._state(found)

    def _failed(self, run: Run, title: str, task: Task) -> None:
        if title in self.seen.told:
            return
        if self.seen.terminated or self._reasons.late(run, task):
            self._say(title, "[yellow]was stopped[/]")
            return
        why = self._reasons.of(run, task)
        self.seen.why = self.seen.why or f"{title} failed: {why}"
        self._say(title, f"[red]failed[/]: {escape(why)}")

    def _waits(self, title: str, task: Task) -> None:
        """Tell that a pod waits for long: once for it, and once for what holds several."""
        key = f"{task.task_id} {task.display_name} waits"
        passed = time.monotonic() - self.seen.waiting.setdefault(key, time.monotonic())
        if passed < _PENDING_S or key in self.seen.told:
            return
        why = self._reasons.waiting()
        if f"waits: {why}" not in self.seen.told:
            self._console.print(
                f"{escape(self.run.name)}: [yellow]{escape(title)} has been pending for "
                f"{duration(passed)}[/]{escape(f': {why}' if why else '')}\n"
                f"  to see why: {escape(self._reasons.command)}",
                soft_wrap=True,
            )
        self.seen.told |= {key, f"waits: {why}"}

    def _say(self, title: str, what: str) -> None:
        if title in self.seen.told:
            return
        self.seen.told.add(title)
        self._console.print(f"{escape(self.run.name)}: {escape(title)} {what}", soft_wrap=True)

    def _state(self, found: Run) -> None:
        state = found.state or "PENDING"
        if state == self.seen.state:
            return
        self.seen.state = state
        reason, shown = "", state.lower()
        if state in _BAD:
            told = getattr(found.error, "message", "")
            end = self._reasons.end(found, self.seen.terminated, bool(self.seen.why))
            self.seen.why = end or self.seen.why or told
            shown, reason = ("terminated" if self.seen.terminated else shown), end or told
        colour = _COLOURS.get(state, "default")
        text = f"{escape(self.run.name)}: [{colour}]{shown}[/]"
        self._console.print(text + (f" ({escape(reason)})" if reason else ""), soft_wrap=True)


def _named(tasks: Sequence[Task], steps: Steps) -> Iterator[tuple[str, Task]]:
    """Steps and drivers with what people call them; repeated names are numbered."""
    counts: Counter[str] = Counter()
    # The API gives all tasks of a run the time when that was created.
    for task in sorted(tasks, key=lambda item: (str(item.start_time), item.task_id)):
        title = _title(task.display_name, steps)
        if title:
            counts[title] += 1
            yield title + (f" ({counts[title]})" if counts[title] > 1 else ""), task


def _waiting(tasks: Sequence[Task], steps: Steps) -> Iterator[tuple[str, Task]]:
    """Tasks whose pod waits; a step's own node may be running while that of its pod is not."""
    running = {
        steps.title(task.display_name)
        for task in tasks
        if task.state == "RUNNING" and task.display_name in steps.steps
    }
    for task in tasks:
        if task.state == "PENDING":
            key = _TRY.sub("", task.display_name)
            pod = f"a pod of {' or '.join(sorted(running))}" if running else "a pod"
            title = pod if key == _POD else _title(key, steps)
            if title:
                yield title, task


def _title(key: str, steps: Steps) -> str:
    """What people call a step or a driver; empty for other tasks."""
    if key in steps.steps:
        return steps.title(key)
    return _driven(key.removesuffix(DRIVER), steps) if key.endswith(DRIVER) else ""


def _driven(key: str, steps: Steps) -> str:
    """What people call the driver of a task, some of which only KFP has."""
    return f"the driver of {_KFPS.get(key) or steps.title(key)}"


def _judge(followers: Sequence[_Follower]) -> None:
    bad = [item for item in followers if item.seen.state in _BAD]
    if not bad:
        return
    first = bad[0]
    how = "was terminated" if first.seen.terminated else first.seen.state.lower()
    more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    why = first.seen.why.rstrip(".")
    because = f": {why}; its logs are at" if why else ": its logs are at"
    raise RunsFailedError(f"{first.run.name} {how}{more}{because} {first.run.link}")
