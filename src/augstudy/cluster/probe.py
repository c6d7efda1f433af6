"""What ``helm test`` runs, as a step would run: would a run reach its store, KFP and Kubernetes?

It stores, reads and deletes one small object with the launcher's configuration and the
credentials that the service account can read.
"""

import argparse
import socket
import sys
from collections.abc import Iterator, Sequence

from augstudy.cluster import launcher, rights
from augstudy.cluster.connection import Connection, address
from augstudy.cluster.faults import UnreachableError
from augstudy.cluster.findings import Finding, guarded, ok, warning, wrong
from augstudy.cluster.kfp_http import KfpHttp
from augstudy.cluster.kube import Cluster
from augstudy.cluster.stores import credentials, round_trip
from augstudy.core import outlets
from augstudy.core.errors import AugstudyError
from augstudy.objects import SignIn, open_store

_TIMEOUT_S = 10
_POLICY = "see the chart's networkPolicy, and that KFP runs"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line a check; 0 if a run would work, else 3."""
    parser = argparse.ArgumentParser(prog="augstudy.cluster.probe", description=__doc__)
    parser.add_argument("--kfp", required=True, metavar="URL", help="KFP's API server")
    parser.add_argument("--metadata", required=True, metavar="HOST:PORT", help="its metadata store")
    options = parser.parse_args(arguments)
    findings = []
    with outlets.guarded():
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
    found = cluster.get(f"/api/v1/namespaces/{cluster.namespace}/configmaps/{launcher.CONFIG_MAP}")
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
    keys = credentials(cluster, cluster.namespace, access)
    left = round_trip(open_store(access.root, SignIn(access.url, access.region, **keys)))
    yield ok(f"{access.root} takes an object and gives it back")
    if left:
        yield warning(f"{left} was written but may not be deleted", f"delete {left}")


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
