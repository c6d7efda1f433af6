"""Kubeflow Pipelines as this program uses it: experiments, versions, runs and schedules.

The only client of KFP's API; the chart's job, which runs in the image of the steps, uses it too.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from augstudy.cluster import ir
from augstudy.cluster import kfp_answers as answers
from augstudy.cluster.connection import Connection
from augstudy.cluster.faults import Faults
from augstudy.cluster.kfp_http import KfpHttp
from augstudy.core.errors import AugstudyError, InputError, ServiceError

_API = "/apis/v2beta1"
_MOST_COMPARED = 10  # the dashboard compares two to ten runs


@dataclass(frozen=True)
class Version:
    """A version of a pipeline, as runs refer to it."""

    pipeline_id: str
    version_id: str


@dataclass(frozen=True)
class Schedule:
    """What a schedule shall be; by default it never runs twice at once nor makes up for times."""

    name: str
    experiment_id: str
    version: Version
    parameters: Mapping[str, Any]
    cron: str
    max_concurrency: int = 1
    catch_up: bool = False


class Server:
    """A connection that was tried, and the calls we need; errors are those of :class:`Faults`.

    Raises:
        InputError: there is no host, it needs a namespace, or a token would travel unencrypted.
        ServiceError: it is unreachable, refuses us, is not KFP, or is too old.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._http = KfpHttp(connection)
        self.multi_user = self._http.health().multi_user
        if self.multi_user and not connection.namespace:
            raise InputError(
                f"The Kubeflow Pipelines at {connection.host} has several users: give --namespace."
            )
        # Where KFP has one user, nothing belongs to a namespace.
        space = connection.namespace if self.multi_user else ""
        self._namespace = {"namespace": space} if space else {}

    @property
    def faults(self) -> Faults:
        """What keeps tokens out of what the server said."""
        return self._http.faults

    def version(self) -> str:
        """The version of KFP; empty if it does not say it."""
        return self._http.version()

    def find_experiment(self, name: str) -> str | None:
        """The id of an experiment."""
        pages = self._http.pages(
            answers.Experiment,
            "experiments",
            f"{_API}/experiments",
            "list experiments",
            filter=_equal(name),
            **self._namespace,
        )
        return next((item.experiment_id for item in pages if item.display_name == name), None)

    def create_experiment(self, name: str) -> str:
        """Create an experiment; its id."""
        body = {"display_name": name, **self._namespace}
        doing = f"create experiment {name!r}"
        return self._post(answers.Experiment, "experiments", body, doing).experiment_id

    def find_pipeline(self, name: str, shared: bool = False) -> str | None:
        """The id of a pipeline; `shared` means one that belongs to no namespace."""
        where = {} if shared else self._namespace
        pages = self._http.pages(
            answers.Pipeline,
            "pipelines",
            f"{_API}/pipelines",
            "list pipelines",
            filter=_equal(name),
            **where,
        )
        return next((item.pipeline_id for item in pages if item.display_name == name), None)

    def create_pipeline(self, name: str, description: str) -> str:
        """Create a pipeline without versions; its id."""
        body = {"name": name, "display_name": name, "description": description, **self._namespace}
        doing = f"create pipeline {name!r}"
        return self._post(answers.Pipeline, "pipelines", body, doing).pipeline_id

    def find_version(self, pipeline_id: str, name: str) -> Version | None:
        """A version of a pipeline by name."""
        for item in self._versions(pipeline_id, filter=_equal(name)):
            if item.display_name == name:
                return Version(pipeline_id, item.pipeline_version_id)
        return None

    def newest_version(self, pipeline_id: str) -> Version | None:
        """The version of a pipeline that was uploaded last."""
        for item in self._versions(pipeline_id, sort_by="created_at desc"):
            return Version(pipeline_id, item.pipeline_version_id)
        return None

    def upload_version(self, pipeline_id: str, name: str, file: Path) -> Version:
        """Upload a compiled pipeline as a new version."""
        made = self._http.ask(
            answers.PipelineVersion,
            "POST",
            f"{_API}/pipelines/upload_version",
            f"take version {name!r}",
            query={"name": name, "pipelineid": pipeline_id},
            fields={"uploadfile": (file.name, file.read_bytes(), "application/yaml")},
        )
        return Version(pipeline_id, made.pipeline_version_id)

    def pipeline_spec(self, version: Version) -> Any:
        """The compiled pipeline of a version."""
        path = f"pipelines/{_safe(version.pipeline_id)}/versions/{_safe(version.version_id)}"
        found = self._get(answers.PipelineVersion, path, "show a version of a pipeline")
        return found.pipeline_spec

    def pipeline_name(self, version: Version) -> str:
        """The name inside the compiled pipeline of a version, or what the pipeline is called."""
        name = ir.name_of(self.pipeline_spec(version))
        if name:
            return name
        path = f"pipelines/{_safe(version.pipeline_id)}"
        return self._get(answers.Pipeline, path, "show a pipeline").display_name

    def create_run(
        self, name: str, experiment_id: str, version: Version, parameters: Mapping[str, Any]
    ) -> str:
        """Start a run; its id."""
        body = {
            "display_name": name,
            "experiment_id": experiment_id,
            **self._what(version, parameters),
        }
        return self._post(answers.Run, "runs", body, f"start run {name!r}").run_id

    def run(self, run_id: str) -> answers.Run:
        """A run as the API describes it."""
        found = self._get(answers.Run, f"runs/{_safe(run_id)}", "show a run")
        if found.run_id != run_id:
            raise ServiceError(f"{self.connection.host} shows another run than {run_id}.")
        return found

    def runs(self, experiment_id: str | None = None) -> Iterator[answers.Run]:
        """All runs that are not archived, newest first."""
        where = {"experiment_id": experiment_id} if experiment_id else self._namespace
        query = {"sort_by": "created_at desc", **where}
        for run in self._http.pages(answers.Run, "runs", f"{_API}/runs", "list runs", **query):
            if run.storage_state != "ARCHIVED":
                yield run

    def log(self, run_id: str, pod: str) -> str | None:
        """The log of a pod's main container; None if it is gone.

        KFP has this under an API of its own, which says 200 before it knows whether it has one.
        Its dashboard does not pass that API on, but has a way of its own.
        """
        path = f"/apis/v1alpha1/runs/{_safe(run_id)}/nodes/{_safe(pod)}/log"
        try:
            text = self._http.text(path, "show a log")
        except ServiceError:
            raise
        except InputError:
            where = {"podname": pod, "runid": run_id, "podnamespace": self.connection.namespace}
            known = urlencode({key: value for key, value in where.items() if value})
            try:
                text = self._http.text(f"/k8s/pod/logs?{known}", "show a log")
            except AugstudyError:
                return None
        return None if _is_error(text) else text

    def schedules(self, name: str | None = None) -> list[answers.RecurringRun]:
        """All schedules, or those of a name, which KFP does not keep unique."""
        pages = self._http.pages(
            answers.RecurringRun,
            "recurringRuns",
            f"{_API}/recurringruns",
            "list schedules",
            **({"filter": _equal(name)} if name else {}),
            **self._namespace,
        )
        return [item for item in pages if name is None or item.display_name == name]

    def create_schedule(self, wanted: Schedule) -> str:
        """Create a schedule; its id."""
        body = {
            "display_name": wanted.name,
            "experiment_id": wanted.experiment_id,
            "trigger": {"cron_schedule": {"cron": wanted.cron}},
            "mode": "ENABLE",
            "max_concurrency": str(wanted.max_concurrency),
            "no_catchup": not wanted.catch_up,
            **self._what(wanted.version, wanted.parameters),
            **self._namespace,
        }
        doing = f"create schedule {wanted.name!r}"
        return self._post(answers.RecurringRun, "recurringruns", body, doing).recurring_run_id

    def delete_schedule(self, schedule_id: str) -> None:
        """Delete a schedule; finished runs stay, and pods of others are deleted with it."""
        path = f"{_API}/recurringruns/{_safe(schedule_id)}"
        self._http.ask(answers.Deleted, "DELETE", path, "delete a schedule")

    def pause_schedule(self, schedule_id: str) -> None:
        """Have a schedule start no more runs."""
        path = f"{_API}/recurringruns/{_safe(schedule_id)}:disable"
        self._http.ask(answers.Deleted, "POST", path, "pause a schedule")

    def run_link(self, run_id: str) -> str:
        """The page of a run in the dashboard."""
        return f"{self.connection.dashboard}/#/runs/details/{run_id}"

    def compare_link(self, run_ids: list[str]) -> str | None:
        """The page that compares runs; None for fewer or more than it can show."""
        if not 2 <= len(run_ids) <= _MOST_COMPARED:
            return None
        return f"{self.connection.dashboard}/#/compare?runlist={','.join(run_ids)}"

    def schedule_link(self, schedule_id: str) -> str:
        """The page of a schedule in the dashboard."""
        return f"{self.connection.dashboard}/#/recurringrun/details/{schedule_id}"

    def _versions(self, pipeline_id: str, **query: str) -> Iterator[answers.PipelineVersion]:
        path = f"{_API}/pipelines/{_safe(pipeline_id)}/versions"
        kind = answers.PipelineVersion
        return self._http.pages(kind, "pipeline_versions", path, "list versions", **query)

    def _get(self, model: type[answers.Model], path: str, doing: str) -> answers.Model:
        return self._http.ask(model, "GET", f"{_API}/{path}", doing)

    def _post(
        self, model: type[answers.Model], path: str, body: Mapping[str, Any], doing: str
    ) -> answers.Model:
        return self._http.ask(model, "POST", f"{_API}/{path}", doing, body=body)

    def _what(self, version: Version, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """What a run and a schedule have in common."""
        root, account = self.connection.pipeline_root, self.connection.service_account
        return {
            "pipeline_version_reference": {
                "pipeline_id": version.pipeline_id,
                "pipeline_version_id": version.version_id,
            },
            "runtime_config": {
                "parameters": dict(parameters),
                **({"pipeline_root": root} if root else {}),
            },
            **({"service_account": account} if account else {}),
        }


def _safe(text: str) -> str:
    return quote(text, safe="")


def _is_error(text: str) -> bool:
    """Whether an answer says why there is no log; the log itself comes as it is."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and "error_message" in content


def _equal(name: str) -> str:
    predicate = {"operation": "EQUALS", "key": "display_name", "string_value": name}
    return json.dumps({"predicates": [predicate]})
