"""What ``helm test`` runs, as a step would run: would a run reach its store, KFP and Kubernetes?

It stores and reads one small object with the launcher's configuration and the credentials that
the service account can read.
"""

import argparse
import base64
import binascii
import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from augstudy.cluster import launcher, rights
from augstudy.cluster.connection import Connection, address
from augstudy.cluster.faults import UnreachableError
from augstudy.cluster.findings import Finding, guarded, ok, wrong
from augstudy.cluster.kfp_http import KfpHttp
from augstudy.cluster.kube import Cluster
from augstudy.core.errors import AugstudyError, ServiceError

_OBJECT = "augstudy-check.txt"
_TIMEOUT_S = 10
_POLICY = "see the chart's networkPolicy, and that KFP runs"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line a check; 0 if a run would work, else 3."""
    parser = argparse.ArgumentParser(prog="augstudy.cluster.probe", description=__doc__)
    parser.add_argument("--kfp", required=True, metavar="URL", help="KFP's API server")
    parser.add_argument("--metadata", required=True, metavar="HOST:PORT", help="its metadata store")
    options = parser.parse_args(arguments)
    findings = []
    for finding in _all(options.kfp, options.metadata):
        findings.append(finding)
        sys.stdout.write(f"{finding}\n")
        sys.stdout.flush()
    return 3 if any(finding.state == "wrong" for finding in findings) else 0


def _all(kfp: str, metadata: str) -> Iterator[Finding]:
    yield from guarded(_cluster)
    yield from _kfp(kfp)
    yield from _metadata(metadata)


def _cluster() -> Iterator[Finding]:
    cluster = Cluster(in_pod=True)
    found = cluster.get(f"{_core(cluster)}/configmaps/{launcher.CONFIG_MAP}")
    data = (found or {}).get("data") or {}
    access = launcher.access(data)
    yield ok(f"the launcher keeps artifacts in {access.root}")
    for right in rights.needed(access.secret):
        if cluster.may(right.attributes(cluster.namespace)):
            yield ok(f"the service account may {right}")
        else:
            yield wrong(f"the service account may not {right}, {right.why}", "set rbac.create=true")
    yield from guarded(lambda: _store(cluster, access))


def _store(cluster: Cluster, access: launcher.Access) -> Iterator[Finding]:
    from augstudy.objects import open_store

    with tempfile.TemporaryDirectory() as folder:
        _sign_in(cluster, access, Path(folder))
        store = open_store(access.root)
        store.write(_OBJECT, b"augstudy")
        if store.read(_OBJECT) != b"augstudy":
            raise ServiceError(f"What {access.root} gives back is not what was stored.")
    yield ok(f"{access.root} takes an object and gives it back")


def _sign_in(cluster: Cluster, access: launcher.Access, folder: Path) -> None:
    """Put the store's address and credentials where the client libraries look for them."""
    if access.url:
        os.environ["AWS_ENDPOINT_URL"] = access.url
    if access.region:
        os.environ["AWS_DEFAULT_REGION"] = access.region
    if not access.secret:
        return
    values = _secret(cluster, access)
    if access.scheme == "gs":
        path = folder / "key.json"
        path.touch(mode=0o600)
        path.write_bytes(values[0])
        os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = str(path)
    else:
        os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"] = (
            value.decode() for value in values
        )


def _secret(cluster: Cluster, access: launcher.Access) -> list[bytes]:
    found = cluster.get(f"{_core(cluster)}/secrets/{access.secret}")
    if found is None:
        raise ServiceError(
            f"There is no secret {access.secret} in namespace {cluster.namespace}: create it, or "
            "name another with objectStore.credentials.existingSecret."
        )
    try:
        values = [base64.b64decode((found.get("data") or {}).get(key, "")) for key in access.keys]
    except binascii.Error as error:
        raise ServiceError(f"The secret {access.secret} is not valid base64.") from error
    missing = [key for key, value in zip(access.keys, values, strict=True) if not value]
    if missing:
        raise ServiceError(f"The secret {access.secret} lacks {' and '.join(missing)}: add them.")
    return values


def _core(cluster: Cluster) -> str:
    return f"/api/v1/namespaces/{cluster.namespace}"


def _kfp(url: str) -> Iterator[Finding]:
    try:
        KfpHttp(Connection(host=address(url))).health()
    except UnreachableError as error:
        yield wrong(str(error), _POLICY)
    except AugstudyError as error:
        yield wrong(str(error), "check kfp.host and KFP's version")
    else:
        yield ok(f"Kubeflow Pipelines answers at {url}")


def _metadata(address: str) -> Iterator[Finding]:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_TIMEOUT_S).close()
    except OSError:
        yield wrong(f"KFP's metadata store does not answer at {address}", _POLICY)
    else:
        yield ok(f"KFP's metadata store answers at {address}")


if __name__ == "__main__":
    sys.exit(main())
