"""What ``submit`` does with a study that chooses its number of seeds: a run per round."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from augstudy.cli import remote
from augstudy.core.errors import InputError, ServiceError

if TYPE_CHECKING:
    from augstudy.cluster.kfp_api import Server
    from augstudy.cluster.remote_runs import RemoteRun
    from augstudy.local.parameters import Wanted
    from augstudy.runs import rounds


def check(wanted: "Wanted", wait: bool, hours: float | None) -> None:
    """See that rounds of seeds can be followed, and that no seed is trained twice."""
    from augstudy.cluster.settings import load

    if not wanted.automatic:
        if hours is not None:
            raise InputError("--max-hours is for studies that choose their seeds: --seeds auto.")
        return
    if not wait:
        raise InputError("--seeds auto needs --wait: what a round finds decides about the next.")
    if not load().checkpoints:
        raise InputError(
            "--seeds auto needs checkpoints in cluster.yaml, such as gs://bucket/checkpoints: "
            "there a round finds the seeds that are trained. Or name the seeds: --seeds 0-4."
        )


def submit(
    server: "Server",
    context: str,
    console: Console,
    runs: Sequence[Mapping[str, Any]],
    start: Any,
    hours: float | None,
    poll_s: float,
) -> None:
    """Submit each study again with more seeds until it can tell, or its budget is spent."""
    from augstudy.cli import results
    from augstudy.cluster import remote_runs
    from augstudy.pages import answers
    from augstudy.runs import rounds

    def once(values: Mapping[str, Any]) -> "rounds.Finished[RemoteRun]":
        started, steps = start([values])
        follow_runs(server, started, steps, console, poll_s)
        run = remote_runs.one(server, stores, started[0].run_id)
        if run.summary is None:
            raise ServiceError(
                f"{started[0].name} has succeeded, but its report is not where it should be: see "
                f"{started[0].link}."
            )
        told = answers.answer(run.summary)
        results.say(console, f"{told.answer} {told.sentence}")
        return rounds.Finished(run, run.summary, run.facts["duration_s"])

    with remote.stores(server, context) as stores:
        for values in runs:
            rounds.run(values, once, partial(results.show_round, console), hours)


def follow_runs(
    server: "Server", started: Any, steps: Any, console: Console, poll_s: float
) -> None:
    """Follow runs to their end; Ctrl-C leaves them running."""
    from augstudy.cluster.following import follow

    try:
        follow(server, started, steps, console, poll_s)
    except KeyboardInterrupt:
        console.print("Stopped following; the runs continue.")
        raise typer.Exit(130) from None
