"""Schedules: what is asked for is made true, and left alone where it is true already.

KFP's API cannot change a schedule, and does not keep names unique. So a changed schedule is
created anew, and only then the old one is deleted: nothing is lost if we are stopped between.
"""

from collections.abc import Iterable
from typing import Literal

from augstudy.cluster.kfp_answers import RecurringRun
from augstudy.cluster.kfp_api import Schedule, Server
from augstudy.core.errors import InputError

Outcome = Literal["created", "replaced", "unchanged"]


def apply(server: Server, wanted: Schedule, replace: bool = False) -> tuple[Outcome, str, int]:
    """Make `wanted` the one schedule of its name.

    Args:
        server: Where.
        wanted: What it shall be.
        replace: Replace it even if it is equal, which an upgraded server needs.

    Returns:
        What was done, the id of the schedule, and how many others of its name were deleted.
    """
    there = server.schedules(wanted.name)
    equal = [item for item in there if _same(server, item, wanted)]
    if equal and not replace:
        kept = equal[0].recurring_run_id
        others = [item for item in there if item.recurring_run_id != kept]
        _delete(server, others)
        return "unchanged", kept, len(others)
    made_id = server.create_schedule(wanted)
    _delete(server, there)
    return ("replaced" if there else "created"), made_id, max(0, len(there) - 1)


def delete(server: Server, name: str) -> int:
    """Delete every schedule of a name; how many there were.

    Raises:
        InputError: there is none.
    """
    there = server.schedules(name)
    if not there:
        known = sorted({item.display_name for item in server.schedules()})
        raise InputError(f"There is no schedule {name!r}; there are: {', '.join(known) or 'none'}.")
    _delete(server, there)
    return len(there)


def _delete(server: Server, schedules: Iterable[RecurringRun]) -> None:
    for item in schedules:
        server.delete_schedule(item.recurring_run_id)


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
