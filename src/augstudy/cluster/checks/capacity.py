"""Is there room for training steps, are there GPUs, and does the quota let us have them?"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from augstudy.cluster.checks import Place, argo
from augstudy.cluster.checks.fitting import Fit, fit, of_argo
from augstudy.cluster.checks.nodes import amount, matches, quantity, ready, tolerated
from augstudy.cluster.findings import Finding, ok, warning, wrong
from augstudy.cluster.kube import ForbiddenError
from augstudy.cluster.settings import ClusterSettings
from augstudy.core.errors import AugstudyError

Nodes = Sequence[Mapping[str, Any]]
_GIB = 1 << 30


def room(place: Place, settings: ClusterSettings) -> Iterator[Finding]:
    """Nodes for steps at all, and how many training steps fit beside what runs."""
    nodes = ready(place)
    if not any(
        matches(node, settings.node_selector) and tolerated(node, settings.tolerations)
        for node in nodes
    ):
        yield wrong(
            "no ready node has the labels and taints that steps ask for",
            "see node_selector and tolerations in cluster.yaml, and: kubectl get nodes",
        )
        return
    usable = [node for node in nodes if _takes_training(node, settings, gpus=settings.gpus > 0)]
    need = settings.training
    if not any(
        amount(node, "cpu") >= quantity(need.cpu)
        and amount(node, "memory") >= quantity(need.memory)
        for node in usable
    ):
        yield wrong(
            f"no node has the {need.cpu} CPU and {need.memory} that a training step requests",
            "lower training.cpu and training.memory in cluster.yaml, or add a larger node",
        )
        return
    yield from _fitting(place, settings, usable, 0)


def gpus(place: Place, settings: ClusterSettings) -> Iterator[Finding]:
    """GPUs that steps may use: on nodes, past taints, within the quota, not held by others."""
    resource = settings.gpu_type
    owners = [node for node in ready(place) if amount(node, resource)]
    total = sum(int(amount(node, resource)) for node in owners)
    if not total:
        state = wrong if settings.gpus else warning
        yield state(
            f"no node advertises {resource}; steps run on CPUs with GPUS=0",
            "install the GPU device plugin; on kind: scripts/kind/fake_gpus.sh",
        )
        return
    usable = [node for node in owners if _takes_training(node, settings, gpus=True)]
    if usable:
        yield ok(f"{total} {resource} on {len(owners)} node{'s' if len(owners) > 1 else ''}")
    else:
        yield wrong(
            f"{total} {resource} are there, but steps ask for other labels or taints",
            "see gpu_node_selector and gpu_tolerations in cluster.yaml",
        )
    quotas = list(_quota(place, resource, total, settings.gpus))
    yield from quotas
    if usable and not any(finding.state == "wrong" for finding in quotas):
        yield from _fitting(place, settings, usable, max(settings.gpus, 1))


def _takes_training(node: Mapping[str, Any], settings: ClusterSettings, *, gpus: bool) -> bool:
    selector = {**settings.node_selector, **(settings.gpu_node_selector if gpus else {})}
    tolerations = (*settings.tolerations, *settings.gpu_tolerations)
    return matches(node, selector) and tolerated(node, tolerations)


def _fitting(place: Place, settings: ClusterSettings, nodes: Nodes, gpus: int) -> Iterator[Finding]:
    """How many training pods fit now."""
    need = settings.training
    requests = {"cpu": quantity(need.cpu), "memory": quantity(need.memory)}
    for name, more in of_argo(place, _executor(place)).items():
        requests[name] += more
    each = f"{requests['cpu'].normalize():f} CPU, {requests['memory'] / _GIB:.2f} GiB"
    limits = {"cpu": quantity(need.cpu_limit), "memory": quantity(need.memory_limit)}
    if gpus:
        each += f", {gpus} {settings.gpu_type}"
        requests[settings.gpu_type] = limits[settings.gpu_type] = Decimal(gpus)
    try:
        found = fit(place, nodes, requests, limits)
    except ForbiddenError:
        yield warning(
            "we may not list the pods of all namespaces, so what they leave free is not known",
            "ask for the right 'list pods' in all namespaces",
        )
        return
    yield _said(found, each, place)


def _said(found: Fit, each: str, place: Place) -> Finding:
    allowed = f"; quota {found.by} allows no more" if found.by else ""
    if found.count == 1:
        return ok(f"1 training pod fits beside what runs ({each}){allowed}")
    if found.count:
        return ok(f"{found.count} training pods fit beside what runs ({each} each){allowed}")
    mend = "end some of what 'kubectl describe nodes' lists, or lower training in cluster.yaml"
    if found.by:
        mend = f"{place.kubectl} describe resourcequota {found.by}"
    return warning(f"no training pod fits beside what runs ({each}): it would wait{allowed}", mend)


def _executor(place: Place) -> Mapping[str, Any]:
    """The controller's settings of its own container in pods; empty where they are not known."""
    try:
        found = argo.controller(place).get("executor")
    except AugstudyError:
        return {}
    return found if isinstance(found, Mapping) else {}


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
