"""What is wrong with the pods and the workflow of a run, as Kubernetes has them."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from augstudy.cluster.settings import ClusterSettings

Json = Mapping[str, Any]
RUN_LABEL = "pipeline/runid"
NODE = "workflows.argoproj.io/node-name"
_TRAINING = re.compile(r"\.train-[\w-]+(?:\(\d+\))?\.executor(?:\((\d+)\))?$")
_TTLS = ("secondsAfterCompletion", "secondsAfterSuccess", "secondsAfterFailure")


def training_try(pod: Json) -> int | None:
    """Which try of a training step a pod is, 0 for the first; None for other pods."""
    found = _TRAINING.search(pod["metadata"].get("annotations", {}).get(NODE, ""))
    return int(found[1] or 0) if found else None


def replaces(pod: Json, lost: Json) -> bool:
    """Whether a pod is a later try of a training step, or one of the same name as one that is gone.

    Argo makes the latter if the pod goes before Argo has seen it run: for it, that is no try.

    Args:
        pod: of a training step.
        lost: the metadata of the pod that is gone.
    """
    own = pod["metadata"]
    return bool(training_try(pod)) or (own["name"] == lost["name"] and own["uid"] != lost["uid"])


def computes(pod: Json, now: datetime, seconds: float) -> bool:
    """Whether the container of a step runs, and has begun so many seconds ago at most.

    A pod whose step is done runs on for a moment, as the launcher's other containers do; and what
    has begun long ago may be done before a signal reaches it.
    """
    for status in pod["status"].get("containerStatuses", ()):
        if status["name"] == "main" and (running := status.get("state", {}).get("running")):
            began = datetime.fromisoformat(running["startedAt"].replace("Z", "+00:00"))
            return (now - began).total_seconds() <= seconds
    return False


def gpus(pod: Json, gpu_type: str) -> str:
    """How many accelerators the container of a step has as its limit."""
    return str(_main(pod).get("resources", {}).get("limits", {}).get(gpu_type, 0))


def insecure(pod: Json, settings: ClusterSettings) -> list[str]:
    """What of the security context of a step's own container is not as it must be."""
    own = {**pod["spec"].get("securityContext", {}), **_main(pod).get("securityContext", {})}
    wanted = {
        "runAsNonRoot": True,
        "runAsUser": settings.run_as_user,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    return [f"{key} is {own.get(key)!r}" for key, value in wanted.items() if own.get(key) != value]


def unlabelled(pod: Json, run_id: str, wanted: Mapping[str, str]) -> list[str]:
    """Labels that a pod lacks or has otherwise."""
    labels = pod["metadata"].get("labels", {})
    expected = {RUN_LABEL: run_id, **wanted}
    return [
        f"{key} is {labels.get(key)!r}" for key, it in expected.items() if labels.get(key) != it
    ]


def ttls(workflow: Json) -> list[int | None]:
    """Seconds that a finished workflow is kept, for each of the three reasons to remove it."""
    said = workflow["spec"].get("ttlStrategy") or {}
    return [said.get(name) for name in _TTLS]


def retries(workflow: Json) -> set[str]:
    """How often steps are tried again, as the tasks of the workflow hand it to their templates.

    In KFP 2.17 (backend/src/v2/compiler/argocompiler) a step's template has a ``retryStrategy``
    that takes its limit from the parameter ``retry-max-count``. Empty if no template has one.
    """
    templates = workflow["spec"].get("templates") or []
    limits = {str((item.get("retryStrategy") or {}).get("limit", "")) for item in templates}
    if not any("retry-max-count" in limit for limit in limits):
        return set()
    return {
        str(parameter["value"])
        for item in templates
        for task in (item.get("dag") or {}).get("tasks") or []
        for parameter in (task.get("arguments") or {}).get("parameters") or []
        if parameter.get("name") == "retry-max-count" and "{{" not in str(parameter.get("value"))
    }


def _main(pod: Json) -> Json:
    """The container of the step itself, which Argo calls main."""
    containers = pod["spec"]["containers"]
    return next((item for item in containers if item["name"] == "main"), containers[0])
