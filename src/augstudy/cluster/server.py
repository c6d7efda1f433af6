"""Kubeflow Pipelines as this program uses it: experiments, versions, runs and schedules."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augstudy.cluster import ir
from augstudy.cluster.connection import Connection, open_api
from augstudy.core.errors import ServiceError

_PAGE = 100
_MOST_COMPARED = 10  # the dashboard compares two to ten runs


@dataclass(frozen=True)
class Version:
    """A version of a pipeline, as runs refer to it."""

    pipeline_id: str
    version_id: str


class Server:
    """A connection that was tried, and the calls we need; errors are those of :class:`Faults`."""

    def __init__(self, connection: Connection) -> None:
        import kfp_server_api as kfp

        self.connection = connection
        api, self._faults = open_api(connection)
        self._kfp = kfp
        self._experiments = kfp.ExperimentServiceApi(api)
        self._pipelines = kfp.PipelineServiceApi(api)
        self._uploads = kfp.PipelineUploadServiceApi(api)
        self._runs = kfp.RunServiceApi(api)
        self._schedules = kfp.RecurringRunServiceApi(api)
        self._namespace = {"namespace": connection.namespace} if connection.namespace else {}

    def find_experiment(self, name: str) -> str | None:
        """The id of an experiment."""
        listed = self._experiments.experiment_service_list_experiments
        with self._faults.told("list experiments"):
            found = next(
                _pages(listed, "experiments", filter=_equal(name), **self._namespace), None
            )
            return str(found.experiment_id) if found else None

    def create_experiment(self, name: str) -> str:
        """Create an experiment; its id."""
        body = self._kfp.V2beta1Experiment(display_name=name, **self._namespace)
        with self._faults.told(f"create experiment {name!r}"):
            made = self._experiments.experiment_service_create_experiment(experiment=body)
            return str(made.experiment_id)

    def find_pipeline(self, name: str) -> str | None:
        """The id of a pipeline."""
        listed = self._pipelines.pipeline_service_list_pipelines
        with self._faults.told("list pipelines"):
            found = next(_pages(listed, "pipelines", filter=_equal(name), **self._namespace), None)
            return str(found.pipeline_id) if found else None

    def create_pipeline(self, name: str, description: str) -> str:
        """Create a pipeline without versions; its id."""
        body = self._kfp.V2beta1Pipeline(
            name=name, display_name=name, description=description, **self._namespace
        )
        with self._faults.told(f"create pipeline {name!r}"):
            made = self._pipelines.pipeline_service_create_pipeline(pipeline=body)
            return str(made.pipeline_id)

    def find_version(self, pipeline_id: str, name: str) -> Version | None:
        """A version of a pipeline by name."""
        listed = self._pipelines.pipeline_service_list_pipeline_versions
        with self._faults.told("list versions"):
            pages = _pages(listed, "pipeline_versions", pipeline_id, filter=_equal(name))
            found = next(pages, None)
            return Version(pipeline_id, str(found.pipeline_version_id)) if found else None

    def upload_version(self, pipeline_id: str, name: str, file: Path) -> Version:
        """Upload a compiled pipeline as a new version."""
        with self._faults.told(f"take version {name!r}"):
            made = self._uploads.upload_pipeline_version(
                str(file), name=name, pipelineid=pipeline_id
            )
            return Version(pipeline_id, str(made.pipeline_version_id))

    def pipeline_spec(self, version: Version) -> Any:
        """The compiled pipeline of a version."""
        ids = (version.pipeline_id, version.version_id)
        with self._faults.told("show a version of a pipeline"):
            return self._pipelines.pipeline_service_get_pipeline_version(*ids).pipeline_spec

    def pipeline_name(self, version: Version) -> str:
        """The name inside the compiled pipeline of a version, or what the pipeline is called."""
        name = ir.name_of(self.pipeline_spec(version))
        if name:
            return name
        with self._faults.told("show a pipeline"):
            parent = self._pipelines.pipeline_service_get_pipeline(version.pipeline_id)
            return str(parent.display_name)

    def create_run(
        self, name: str, experiment_id: str, version: Version, parameters: Mapping[str, Any]
    ) -> str:
        """Start a run; its id."""
        body = self._kfp.V2beta1Run(
            display_name=name,
            experiment_id=experiment_id,
            **self._what(version, parameters),
        )
        with self._faults.told(f"start run {name!r}"):
            made = self._runs.run_service_create_run(run=body, experiment_id=experiment_id)
            return str(made.run_id)

    def run(self, run_id: str) -> Any:
        """A run as the API describes it."""
        with self._faults.told("show a run"):
            return self._runs.run_service_get_run(run_id=run_id)

    def runs(self, experiment_id: str | None = None) -> Iterator[Any]:
        """All runs that are not archived, newest first."""
        where = {"experiment_id": experiment_id} if experiment_id else self._namespace
        listed = self._runs.run_service_list_runs
        with self._faults.told("list runs"):
            for run in _pages(listed, "runs", sort_by="created_at desc", **where):
                if run.storage_state != "ARCHIVED":
                    yield run

    def schedules(self, name: str | None = None) -> list[Any]:
        """All schedules, or those of a name, which KFP does not keep unique."""
        options = {"filter": _equal(name)} if name else {}
        listed = self._schedules.recurring_run_service_list_recurring_runs
        with self._faults.told("list schedules"):
            return list(_pages(listed, "recurring_runs", **options, **self._namespace))

    def create_schedule(
        self,
        name: str,
        experiment_id: str,
        version: Version,
        parameters: Mapping[str, Any],
        cron: str,
    ) -> str:
        """Create a schedule that never runs twice at once nor makes up for missed times; its id."""
        schedule = self._kfp.V2beta1CronSchedule(cron=cron)
        body = self._kfp.V2beta1RecurringRun(
            display_name=name,
            experiment_id=experiment_id,
            trigger=self._kfp.V2beta1Trigger(cron_schedule=schedule),
            mode=self._kfp.RecurringRunMode.ENABLE,
            max_concurrency="1",
            no_catchup=True,
            **self._what(version, parameters),
            **self._namespace,
        )
        with self._faults.told(f"create schedule {name!r}"):
            made = self._schedules.recurring_run_service_create_recurring_run(recurring_run=body)
            return str(made.recurring_run_id)

    def delete_schedule(self, schedule_id: str) -> None:
        """Delete a schedule; its runs stay."""
        with self._faults.told("delete a schedule"):
            self._schedules.recurring_run_service_delete_recurring_run(recurring_run_id=schedule_id)

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

    def _what(self, version: Version, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """What a run and a schedule have in common."""
        return {
            "pipeline_version_reference": self._kfp.V2beta1PipelineVersionReference(
                pipeline_id=version.pipeline_id, pipeline_version_id=version.version_id
            ),
            "runtime_config": self._kfp.V2beta1RuntimeConfig(
                parameters=dict(parameters),
                pipeline_root=self.connection.pipeline_root or None,
            ),
            "service_account": self.connection.service_account or None,
        }


def _equal(name: str) -> str:
    predicate = {"operation": "EQUALS", "key": "display_name", "string_value": name}
    return json.dumps({"predicates": [predicate]})


def _pages(call: Callable[..., Any], items: str, *where: str, **options: Any) -> Iterator[Any]:
    """The items of all pages of a listing."""
    token, seen = "", set()
    while True:
        answer = call(*where, page_token=token, page_size=_PAGE, **options)
        yield from getattr(answer, items) or []
        token = answer.next_page_token or ""
        if not token:
            return
        if token in seen:
            raise ServiceError("Kubeflow Pipelines lists the same page again and again.")
        seen.add(token)
