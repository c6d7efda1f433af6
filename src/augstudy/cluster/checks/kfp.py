"""Kubeflow Pipelines: does it answer, is it a version that we know, do its servers run?"""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

from augstudy.cluster.checks import Place
from augstudy.cluster.findings import Finding, ok, warning, wrong
from augstudy.cluster.kube import Forbidden

KNOWN = (2, 17)  # what the chart and the pipelines are made for
_TIMEOUT_S = 10
# Without these no run gets anywhere.
_SERVERS = ("ml-pipeline", "metadata-grpc-deployment", "workflow-controller")


def reachable(place: Place, host: str, token: str) -> Iterator[Finding]:
    """The API answers at `host`, and says a version."""
    forward = f"kubectl --namespace {place.kfp_namespace} port-forward svc/ml-pipeline-ui 8080:80"
    if not host:
        yield wrong(
            "no address of Kubeflow Pipelines is set",
            f"{forward}, and set AUGSTUDY_KFP_HOST=http://localhost:8080",
        )
        return
    try:
        health = _json(f"{host}/apis/v2beta1/healthz", token)
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            yield wrong(f"{host} refuses us (HTTP {error.code})", "give a token with --token")
        else:
            yield wrong(f"what answers at {host} is not KFP 2 (HTTP {error.code})", forward)
        return
    except (OSError, ValueError):
        yield wrong(f"Kubeflow Pipelines does not answer at {host}", forward)
        return
    yield ok(f"Kubeflow Pipelines answers at {host}")
    yield _version(host, token)
    if health.get("multi_user") and place.namespace == place.kfp_namespace:
        yield wrong(
            "this KFP has several users, so runs go to a namespace of their own",
            "augstudy doctor --namespace YOURS",
        )
    elif not health.get("multi_user") and place.namespace != place.kfp_namespace:
        yield wrong(
            f"this KFP runs pipelines in its own namespace, {place.kfp_namespace}, not in "
            f"{place.namespace}",
            f"augstudy doctor --namespace {place.kfp_namespace}",
        )


def servers(place: Place) -> Iterator[Finding]:
    """KFP's servers and Argo's controller are up."""
    space = place.kfp_namespace
    kubectl = f"kubectl --namespace {space}"
    try:
        found = place.cluster.items(f"/apis/apps/v1/namespaces/{space}/deployments")
    except Forbidden:
        yield warning(f"we may not look at the servers in namespace {space}")
        return
    ready = {
        item["metadata"]["name"]: item.get("status", {}).get("availableReplicas", 0)
        for item in found
    }
    down = [name for name in _SERVERS if not ready.get(name)]
    for name in down:
        if name in ready:
            yield wrong(
                f"deployment {name} is not available", f"{kubectl} describe deployment {name}"
            )
        else:
            yield wrong(f"there is no deployment {name} in {space}", "scripts/kind/install_kfp.sh")
    if not down:
        yield ok(f"KFP's servers and Argo's controller run in {space}")


def _version(host: str, token: str) -> Finding:
    try:
        said = str(_json(f"{host}/apis/v1beta1/healthz", token).get("tag_name") or "")
    except (OSError, ValueError):
        said = ""
    found = re.match(r"v?(\d+)\.(\d+)", said)
    if not found:
        return warning("KFP does not say its version; 2.17 is what this was made for")
    if (int(found[1]), int(found[2])) < KNOWN:
        return warning(f"KFP has version {said}; 2.17 is what this was made for", "upgrade KFP")
    return ok(f"KFP has version {said}")


def _json(url: str, token: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
        return dict(json.load(answer))
