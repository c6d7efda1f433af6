"""How many pods fit into a cluster beside what runs there, within the quotas of a namespace."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from augstudy.cluster.checks import Place
from augstudy.cluster.checks.nodes import amount, quantity
from augstudy.cluster.kube import ForbiddenError

_ALIVE = "/api/v1/pods?fieldSelector=status.phase%21%3DSucceeded,status.phase%21%3DFailed"
_PODS = "pods"
Amounts = Mapping[str, Decimal]


@dataclass(frozen=True)
class Fit:
    """So many pods fit; `by` names the quota that allows no more, if it is one that does."""

    count: int
    by: str = ""


class Occupied:
    """What the pods of a cluster request, by node.

    Raises:
        ForbiddenError: we may not list the pods of all namespaces.
    """

    def __init__(self, place: Place) -> None:
        self._by_node: dict[str, Counter[str]] = {}
        for pod in place.cluster.items(_ALIVE):
            node = pod.get("spec", {}).get("nodeName")
            if node and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
                self._by_node.setdefault(node, Counter()).update(requested(pod["spec"]))

    def free(self, node: Mapping[str, Any], resource: str) -> Decimal:
        """What is left of a resource of a node; below zero if it was promised twice."""
        used = self._by_node.get(node["metadata"]["name"], Counter())
        return amount(node, resource) - Decimal(used[resource])


def requested(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What a pod requests, as the scheduler counts: its containers, or a greater init container."""
    total: Counter[str] = Counter()
    for container in spec.get("containers") or []:
        total.update(_requests(container))
    most: dict[str, Any] = {}
    for container in spec.get("initContainers") or []:
        own = _requests(container)
        if container.get("restartPolicy") == "Always":  # a sidecar, which stays
            total.update(own)
        else:
            most |= {name: max(value, most.get(name, 0)) for name, value in own.items()}
    found = {name: max(total[name], most.get(name, 0)) for name in {*total, *most}}
    for name, value in (spec.get("overhead") or {}).items():
        found[name] = found.get(name, 0) + quantity(value)
    return {**found, _PODS: 1}


def fit(
    place: Place, nodes: Iterable[Mapping[str, Any]], requests: Amounts, limits: Amounts
) -> Fit:
    """How many pods fit at once.

    Args:
        place: The namespace, for its quotas.
        nodes: Those to which the pods may go.
        requests: Of one pod.
        limits: Of one pod.

    Raises:
        ForbiddenError: we may not see what runs already.
    """
    occupied = Occupied(place)
    found = Fit(sum(_on(node, occupied, requests) for node in nodes))
    for name, left in _quotas(place, requests, limits):
        if left < found.count:
            found = Fit(left, name)
    return found


def of_argo(place: Place, executor: Mapping[str, Any]) -> dict[str, Decimal]:
    """What Argo's own container in a step's pod requests.

    That is what the controller's settings say in `executor`, else the default of the namespace.
    """
    requests = dict((executor.get("resources") or {}).get("requests") or {})
    try:
        ranges = place.cluster.items(f"/api/v1/namespaces/{place.namespace}/limitranges")
    except ForbiddenError:
        ranges = []
    for item in ranges:
        for rule in item.get("spec", {}).get("limits") or []:
            if rule.get("type") == "Container":
                requests = {**(rule.get("defaultRequest") or {}), **requests}
    return {name: quantity(requests[name]) for name in ("cpu", "memory") if name in requests}


def _on(node: Mapping[str, Any], occupied: Occupied, requests: Amounts) -> int:
    """How many pods a node takes."""
    known = {**requests, _PODS: Decimal(1)} if amount(node, _PODS) else requests
    return max(0, min(_times(occupied.free(node, name), need) for name, need in known.items()))


def _requests(container: Mapping[str, Any]) -> dict[str, Decimal]:
    found = (container.get("resources") or {}).get("requests") or {}
    return {name: quantity(value) for name, value in found.items()}


def _quotas(place: Place, requests: Amounts, limits: Amounts) -> Iterator[tuple[str, int]]:
    """Each quota that counts such pods, and how many more it allows."""
    needs = {f"requests.{name}": need for name, need in requests.items()}
    needs |= {name: requests[name] for name in ("cpu", "memory") if name in requests}
    needs |= {f"limits.{name}": need for name, need in limits.items()}
    needs |= {_PODS: Decimal(1), "count/pods": Decimal(1)}
    for item in place.cluster.items(f"/api/v1/namespaces/{place.namespace}/resourcequotas"):
        spec = item.get("spec") or {}
        if spec.get("scopes") or spec.get("scopeSelector"):
            continue
        status = item.get("status") or {}
        hard = status.get("hard") or spec.get("hard") or {}
        used = status.get("used") or {}
        left = [
            _times(quantity(hard[name]) - quantity(used.get(name, "0")), need)
            for name, need in needs.items()
            if name in hard
        ]
        if left:
            yield str(item["metadata"]["name"]), max(0, min(left))


def _times(have: Decimal, need: Decimal) -> int:
    """How often a need is met; often enough if it is none."""
    return int(have // need) if need else 1_000_000
