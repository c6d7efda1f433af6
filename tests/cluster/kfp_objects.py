"""Objects that KFP's manifests make in its namespace."""

import json
from typing import Any


def of_kfp(kind: str, name: str, **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "kubeflow"}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def launcher(root: str, **providers: Any) -> dict[str, Any]:
    data = {"defaultPipelineRoot": root}
    if providers:
        data["providers"] = json.dumps(providers)
    return of_kfp("ConfigMap", "kfp-launcher", data=data)
