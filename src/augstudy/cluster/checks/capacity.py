"""Nodes: is there room for a training step, are there GPUs, and does the quota let us have them?"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from augstudy.cluster.checks import Place
from augstudy.cluster.findings import Finding, ok, warning, wrong
from augstudy.cluster.kube import ForbiddenError
from augstudy.cluster.settings import ClusterSettings, Toleration


def room(place: Place, settings: ClusterSettings) -> Iterator[Finding]:
    """A node that could take a training step, were it empty."""
    nodes = [
        node
        for node in _ready(place)
        if _matches(node, settings.node_selector) and _tolerated(node, settings.tolerations)
    ]
    need = settings.training
    if not nodes:
        yield wrong(
            "no ready node has the labels and taints that steps ask for",
            "see node_selector and tolerations in cluster.yaml, and: kubectl get nodes",
        )
    elif any(_fits(node, {"cpu": need.cpu, "memory": need.memory}) for node in nodes):
        yield ok(f"a node has room for a training step ({need.cpu} CPU, {need.memory})")
    else:
        yield wrong(
            f"no node has the {need.cpu} CPU and {need.memory} that a training step requests",
            "lower training.cpu and training.memory in cluster.yaml, or add a larger node",
        )


def gpus(place: Place, settings: ClusterSettings) -> Iterator[Finding]:
    """GPUs that steps may use: on nodes, past taints, within the quota."""
    resource = settings.gpu_type
    owners = [node for node in _ready(place) if _amount(node, resource)]
    total = sum(int(_amount(node, resource)) for node in owners)
    if not total:
        state = wrong if settings.gpus else warning
        yield state(
            f"no node advertises {resource}; steps run on CPUs with GPUS=0",
            "install the GPU device plugin; on kind: scripts/kind/fake_gpus.sh",
        )
        return
    selector = {**settings.node_selector, **settings.gpu_node_selector}
    tolerations = (*settings.tolerations, *settings.gpu_tolerations)
    usable = [node for node in owners if _matches(node, selector) and _tolerated(node, tolerations)]
    if not usable:
        yield wrong(
            f"{total} {resource} are there, but steps ask for other labels or taints",
            "see gpu_node_selector and gpu_tolerations in cluster.yaml",
        )
    else:
        yield ok(f"{total} {resource} on {len(owners)} node{'s' if len(owners) > 1 else ''}")
    yield from _quota(place, resource, total, settings.gpus)


def _quota(place: Place, resource: str, total: int, wanted: int) -> Iterator[Finding]:
    key = f"requests.{resource}"
    for quota in place.cluster.items(f"/api/v1/namespaces/{place.namespace}/resourcequotas"):
        status = quota.get("status") or {}
        hard = (status.get("hard") or quota.get("spec", {}).get("hard") or {}).get(key)
        if hard is None:
            continue
        used = (status.get("used") or {}).get(key, "0")
        name = quota["metadata"]["name"]
        if int(hard) < max(wanted, 1):
            yield wrong(
                f"quota {name} allows {hard} {resource}, fewer than a step asks for",
                f"{place.helm} --reuse-values --set gpuQuota.count={max(wanted, 1)}",
            )
        elif int(hard) > total:
            yield warning(
                f"quota {name} allows {hard} {resource}, but nodes have {total}: the rest would "
                "stay Pending",
                f"{place.helm} --reuse-values --set gpuQuota.count={total}",
            )
        else:
            yield ok(f"quota {name}: {used} of {hard} {resource} in use")


def _ready(place: Place) -> list[dict[str, Any]]:
    try:
        nodes = place.cluster.items("/api/v1/nodes")
    except ForbiddenError as error:
        raise ForbiddenError(
            "We may not list nodes, so their capacity was not checked: ask for 'get, list nodes'."
        ) from error
    return [
        node
        for node in nodes
        if not node.get("spec", {}).get("unschedulable")
        and any(
            condition["type"] == "Ready" and condition["status"] == "True"
            for condition in node.get("status", {}).get("conditions") or []
        )
    ]


def _amount(node: Mapping[str, Any], resource: str) -> Decimal:
    from kubernetes.utils.quantity import parse_quantity

    allocatable = node.get("status", {}).get("allocatable") or {}
    return Decimal(parse_quantity(allocatable.get(resource, "0")))


def _fits(node: Mapping[str, Any], requests: Mapping[str, str]) -> bool:
    from kubernetes.utils.quantity import parse_quantity

    return all(_amount(node, name) >= parse_quantity(asked) for name, asked in requests.items())


def _matches(node: Mapping[str, Any], selector: Mapping[str, str]) -> bool:
    labels = node["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in selector.items())


def _tolerated(node: Mapping[str, Any], tolerations: tuple[Toleration, ...]) -> bool:
    return all(
        taint.get("effect") == "PreferNoSchedule"
        or any(_tolerates(item, taint) for item in tolerations)
        for taint in node.get("spec", {}).get("taints") or []
    )


def _tolerates(item: Toleration, taint: Mapping[str, Any]) -> bool:
    if item.effect and item.effect != taint.get("effect"):
        return False
    if item.operator == "Exists":
        return not item.key or item.key == taint["key"]
    return item.key == taint["key"] and (item.value or "") == (taint.get("value") or "")
