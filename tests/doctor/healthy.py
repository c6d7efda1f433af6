"""A cluster with KFP and the chart, as objects, for the tests to harm."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from servers import _Server

from augstudy.cluster import image

GOLDEN = Path(__file__).parents[1] / "chart" / "golden" / "kind.yaml"
SPACE = "/api/v1/namespaces/kubeflow"
POLICY = "/apis/networking.k8s.io/v1/namespaces/kubeflow/networkpolicies/augstudy-runs"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes"
# As in KFP's manifests, third-party/argo/base/workflow-controller-configmap-patch.yaml.
ARGO = {
    "executor": "imagePullPolicy: IfNotPresent",
    "workflowDefaults": """\
spec:
  ttlStrategy: {secondsAfterCompletion: 3600, secondsAfterSuccess: 3600, secondsAfterFailure: 3600}
  templateDefaults:
    retryStrategy: {limit: '2', retryPolicy: OnError}
""",
}
IMAGE = image.name(Path(__file__).parents[2])
Doctor = Callable[..., tuple[int, str]]


class Kfp(_Server):
    """KFP's health, and no more."""

    status = 200
    version = "2.17.0"
    multi_user = False

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        body = {"tag_name": self.version, "multi_user": self.multi_user}
        self._send(request, "any", self.status, json.dumps(body).encode())


def node(**changes: Any) -> dict[str, Any]:
    """A node with two GPUs that has the image."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "one", "labels": {"pool": "gpu"}},
        "spec": {"taints": [{"key": "nvidia.com/gpu", "value": "y", "effect": "NoSchedule"}]},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "allocatable": {"cpu": "7910m", "memory": "30123Mi", "nvidia.com/gpu": "2"},
            "images": [{"names": [f"docker.io/library/{IMAGE}"]}],
        },
        **changes,
    }


def cpu_node() -> dict[str, Any]:
    """A node without GPUs."""
    found = node(metadata={"name": "two", "labels": {}}, spec={})
    del found["status"]["allocatable"]["nvidia.com/gpu"]
    return found


def object_(kind: str, name: str, group: str = "v1", **more: Any) -> dict[str, Any]:
    """An object in KFP's namespace."""
    return {
        "apiVersion": group,
        "kind": kind,
        "metadata": {"name": name, "namespace": "kubeflow"},
        **more,
    }
