"""What Kubernetes knows of a run, and KFP's API does not tell: why a task waits or has failed.

Only where a kubeconfig leads to the cluster of the run; otherwise there is no answer, never an
error. A run is known by its id, which Argo's workflow and all of its pods carry as a label.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from augstudy.cluster.kube import Cluster
from augstudy.core.errors import AugstudyError

_LABEL = "pipeline/runid"
_WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/{}/workflows"
_PODS = "/api/v1/namespaces/{}/pods"
_KFP = "kubeflow"
_BAD = ("Failed", "Error")

logger = logging.getLogger(__name__)


class Insight:
    """Asks the cluster of the current kubeconfig, the first time that it is needed.

    Args:
        namespace: Of the runs; empty means that of the context, or KFP's own.
    """

    def __init__(self, namespace: str = "") -> None:
        self._wanted = namespace
        self._cluster: Cluster | None = None
        self._asked = False

    def waiting(self, run_id: str) -> list[str]:
        """Why pods of a run wait, the most telling first."""
        found = [*self._nodes(run_id, ("Pending",)), *self._pods(run_id)]
        return list(dict.fromkeys(" ".join(text.split()) for text in found))

    def failed(self, run_id: str, title: str) -> str:
        """Why the workflow's node of that display name failed; empty if nobody says."""
        return next(self._nodes(run_id, _BAD, title), "")

    def command(self, run_id: str) -> str:
        """What shows the same, and more."""
        space = self._wanted or _KFP
        return f"kubectl describe workflow,pods --namespace {space} --selector {_LABEL}={run_id}"

    def _nodes(self, run_id: str, phases: tuple[str, ...], title: str = "") -> Iterator[str]:
        for workflow in self._items(_WORKFLOWS, run_id):
            status = _mapping(workflow.get("status"))
            for node in _mapping(status.get("nodes")).values():
                shown = str(_mapping(node).get("displayName", "")).partition("(")[0]
                if _mapping(node).get("phase") in phases and title in ("", shown):
                    yield from _texts(node.get("message"))
            if title and status.get("phase") in _BAD:
                yield from _texts(status.get("message"))

    def _pods(self, run_id: str) -> Iterator[str]:
        for pod in self._items(_PODS, run_id):
            status = _mapping(pod.get("status"))
            if status.get("phase") != "Pending":
                continue
            for item in status.get("conditions") or []:
                if item.get("type") == "PodScheduled" and item.get("status") == "False":
                    yield from _texts(item.get("message"))
            for kind in ("initContainerStatuses", "containerStatuses"):
                for container in status.get(kind) or []:
                    state = _mapping(_mapping(container.get("state")).get("waiting"))
                    if state.get("reason") not in (None, "PodInitializing", "ContainerCreating"):
                        parts = (state.get("reason"), state.get("message"))
                        yield ": ".join(str(part) for part in parts if part)

    def _items(self, path: str, run_id: str) -> list[dict[str, Any]]:
        if not self._asked:
            self._asked = True
            try:
                self._cluster = Cluster()
            except AugstudyError as error:
                logger.debug("Kubernetes is not asked: %s", error)
            except ImportError:  # the extra "pipelines" is not installed
                logger.debug("Kubernetes is not asked: its client is not installed")
        if self._cluster is None:
            return []
        spaces = [self._wanted] if self._wanted else [self._cluster.namespace, _KFP]
        for space in dict.fromkeys(filter(None, spaces)):
            try:
                found = self._cluster.items(path.format(space), labelSelector=f"{_LABEL}={run_id}")
            except AugstudyError as error:
                logger.debug("Kubernetes does not tell: %s", error)
                continue
            if found:
                return found
        return []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _texts(value: Any) -> Iterator[str]:
    if value:
        yield str(value)
