"""Follows runs on a cluster until they end: a line a change, and a live line on a terminal."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.markup import escape

from augstudy.cluster.faults import UnreachableError
from augstudy.cluster.server import Server
from augstudy.cluster.submit import Submitted
from augstudy.core.errors import AugstudyError
from augstudy.pages.formats import duration

_GOOD = ("SUCCEEDED", "SKIPPED")
_BAD = ("FAILED", "CANCELED")
_COLOURS = {"SUCCEEDED": "green", "FAILED": "bold red", "CANCELED": "red", "RUNNING": "cyan"}
_PATIENCE = 20  # polls in a row that may go unanswered, for a server that restarts


class RunsFailedError(AugstudyError):
    """A run ended without success."""


@dataclass
class _Seen:
    """What was last told of a run."""

    state: str = ""
    done: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)

    @property
    def over(self) -> bool:
        return self.state in _GOOD + _BAD


def follow(
    server: Server,
    runs: Sequence[Submitted],
    steps: frozenset[str],
    console: Console,
    poll_s: float,
) -> None:
    """Wait for the end of `runs`.

    Args:
        server: Where they run.
        runs: What to wait for.
        steps: Names of the pipeline's steps; KFP lists drivers and graphs as tasks, too.
        console: Where changes are told.
        poll_s: Seconds between two looks.

    Raises:
        RunsFailedError: a run did not succeed.
        ServiceError: the server stays away.
    """
    seen = {run.run_id: _Seen() for run in runs}
    began, missed = time.monotonic(), 0
    with console.status("waiting") as status:
        while True:
            try:
                for run in runs:
                    if not seen[run.run_id].over:
                        _look(server, run, seen[run.run_id], steps, console)
                missed = 0
            except UnreachableError as error:
                missed += 1
                if missed > _PATIENCE:
                    raise
                if missed == 1:
                    console.print(f"[yellow]{escape(str(error))}[/] Trying again.", soft_wrap=True)
            over = sum(item.over for item in seen.values())
            if over == len(runs):
                break
            passed = duration(time.monotonic() - began)
            status.update(f"{over} of {len(runs)} runs ended · {passed}")
            time.sleep(poll_s)
    _judge(runs, seen)


def _look(
    server: Server, run: Submitted, seen: _Seen, steps: frozenset[str], console: Console
) -> None:
    found = server.run(run.run_id)
    state = str(found.state or "PENDING")
    for title, ended, why in _tasks(found, steps):
        if ended == "SUCCEEDED" and title not in seen.told:
            console.print(f"{escape(run.name)}: {escape(title)} done", soft_wrap=True)
            seen.told.add(title)
        elif ended == "FAILED" and title not in seen.told:
            text = f"{escape(run.name)}: [red]{escape(title)} failed[/]{escape(why)}"
            console.print(text, soft_wrap=True)
            seen.told.add(title)
    if state != seen.state:
        colour = _COLOURS.get(state, "default")
        reason = getattr(found.error, "message", "") if state in _BAD else ""
        text = f"{escape(run.name)}: [{colour}]{state.lower()}[/]"
        console.print(text + (f" ({escape(reason)})" if reason else ""), soft_wrap=True)
        seen.state = state


def _tasks(run: Any, steps: frozenset[str]) -> list[tuple[str, str, str]]:
    """Name, state and error of the steps that have one; repeated names are numbered."""
    details = getattr(run.run_details, "task_details", None) or []
    named = [task for task in details if task.display_name in steps]
    counts: dict[str, int] = {}
    found = []
    for task in sorted(named, key=lambda item: (str(item.create_time), str(item.task_id))):
        counts[task.display_name] = counts.get(task.display_name, 0) + 1
        number = counts[task.display_name]
        title = task.display_name + (f" ({number})" if number > 1 else "")
        message = getattr(task.error, "message", "")
        found.append((title, str(task.state), f": {message}" if message else ""))
    return found


def _judge(runs: Sequence[Submitted], seen: dict[str, _Seen]) -> None:
    bad = [run for run in runs if seen[run.run_id].state in _BAD]
    if not bad:
        return
    first = bad[0]
    how = seen[first.run_id].state.lower()
    more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    raise RunsFailedError(f"{first.name} {how}{more}: its logs are at {first.link}")
