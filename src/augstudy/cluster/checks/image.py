"""The image of the steps: named so that KFP's cache cannot serve old code, and to be had."""

from collections.abc import Iterator
from typing import Any

from augstudy.cluster.checks import Place
from augstudy.cluster.findings import Finding, ok, warning, wrong
from augstudy.cluster.kube import ForbiddenError

_PULL = "kubernetes.io/dockerconfigjson"
_LISTED = 50  # images a node names at most


def named(image: str, content_tag: str) -> Iterator[Finding]:
    """It is named by digest, or by the tag of this checkout's content."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if digest:
        yield ok(f"image {image} is named by digest")
    elif tag in ("", "latest"):
        yield wrong(
            f"image {image} can change under its name: KFP's cache would serve old results",
            "make images, and set AUGSTUDY_IMAGE to the name that it prints",
        )
    elif content_tag and content_tag not in tag:
        yield warning(
            f"image {image} was made of other code than this checkout ({content_tag})",
            "make images",
        )
    else:
        yield ok(f"image {image} is named by its content")


def available(place: Place, image: str, pull_secrets: tuple[str, ...]) -> Iterator[Finding]:
    """A node has it, or it can probably be pulled; only a run tells for sure."""
    nodes = _nodes(place)
    if any(not _full_names(image).isdisjoint(_names(node)) for node in nodes):
        yield ok(f"a node has image {image} already")
    elif not _has_registry(image):
        # Nodes list their largest images only.
        listed = max((len(node["status"].get("images") or []) for node in nodes), default=_LISTED)
        state = wrong if listed < _LISTED else warning
        yield state(
            f"no node lists image {image}, and its name says no registry to pull it from",
            f"scripts/kind/load_images.sh {image}, or push it and set AUGSTUDY_IMAGE",
        )
    else:
        yield ok(f"image {image} will be pulled from {image.partition('/')[0]}")
    for secret in pull_secrets:
        yield from _pull_secret(place, secret)


def _pull_secret(place: Place, name: str) -> Iterator[Finding]:
    try:
        found = place.cluster.get(f"/api/v1/namespaces/{place.namespace}/secrets/{name}")
    except ForbiddenError:
        yield warning(f"we may not read pull secret {name}")
        return
    create = (
        f"{place.kubectl} create secret docker-registry {name} --docker-server=REGISTRY "
        "--docker-username=NAME --docker-password=PASSWORD"
    )
    if found is None:
        yield wrong(f"there is no pull secret {name} in {place.namespace}", create)
    elif found.get("type") != _PULL:
        yield wrong(f"pull secret {name} has type {found.get('type')}, not {_PULL}", create)
    else:
        yield ok(f"pull secret {name} exists")


def _nodes(place: Place) -> list[dict[str, Any]]:
    try:
        return place.cluster.items("/api/v1/nodes")
    except ForbiddenError:
        return []


def _full_names(image: str) -> set[str]:
    """As nodes may call it: for them a short name is one of Docker's hub."""
    return {image, f"docker.io/{image}", f"docker.io/library/{image}", f"localhost/{image}"}


def _names(node: dict[str, Any]) -> set[str]:
    images = node.get("status", {}).get("images") or []
    return {name for item in images for name in item.get("names") or []}


def _has_registry(image: str) -> bool:
    first, separator, _ = image.partition("/")
    return bool(separator) and ("." in first or ":" in first or first == "localhost")
