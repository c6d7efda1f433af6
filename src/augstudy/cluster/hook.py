"""Creates, replaces or deletes a recurring run; the chart's hook job runs it in the steps' image.

It speaks to KFP's API with the standard library alone, since that image holds kfp without its
dependencies. It schedules the newest version of a pipeline that is already there: 'augstudy
schedule' uploads as well.
"""

import argparse
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from augstudy.core.errors import AugstudyError, InputError, ServiceError

_TIMEOUT_S = 30
_PAGE = 100


class Api:
    """KFP's v2beta1 API: what a schedule needs of it."""

    def __init__(self, host: str) -> None:
        self._url = f"{host.rstrip('/')}/apis/v2beta1"

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer to a request; empty if KFP knows no such object.

        Raises:
            ServiceError: it does not answer, or refuses.
        """
        request = urllib.request.Request(  # noqa: S310
            self._url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **_authorization()},
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                return dict(json.loads(answer.read() or b"{}"))
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return {}
            raise ServiceError(
                f"Kubeflow Pipelines refuses {method} {path} (HTTP {error.code}{_said(error)})."
            ) from error
        except (OSError, ValueError, TypeError) as error:
            raise ServiceError(f"Kubeflow Pipelines does not answer at {self._url}.") from error

    def pages(self, path: str, items: str, **query: str) -> Iterator[dict[str, Any]]:
        """The items of all pages of a listing."""
        token = ""
        while True:
            asked = {"page_size": str(_PAGE), **query} | ({"page_token": token} if token else {})
            answer = self.call("GET", f"{path}?{urllib.parse.urlencode(asked)}")
            yield from answer.get(items) or []
            if not answer.get("next_page_token") or answer["next_page_token"] == token:
                return
            token = answer["next_page_token"]


def apply(api: Api, options: argparse.Namespace) -> str:
    """Make the recurring run what `options` say, and return a sentence on what was done.

    Raises:
        InputError: there is no such pipeline, or it has no version.
        ServiceError: KFP does not answer, or refuses.
    """
    wanted = _wanted(api, options)
    there = list(_named(api, options))
    for run in there:
        if _same(run, wanted):
            for other in there:
                if other is not run:
                    _remove(api, other)
            return f"The schedule {options.name} is as it should be."
    # KFP knows no update; the new one comes first, so that a failure leaves the old one in force.
    api.call("POST", "/recurringruns", wanted)
    for run in there:
        _remove(api, run)
    return f"The schedule {options.name} was {'replaced' if there else 'created'}."


def delete(api: Api, options: argparse.Namespace) -> str:
    """Delete the recurring run, if there is one, and return a sentence on what was done."""
    there = list(_named(api, options))
    for run in there:
        _remove(api, run)
    return f"The schedule {options.name} {'was deleted' if there else 'is not there'}."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the two; the exit code is that of the error."""
    options = _parser().parse_args(arguments)
    api = Api(options.host)
    try:
        if not api.call("GET", "/healthz").get("multi_user"):
            options.namespace = ""  # where KFP has one user, nothing belongs to a namespace
        sys.stdout.write(f"{options.action(api, options)}\n")
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


def _wanted(api: Api, options: argparse.Namespace) -> dict[str, Any]:
    pipeline, version = _newest(api, options)
    return {
        "display_name": options.name,
        "mode": "ENABLE",
        "experiment_id": _experiment(api, options),
        "max_concurrency": str(options.max_concurrency),
        "no_catchup": not options.catch_up,
        "service_account": options.service_account,
        "trigger": {"cron_schedule": {"cron": options.cron}},
        # A fixed version: with none named, the controller of KFP 2.17.0 may pick an old one.
        "pipeline_version_reference": {"pipeline_id": pipeline, "pipeline_version_id": version},
        "runtime_config": {"parameters": options.parameters},
    }


def _newest(api: Api, options: argparse.Namespace) -> tuple[str, str]:
    found = None
    # Where KFP has several users, a pipeline is a namespace's or everybody's.
    for where in ([_where(options)] if options.namespace else []) + [{}]:
        query = {"filter": _equal(options.pipeline), **where}
        found = found or next(api.pages("/pipelines", "pipelines", **query), None)
    if not found:
        raise InputError(
            f"There is no pipeline {options.pipeline!r} in Kubeflow Pipelines: upload it, with "
            f"'augstudy submit {options.pipeline}', then upgrade again."
        )
    pipeline = str(found["pipeline_id"])
    path = f"/pipelines/{pipeline}/versions"
    for version in api.pages(path, "pipeline_versions", sort_by="created_at desc"):
        return pipeline, str(version["pipeline_version_id"])
    raise InputError(f"The pipeline {options.pipeline!r} has no version: upload one.")


def _experiment(api: Api, options: argparse.Namespace) -> str:
    for found in api.pages("/experiments", "experiments", **_where(options)):
        archived = found.get("storage_state") == "ARCHIVED"
        if found.get("display_name") == options.experiment and not archived:
            return str(found["experiment_id"])
    body = {"display_name": options.experiment, **_where(options)}
    return str(api.call("POST", "/experiments", body)["experiment_id"])


def _named(api: Api, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for run in api.pages("/recurringruns", "recurringRuns", **_where(options)):
        if run.get("display_name") == options.name:
            yield run


def _equal(name: str) -> str:
    predicate = {"operation": "EQUALS", "key": "display_name", "string_value": name}
    return json.dumps({"predicates": [predicate]})


def _where(options: argparse.Namespace) -> dict[str, str]:
    return {"namespace": options.namespace} if options.namespace else {}


def _same(run: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return _essence(run) == _essence(wanted)


def _essence(run: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes a recurring run; servers leave out what is at its default."""
    reference = run.get("pipeline_version_reference") or {}
    return (
        run.get("mode") == "ENABLE",
        str(run.get("experiment_id")),
        int(run.get("max_concurrency") or 1),
        bool(run.get("no_catchup")),
        run.get("service_account") or "",
        (run.get("trigger") or {}).get("cron_schedule", {}).get("cron"),
        reference.get("pipeline_version_id"),
        (run.get("runtime_config") or {}).get("parameters") or {},
    )


def _remove(api: Api, run: Mapping[str, Any]) -> None:
    api.call("DELETE", f"/recurringruns/{run['recurring_run_id']}")


def _authorization() -> dict[str, str]:
    path = os.environ.get("KF_PIPELINES_SA_TOKEN_PATH")
    return {"Authorization": f"Bearer {Path(path).read_text().strip()}"} if path else {}


def _said(error: urllib.error.HTTPError) -> str:
    try:
        return f": {json.loads(error.read())['message']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


if __name__ == "__main__":
    sys.exit(main())
