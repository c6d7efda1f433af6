"""Creates, replaces or deletes a recurring run; the chart's hook job runs it in the steps' image.

It schedules the newest version of a pipeline that is already there: 'augstudy schedule' uploads as
well, which needs KFP's compiler.
"""

import argparse
import json
import sys
from collections.abc import Sequence

from augstudy.cluster import ir, schedule
from augstudy.cluster.connection import Connection, address
from augstudy.cluster.kfp_api import Schedule, Server, Version
from augstudy.core import outlets
from augstudy.core.errors import AugstudyError, InputError


def apply(server: Server, options: argparse.Namespace) -> str:
    """Make the recurring run what `options` say, and return a sentence on what was done.

    Raises:
        InputError: there is no such pipeline, or it has no version.
        ServiceError: KFP does not answer, or refuses.
    """
    version = _newest(server, options.pipeline)
    name = options.experiment
    wanted = Schedule(
        options.name,
        server.find_experiment(name) or server.create_experiment(name),
        version,
        ir.as_declared(server.pipeline_spec(version), options.parameters),
        options.cron,
        options.max_concurrency,
        options.catch_up,
    )
    outcome, _, others = schedule.apply(server, wanted)
    if others.paused:
        paused = "an earlier one is paused, as its run is not over"
        return f"The schedule {options.name} was {outcome}; {paused}."
    if outcome == "unchanged":
        return f"The schedule {options.name} is as it should be."
    return f"The schedule {options.name} was {outcome}."


def delete(server: Server, options: argparse.Namespace) -> str:
    """Delete the recurring run, if there is one, and return a sentence on what was done."""
    if not server.schedules(options.name):
        return f"The schedule {options.name} is not there."
    if schedule.delete(server, options.name).paused:
        return f"The schedule {options.name} was paused and not deleted, as its run is not over."
    return f"The schedule {options.name} was deleted."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the two; the exit code is that of the error."""
    options = _parser().parse_args(arguments)
    account = getattr(options, "service_account", "")
    with outlets.guarded():
        try:
            connection = Connection(
                host=address(options.host), namespace=options.namespace, service_account=account
            )
            sys.stdout.write(f"{options.action(Server(connection), options)}\n")
        except AugstudyError as error:
            sys.stderr.write(f"{error}\n")
            return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="augstudy.cluster.hook", description=__doc__)
    actions = parser.add_subparsers(required=True)
    for action in (apply, delete):
        command = actions.add_parser(action.__name__)
        command.set_defaults(action=action)
        command.add_argument("--host", required=True)
        command.add_argument("--namespace", default="")
        command.add_argument("--name", required=True)
        if action is delete:
            continue
        command.add_argument("--pipeline", required=True)
        command.add_argument("--experiment", required=True)
        command.add_argument("--cron", required=True)
        command.add_argument("--max-concurrency", type=int, default=1)
        command.add_argument("--catch-up", action="store_true")
        command.add_argument("--service-account", default="")
        command.add_argument("--parameters", type=json.loads, default={})
    return parser


def _newest(server: Server, name: str) -> Version:
    # A fixed version: with none named, the controller of KFP 2.17.0 may pick an old one. Where KFP
    # has several users, a pipeline is a namespace's or everybody's.
    pipeline_id = server.find_pipeline(name) or server.find_pipeline(name, shared=True)
    if not pipeline_id:
        raise InputError(
            f"There is no pipeline {name!r} in Kubeflow Pipelines: upload it, with "
            f"'augstudy submit {name}', then upgrade again."
        )
    version = server.newest_version(pipeline_id)
    if not version:
        raise InputError(f"The pipeline {name!r} has no version: upload one.")
    return version


if __name__ == "__main__":
    sys.exit(main())
