"""What KFP's API answers, as far as we read it; what must be there is checked.

Everything is optional in KFP's own description of its API, so a client that is generated from it
takes ``{}``, or a login page, for a run without an id.
"""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    StringConstraints,
    TypeAdapter,
    model_validator,
)

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$", max_length=253)]


class Part(BaseModel):
    """Base: what we do not know is ignored, and null is as good as absent."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: item for key, item in value.items() if item is not None}
        return value


Model = TypeVar("Model", bound=Part)


class Page(Part):
    """A page of a listing, whose items are under a key of its own."""

    model_config = ConfigDict(extra="allow", frozen=True)
    next_page_token: str = ""

    def items(self, model: type[Model], key: str) -> list[Model]:
        """The items under `key`, which KFP leaves out if there are none.

        Raises:
            ValidationError: one is not what it must be.
        """
        return TypeAdapter(list[model]).validate_python((self.model_extra or {}).get(key, []))  # type: ignore[valid-type]


class Health(Part):
    """The answer of ``healthz``."""

    multi_user: bool = False
    tag_name: str = ""


class Experiment(Part):
    """A group of runs."""

    experiment_id: Id
    display_name: str = ""
    storage_state: str = ""


class Pipeline(Part):
    """A name with versions."""

    pipeline_id: Id
    display_name: str = ""


class PipelineVersion(Part):
    """A compiled pipeline."""

    pipeline_id: Id
    pipeline_version_id: Id
    display_name: str = ""
    pipeline_spec: dict[str, Any] | None = None


class Reference(Part):
    """The version that a run or a schedule is of; the version is absent where any will do."""

    pipeline_id: str = ""
    pipeline_version_id: str = ""


class RuntimeConfig(Part):
    """The parameters of a run, and where its artifacts go."""

    parameters: dict[str, Any] = {}
    pipeline_root: str = ""


class Status(Part):
    """Why something failed, where KFP says it."""

    message: str = ""


class ChildTask(Part):
    """What a task led to; the name is that of a node of the workflow."""

    pod_name: str = ""


class Task(Part):
    """A node of the workflow: a step, its driver, its pod, a loop or a nested pipeline."""

    task_id: str = ""
    display_name: str = ""
    state: str = ""
    create_time: AwareDatetime | None = None
    start_time: AwareDatetime | None = None
    end_time: AwareDatetime | None = None
    error: Status | None = None
    pod_name: str = ""
    child_tasks: list[ChildTask] = []


class RunDetails(Part):
    """The tasks of a run."""

    task_details: list[Task] = []


class StateChange(Part):
    """A state that a run was in."""

    state: str = ""


class Run(Part):
    """A run; `state` is empty before it has one."""

    run_id: Id
    display_name: str = ""
    experiment_id: str = ""
    recurring_run_id: str = ""
    storage_state: str = ""
    state: str = ""
    state_history: list[StateChange] = []
    created_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    pipeline_version_reference: Reference | None = None
    pipeline_spec: dict[str, Any] | None = None
    runtime_config: RuntimeConfig | None = None
    run_details: RunDetails | None = None
    error: Status | None = None


class CronSchedule(Part):
    """When a schedule is due."""

    cron: str = ""


class Trigger(Part):
    """What starts the runs of a schedule."""

    cron_schedule: CronSchedule | None = None


class RecurringRun(Part):
    """A schedule; servers leave out what is at its default."""

    recurring_run_id: Id
    display_name: str = ""
    experiment_id: str = ""
    status: str = ""
    mode: str = ""
    max_concurrency: int = 1
    no_catchup: bool = False
    service_account: str = ""
    trigger: Trigger | None = None
    pipeline_version_reference: Reference | None = None
    runtime_config: RuntimeConfig | None = None


class Deleted(Part):
    """The answer to a deletion, which is empty."""
