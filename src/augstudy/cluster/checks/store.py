"""The object store: which root runs have, the launcher's secret, and whether it takes an object."""

from collections.abc import Iterator

from augstudy.cluster import launcher
from augstudy.cluster.checks import Place
from augstudy.cluster.findings import Finding, ok, warning, wrong
from augstudy.cluster.kube import ForbiddenError
from augstudy.cluster.launcher import Access
from augstudy.cluster.stores import Stores, credentials, round_trip
from augstudy.core.errors import AugstudyError, DataError, InputError, ServiceError
from augstudy.objects.retry import TransientError


def store(place: Place, stores: Stores, root: str, origin: str) -> Iterator[Finding]:
    """The root of the runs and its store, tried as runs use it.

    Args:
        place: Where the runs would be.
        stores: Opens it.
        root: What runs are submitted with; empty means the cluster's default.
        origin: Who named `root`, such as an option.
    """
    found = stores.configuration
    access = launcher.access(found or {}, root)
    yield ok(f"artifacts go to {access.root} ({_source(found, root, origin)})")
    known = list(_secret(place, access))
    yield from known
    if all(finding.state == "ok" for finding in known):
        yield from _tried(place, stores, access)


def _source(found: object, root: str, origin: str) -> str:
    if root:
        return origin
    if found is None:
        return f"KFP's default; there is no {launcher.CONFIG_MAP}"
    if isinstance(found, dict) and found.get("defaultPipelineRoot"):
        return launcher.CONFIG_MAP
    return f"KFP's default; {launcher.CONFIG_MAP} names none"


def _secret(place: Place, access: Access) -> Iterator[Finding]:
    if not access.secret:
        yield ok("the store's credentials come from the pods' environment")
        return
    try:
        credentials(place.cluster, place.namespace, access)
    except ForbiddenError:
        yield warning(
            f"we may not read secret {access.secret}, so neither its keys nor the store were tried",
            _helm_test(place),
        )
    except InputError as error:
        yield wrong(str(error), f"{_create_secret(place, access)}, of files without a line end")
    else:
        yield ok(f"secret {access.secret} has {' and '.join(access.keys)}")


def _tried(place: Place, stores: Stores, access: Access) -> Iterator[Finding]:
    """Whether the store takes an object, gives it back and deletes it."""
    try:
        opened = stores.as_runs_do(access)
    except ServiceError as error:  # a network of its own: only a pod can tell
        yield warning(f"the store was not tried: {error}", _helm_test(place))
        return
    try:
        left = round_trip(opened)
    except InputError as error:
        yield wrong(
            str(error),
            f"create the bucket, or name another root: {place.kubectl} edit configmap "
            f"{launcher.CONFIG_MAP}",
        )
    except DataError as error:
        yield wrong(str(error), "check the store, and any proxy in front of it")
    except AugstudyError as error:
        if isinstance(error.__cause__, TransientError):  # the pods may be luckier
            yield warning(f"the store does not answer here: {error}", _helm_test(place))
        elif access.secret:
            text = f"with the keys of secret {access.secret}: {error}"
            yield wrong(text, _create_secret(place, access))
        else:
            yield warning(
                f"the store was tried with our own credentials: {error}", _helm_test(place)
            )
    else:
        yield from _passed(place, access, left)


def _passed(place: Place, access: Access, left: str) -> Iterator[Finding]:
    whose = f"the keys of secret {access.secret}" if access.secret else "our own credentials"
    if left:
        yield warning(f"{left} was written with {whose} but may not be deleted", f"delete {left}")
    elif access.secret:
        yield ok(f"{access.root} takes, returns and deletes an object, with {whose}")
    else:
        yield ok(
            f"{access.root} takes, returns and deletes an object, with {whose}; "
            f"'{_helm_test(place)}' tries it with those of the pods"
        )


def _create_secret(place: Place, access: Access) -> str:
    files = " ".join(f"--from-file=FOLDER/{key}" for key in dict.fromkeys(access.keys))
    return f"{place.kubectl} create secret generic {access.secret} {files}"


def _helm_test(place: Place) -> str:
    return f"helm test augstudy --namespace {place.namespace} --logs"
