"""Nodes as pods see them: ready, with labels and taints, and with so much of each resource."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from augstudy.cluster.checks import Place
from augstudy.cluster.kube import ForbiddenError
from augstudy.cluster.settings import Toleration


def ready(place: Place) -> list[dict[str, Any]]:
    """Nodes that take pods.

    Raises:
        ForbiddenError: we may not list nodes.
    """
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


def amount(node: Mapping[str, Any], resource: str) -> Decimal:
    """How much of a resource a node has for pods."""
    allocatable = node.get("status", {}).get("allocatable") or {}
    return quantity(allocatable.get(resource, "0"))


def quantity(text: str) -> Decimal:
    """A quantity of Kubernetes, such as ``250m`` or ``2Gi``, in units and bytes."""
    from kubernetes.utils.quantity import parse_quantity

    return Decimal(parse_quantity(text))


def matches(node: Mapping[str, Any], selector: Mapping[str, str]) -> bool:
    """Whether a node has all labels of a selector."""
    labels = node["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in selector.items())


def tolerated(node: Mapping[str, Any], tolerations: tuple[Toleration, ...]) -> bool:
    """Whether pods with these tolerations may go to a node, whatever its taints."""
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
