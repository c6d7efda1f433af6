"""Kubeflow Pipelines: does it answer, is it a version that we know, do its servers run?"""

import re
from collections.abc import Iterator

from augstudy.cluster.checks import Place
from augstudy.cluster.connection import Connection
from augstudy.cluster.findings import Finding, ok, warning, wrong
from augstudy.cluster.kfp_api import Server
from augstudy.cluster.kube import ForbiddenError
from augstudy.core.errors import AugstudyError

KNOWN = (2, 17)  # what the chart and the pipelines are made for
# Without these no run gets anywhere.
_SERVERS = ("ml-pipeline", "metadata-grpc-deployment", "workflow-controller")


def reachable(place: Place, connection: Connection) -> Iterator[Finding]:
    """The API answers, says a version, and runs pipelines where they are meant to run."""
    space = place.kfp_namespace
    try:
        server = Server(connection)
    except AugstudyError as error:
        forward = f"kubectl --namespace {space} port-forward svc/ml-pipeline-ui 8080:80"
        yield wrong(str(error), f"{forward}, and set AUGSTUDY_KFP_HOST=http://localhost:8080")
        return
    yield ok(f"Kubeflow Pipelines answers at {connection.host}")
    several = server.multi_user
    yield _version(server)
    if several and place.namespace == space:
        yield wrong(
            "this KFP has several users, so runs go to a namespace of their own",
            "augstudy doctor --namespace YOURS",
        )
    elif not several and place.namespace != space:
        yield wrong(
            f"this KFP runs pipelines in its own namespace, {space}, not in {place.namespace}",
            f"augstudy doctor --namespace {space}",
        )


def servers(place: Place) -> Iterator[Finding]:
    """KFP's servers and Argo's controller are up."""
    space = place.kfp_namespace
    kubectl = f"kubectl --namespace {space}"
    try:
        found = place.cluster.items(f"/apis/apps/v1/namespaces/{space}/deployments")
    except ForbiddenError:
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


def _version(server: Server) -> Finding:
    said = server.version()
    found = re.match(r"v?(\d+)\.(\d+)", said)
    if not found:
        return warning("KFP does not say its version; 2.17 is what this was made for")
    if (int(found[1]), int(found[2])) < KNOWN:
        return warning(f"KFP has version {said}; 2.17 is what this was made for", "upgrade KFP")
    return ok(f"KFP has version {said}")
