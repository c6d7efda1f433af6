"""Schedules: what is asked for is made true, and left alone where it is true already.

KFP's API cannot change a schedule, and does not keep names unique. So a changed schedule is
created anew, and only then the old one is deleted: nothing is lost if we are stopped between.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from augstudy.cluster.cron import Cron
from augstudy.cluster.server import Server, Version
from augstudy.cluster.submit import Say, compiled, experiment, upload
from augstudy.core.errors import InputError

Outcome = Literal["created", "replaced", "unchanged"]


def apply(
    server: Server,
    pipeline: Any,
    parameters: Mapping[str, Any],
    cron: Cron,
    *,
    name: str,
    experiment_name: str,
    caching: bool,
    replace: bool,
    say: Say,
) -> tuple[Outcome, str]:
    """Make the one schedule `name` run `pipeline` at the times of `cron`.

    Args:
        server: Where.
        pipeline: A loaded pipeline.
        parameters: All its parameters, already checked.
        cron: When.
        name: Name of the schedule; empty means the name of the pipeline.
        experiment_name: Where its runs go; empty means the name of the pipeline.
        caching: Whether its runs may take over outputs of equal steps of earlier runs.
        replace: Replace it even if it is equal, which an upgraded server needs.
        say: Is told what happens.

    Returns:
        What was done, and the id of the schedule.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = compiled(pipeline, Path(folder), caching)
        version = upload(server, made, say)
    parent = experiment(server, experiment_name or made.name, say)
    title = name or made.name
    there = server.schedules(title)
    equal = [item for item in there if _same(server, item, parent, version, parameters, cron)]
    if equal and not replace:
        others = [item for item in there if item is not equal[0]]
        _delete(server, others)
        if others:
            say(f"Deleted {len(others)} other schedule(s) of the same name.")
        return "unchanged", str(equal[0].recurring_run_id)
    made_id = server.create_schedule(title, parent, version, parameters, cron.text)
    _delete(server, there)
    return ("replaced" if there else "created"), made_id


def delete(server: Server, name: str) -> int:
    """Delete every schedule of a name; how many there were.

    Raises:
        InputError: there is none.
    """
    there = server.schedules(name)
    if not there:
        known = sorted({str(item.display_name) for item in server.schedules()})
        raise InputError(f"There is no schedule {name!r}; there are: {', '.join(known) or 'none'}.")
    _delete(server, there)
    return len(there)


def _delete(server: Server, schedules: list[Any]) -> None:
    for item in schedules:
        server.delete_schedule(str(item.recurring_run_id))


def _same(
    server: Server,
    item: Any,
    experiment_id: str,
    version: Version,
    parameters: Mapping[str, Any],
    cron: Cron,
) -> bool:
    """Whether a schedule on the server is the one asked for."""
    reference, config = item.pipeline_version_reference, item.runtime_config
    wanted = server.connection
    return bool(
        item.status != "DISABLED"
        and item.mode != "DISABLE"
        and item.experiment_id == experiment_id
        and reference is not None
        and reference.pipeline_version_id == version.version_id
        and item.trigger
        and item.trigger.cron_schedule
        and item.trigger.cron_schedule.cron == cron.text
        and (config.parameters if config else None) == dict(parameters)
        and (config.pipeline_root if config else "") in _either(wanted.pipeline_root)
        and (not wanted.service_account or item.service_account == wanted.service_account)
        and int(item.max_concurrency or 0) == 1
        and item.no_catchup
    )


def _either(text: str) -> tuple[str | None, ...]:
    """Empty texts come back as such or not at all."""
    return (text,) if text else ("", None)
