"""The steps of a compiled pipeline as a run shows them: by the keys of its graphs.

KFP's API calls a task by its key, such as ``evaluate-2``; the pipeline may have given it a name for
people, such as "evaluate chosen".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from augstudy.cluster import ir

_IMPL = "system-container-impl"


@dataclass(frozen=True)
class Step:
    """A task that is a container."""

    title: str  # what people call it
    executor: str  # label of its executor in the compiled pipeline
    template: str  # of its pods in the workflow that KFP makes of the pipeline
    limit_s: float | None  # how long its pod may run


@dataclass(frozen=True)
class Steps:
    """Tasks by their keys. Where several have the same key, the first is meant.

    Attributes:
        steps: Those that are containers.
        graphs: Titles of loops and nested pipelines.
        deadline_s: How long a run may take; None is for ever.
    """

    steps: Mapping[str, Step]
    graphs: Mapping[str, str]
    deadline_s: float | None

    def title(self, key: str) -> str:
        """What people call a task."""
        return self.steps[key].title if key in self.steps else self.graphs.get(key, key)


def read(spec: ir.Node, platform: ir.Node | None = None) -> Steps:
    """The steps of a compiled pipeline.

    Args:
        spec: The pipeline specification, with or without its platform.
        platform: The platform specification, where `spec` is without.
    """
    kubernetes = (platform or spec.get("platform_spec") or {}).get("platforms", {})
    kubernetes = kubernetes.get("kubernetes", {})
    executors = kubernetes.get("deploymentSpec", {}).get("executors", {})
    steps: dict[str, Step] = {}
    graphs: dict[str, str] = {}
    for key, task, component in _tasks(ir.inner(spec)):
        title = str(task.get("taskInfo", {}).get("name", key))
        label = component.get("executorLabel")
        if not label:
            graphs.setdefault(key, title)
            continue
        settings = executors.get(label, {})
        limit = _seconds(settings.get("activeDeadlineSeconds"))
        steps.setdefault(key, Step(title, label, _template(task, settings), limit))
    deadline = _seconds(kubernetes.get("pipelineConfig", {}).get("activeDeadlineSeconds"))
    return Steps(steps, graphs, deadline)


def _tasks(spec: ir.Node) -> Iterator[tuple[str, ir.Node, ir.Node]]:
    components = spec.get("components", {})
    for graph in [spec.get("root", {}), *components.values()]:
        for key, task in graph.get("dag", {}).get("tasks", {}).items():
            yield key, task, components.get(task["componentRef"]["name"], {})


def _template(task: ir.Node, settings: ir.Node) -> str:
    """As KFP 2.17 names it (backend/src/v2/compiler/argocompiler/container.go)."""
    name = f"retry-{_IMPL}" if "retryPolicy" in task else _IMPL
    metadata = settings.get("podMetadata")
    if metadata is None:
        return name
    counts = (len(metadata.get(kind) or {}) for kind in ("annotations", "labels"))
    return f"metadata-{'-'.join(map(str, counts))}-{name}"


def _seconds(value: Any) -> float | None:
    """A number of seconds, which protobuf may have made a text; nothing and 0 mean no limit."""
    try:
        return float(value) or None
    except (TypeError, ValueError):
        return None
