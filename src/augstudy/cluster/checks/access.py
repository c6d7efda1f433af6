"""The namespace, the service account and its rights, the launcher's configuration and secret."""

import base64
from collections.abc import Iterator

from augstudy.cluster import launcher, rights
from augstudy.cluster.checks import Place
from augstudy.cluster.findings import Finding, ok, warning, wrong
from augstudy.cluster.kube import ForbiddenError
from augstudy.core.errors import InputError

_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
_LEVEL = "pod-security.kubernetes.io/enforce"


def namespace(place: Place) -> Iterator[Finding]:
    """It exists, and its Pod Security lets steps run and little else."""
    found = place.cluster.get(f"/api/v1/namespaces/{place.namespace}")
    if found is None:
        yield wrong(
            f"there is no namespace {place.namespace}",
            f"kubectl create namespace {place.namespace}, or name another with --namespace",
        )
        return
    yield ok(f"namespace {place.namespace} exists")
    level = (found["metadata"].get("labels") or {}).get(_LEVEL)
    if level in ("baseline", "restricted"):
        yield ok(f"Pod Security enforces {level}; the steps pass restricted")
    else:
        yield warning(
            f"Pod Security enforces {level or 'nothing'} in namespace {place.namespace}",
            f"kubectl label namespace {place.namespace} --overwrite {_LEVEL}=baseline",
        )


def service_account(place: Place) -> Iterator[Finding]:
    """The account of the runs exists."""
    path = f"/api/v1/namespaces/{place.namespace}/serviceaccounts/{place.service_account}"
    if place.cluster.get(path) is None:
        yield wrong(
            f"there is no service account {place.service_account} in {place.namespace}", place.helm
        )
    else:
        yield ok(f"service account {place.service_account} exists")


def store(place: Place, pipeline_root: str) -> Iterator[Finding]:
    """The launcher's configuration, the secret it names, and the rights to read both."""
    base = f"/api/v1/namespaces/{place.namespace}"
    found = place.cluster.get(f"{base}/configmaps/{launcher.CONFIG_MAP}")
    data = (found or {}).get("data") or {}
    try:
        access = launcher.access(data, pipeline_root)
    except InputError as error:
        yield wrong(str(error), f"{place.kubectl} edit configmap {launcher.CONFIG_MAP}")
        return
    source = launcher.CONFIG_MAP if found else "KFP's defaults; there is no kfp-launcher"
    yield ok(f"artifacts go to {access.root} ({source})")
    yield from _secret(place, access)
    yield from _rights(place, access.secret)


def _secret(place: Place, access: launcher.Access) -> Iterator[Finding]:
    if not access.secret:
        yield ok("the store's credentials come from the pods' environment")
        return
    create = f"{place.kubectl} create secret generic {access.secret} " + " ".join(
        f"--from-file={key}=FILE" for key in access.keys
    )
    path = f"/api/v1/namespaces/{place.namespace}/secrets/{access.secret}"
    try:
        found = place.cluster.get(path)
    except ForbiddenError:
        yield warning(f"we may not read secret {access.secret}, so its keys were not checked")
        return
    if found is None:
        yield wrong(f"there is no secret {access.secret} in {place.namespace}", create)
        return
    data = found.get("data") or {}
    missing = [key for key in access.keys if not base64.b64decode(data.get(key) or "")]
    if missing:
        yield wrong(f"secret {access.secret} lacks {' and '.join(missing)}", create)
    else:
        yield ok(f"secret {access.secret} has {' and '.join(access.keys)}")


def _rights(place: Place, secret: str) -> Iterator[Finding]:
    user = f"system:serviceaccount:{place.namespace}:{place.service_account}"
    denied = []
    for right in rights.needed(secret):
        spec = {"user": user, "resourceAttributes": right.attributes(place.namespace)}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": spec,
        }
        try:
            answer = place.cluster.create(_REVIEWS, review)
        except ForbiddenError:
            yield warning(
                f"we may not ask what {place.service_account} may do, so its rights were not "
                "checked",
                f"helm test augstudy --namespace {place.namespace} --logs",
            )
            return
        if not answer.get("status", {}).get("allowed"):
            denied.append(right)
    for right in denied:
        yield wrong(f"{place.service_account} may not {right}, {right.why}", place.helm)
    if not denied:
        yield ok(f"{place.service_account} may do what the pods of a run must")
