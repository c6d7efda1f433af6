"""Schedules: what is asked for is made true, and left alone where it is true already.

KFP's API cannot change a schedule, and does not keep names unique. So a changed schedule is
created anew, and only then the old one is deleted: nothing is lost if we are stopped between.

Kubernetes deletes the workflow of a run together with the schedule that started it, and KFP then
shows the run as running for good. So a schedule with a run that is not over is only paused. It is
deleted the next time.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Literal, NamedTuple

from augstudy.cluster.kfp_answers import RecurringRun
from augstudy.cluster.kfp_api import Schedule, Server
from augstudy.core.errors import InputError

Outcome = Literal["created", "replaced", "unchanged"]
_OVER = ("SUCCEEDED", "FAILED", "CANCELED", "SKIPPED")
_NEWEST = 100  # runs of an experiment; those of a schedule that are not over are among the last


class Removed(NamedTuple):
    """Schedules that are gone, and those that are paused because a run of theirs is not over."""

    deleted: int = 0
    paused: int = 0


def apply(server: Server, wanted: Schedule, replace: bool = False) -> tuple[Outcome, str, Removed]:
    """Make `wanted` the one schedule of its name.

    Args:
        server: Where.
        wanted: What it shall be.
        replace: Replace it even if it is equal, which an upgraded server needs.

    Returns:
        What was done, the id of the schedule, and what became of others of its name.
    """
    there = server.schedules(wanted.name)
    equal = [item for item in there if _same(server, item, wanted)]
    if equal and not replace:
        kept = equal[0].recurring_run_id
        others = [item for item in there if item.recurring_run_id != kept]
        return "unchanged", kept, _remove(server, others)
    made_id = server.create_schedule(wanted)
    return ("replaced" if there else "created"), made_id, _remove(server, there)


def delete(server: Server, name: str) -> Removed:
    """Delete every schedule of a name.

    Raises:
        InputError: there is none.
    """
    there = server.schedules(name)
    if not there:
        known = sorted({item.display_name for item in server.schedules()})
        raise InputError(f"There is no schedule {name!r}; there are: {', '.join(known) or 'none'}.")
    return _remove(server, there)


def _remove(server: Server, schedules: Iterable[RecurringRun]) -> Removed:
    deleted = paused = 0
    for item in schedules:
        # First, so that it starts none while we look.
        server.pause_schedule(item.recurring_run_id)
        if _at_work(server, item):
            paused += 1
        else:
            server.delete_schedule(item.recurring_run_id)
            deleted += 1
    return Removed(deleted, paused)


def _at_work(server: Server, item: RecurringRun) -> bool:
    """Whether a run of a schedule is not over."""
    newest = islice(server.runs(item.experiment_id or None), _NEWEST)
    return any(
        run.recurring_run_id == item.recurring_run_id and run.state not in _OVER for run in newest
    )


def _same(server: Server, item: RecurringRun, wanted: Schedule) -> bool:
    """Whether a schedule on the server is the one asked for."""
    reference, config, connection = (
        item.pipeline_version_reference,
        item.runtime_config,
        server.connection,
    )
    trigger = item.trigger.cron_schedule if item.trigger else None
    return bool(
        item.status != "DISABLED"
        and item.mode != "DISABLE"
        and item.experiment_id == wanted.experiment_id
        and reference
        and reference.pipeline_version_id == wanted.version.version_id
        and trigger
        and trigger.cron == wanted.cron
        and (config.parameters if config else {}) == dict(wanted.parameters)
        and (config.pipeline_root if config else "") == connection.pipeline_root
        and connection.service_account in ("", item.service_account)
        and item.max_concurrency == wanted.max_concurrency
        and item.no_catchup is not wanted.catch_up
    )
