"""The namespace, and the service account with its rights."""

from collections.abc import Iterator

from augstudy.cluster import rights
from augstudy.cluster.checks import Place
from augstudy.cluster.findings import Finding, ok, warning, wrong
from augstudy.cluster.kube import ForbiddenError

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
    if level == "restricted":
        yield ok("Pod Security enforces restricted, which the steps pass")
    elif level == "baseline":
        yield ok(
            "Pod Security enforces baseline; the steps pass restricted, and 'Pod Security' in "
            "docs/cluster.md says how to enforce it"
        )
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


def rights_of_account(place: Place, secret: str) -> Iterator[Finding]:
    """What the account may do; `secret` holds the store's credentials, if one does."""
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
