"""Network policies: may the pods of a run reach what they need?"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from augstudy.cluster.checks import Place
from augstudy.cluster.findings import Finding, ok, warning, wrong
from augstudy.cluster.kube import ForbiddenError

# Argo puts it on every pod of a run.
_RUN_POD = {"workflows.argoproj.io/workflow": "a-run"}
_NAME = "kubernetes.io/metadata.name"
_ANYWHERE = "192.0.2.1"  # stands for an address on the internet


@dataclass(frozen=True)
class Target:
    """An end that a run's pods connect to: pods by their labels, or an address."""

    what: str
    port: int
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    near: bool = False  # in the namespace of the runs
    address: str = ""
    mend: str = ""


def policies(place: Place, scheme: str) -> Iterator[Finding]:
    """What the policies on run pods leave unreachable; `scheme` is the pipeline root's."""
    path = f"/apis/networking.k8s.io/v1/namespaces/{place.namespace}/networkpolicies"
    holding = [
        policy
        for policy in place.cluster.items(path)
        if _selects(policy["spec"].get("podSelector"), _RUN_POD)
        and "Egress" in policy["spec"].get("policyTypes", [])
    ]
    if not holding:
        yield ok("no network policy limits what the pods of runs reach")
        return
    rules = [rule for policy in holding for rule in policy["spec"].get("egress") or []]
    blocked = False
    for target in _targets(place, scheme):
        if not any(_lets(rule, target) for rule in rules):
            blocked = True
            yield wrong(f"network policies keep runs from {target.what}", target.mend)
    if not blocked:
        names = ", ".join(policy["metadata"]["name"] for policy in holding)
        yield ok(f"network policies ({names}) let runs reach what they need")
    if not any(_lets(rule, Target("", 443, address=_ANYWHERE)) for rule in rules):
        yield warning(
            "network policies keep runs from sources on the internet (SOURCE=gs://...)",
            f"{place.helm} --reuse-values --set networkPolicy.https.allow=always",
        )


def _targets(place: Place, scheme: str) -> Iterator[Target]:
    reuse = f"{place.helm} --reuse-values --set"
    kfp = place.kfp_namespace
    near = kfp == place.namespace
    mend = f"{reuse} kfp.namespace={kfp}"
    labels = {"app": "ml-pipeline"}
    yield Target("KFP's API (port 8887)", 8887, kfp, labels, near, mend=mend)
    labels = {"component": "metadata-grpc-server"}
    yield Target("KFP's metadata store (port 8080)", 8080, kfp, labels, near, mend=mend)
    if scheme == "minio":
        mend = f"{reuse} networkPolicy.inClusterStore.enabled=true"
        labels = {"app": "seaweedfs"}
        yield Target("the object store (port 8333)", 8333, kfp, labels, near, mend=mend)
    else:
        mend = f"{reuse} networkPolicy.https.allow=always"
        yield Target("the object store (HTTPS)", 443, address=_ANYWHERE, mend=mend)
    for address, port in _api_servers(place):
        width = ipaddress.ip_address(address).max_prefixlen
        known = f"networkPolicy.kubernetesApi.cidrs={{{address}/{width}}}"
        mend = f"{reuse} '{known},networkPolicy.kubernetesApi.ports={{{port}}}'"
        what = f"the Kubernetes API at {address} port {port}"
        yield Target(what, port, address=address, mend=mend)


def _api_servers(place: Place) -> list[tuple[str, int]]:
    """Where the Service ``kubernetes`` really leads; policies see that, not the Service."""
    path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes"
    try:
        found = place.cluster.get(path) or {}
    except ForbiddenError:
        return []
    ports = [port["port"] for port in found.get("ports") or [] if port.get("port")]
    return [
        (address, port)
        for endpoint in found.get("endpoints") or []
        for address in endpoint.get("addresses") or []
        for port in ports
    ]


def _lets(rule: Mapping[str, Any], target: Target) -> bool:
    ports = rule.get("ports")
    if ports and not any(_port(item, target.port) for item in ports):
        return False
    peers = rule.get("to")
    return not peers or any(_peer(item, target) for item in peers)


def _port(item: Mapping[str, Any], port: int) -> bool:
    if item.get("protocol", "TCP") != "TCP":
        return False
    first = item.get("port")
    return first is None or (isinstance(first, int) and first <= port <= item.get("endPort", first))


def _peer(peer: Mapping[str, Any], target: Target) -> bool:
    if "ipBlock" in peer:
        return bool(target.address) and _inside(peer["ipBlock"], target.address)
    if target.address:
        return False
    spaces = peer.get("namespaceSelector")  # without one, the policy's own namespace is meant
    if not (target.near if spaces is None else _selects(spaces, {_NAME: target.namespace})):
        return False
    return _selects(peer.get("podSelector"), target.labels)


def _inside(block: Mapping[str, Any], address: str) -> bool:
    def within(cidr: str) -> bool:
        return ipaddress.ip_address(address) in ipaddress.ip_network(cidr, strict=False)

    return within(block["cidr"]) and not any(within(cidr) for cidr in block.get("except") or [])


def _selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector means something with `labels`; an empty one means everything."""
    wanted = (selector or {}).get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_satisfies(item, labels) for item in (selector or {}).get("matchExpressions") or [])


def _satisfies(item: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = item["key"], item.get("values") or []
    return {
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
    }[item["operator"]]
