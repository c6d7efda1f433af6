"""What the checks of ``scripts/cluster_acceptance.sh`` share."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import acceptance_pods as pods

from augstudy.cluster import connection, settings
from augstudy.cluster.kfp_api import Server
from augstudy.cluster.kube import Cluster
from augstudy.core.manifest import Manifest

ROOT = Path(__file__).resolve().parents[1]


class NotRunError(Exception):
    """A check cannot be made here."""


class FailedError(Exception):
    """A check found something wrong."""


def need(holds: object, otherwise: str) -> None:
    """Fail the check unless it holds."""
    if not holds:
        raise FailedError(otherwise)


class Tools:
    """A cluster and the program; settings come from the environment."""

    def __init__(self) -> None:
        self.context = os.environ.get("KUBECONTEXT", "")
        self.namespace = os.environ.get("NAMESPACE") or "kubeflow"
        self.limit_s = float(os.environ.get("LIMIT_S") or 7200)
        self.poll_s = float(os.environ.get("POLL_S") or 5)
        self.settings = settings.load()
        self.server = Server(connection.settings())

    @cached_property
    def cluster(self) -> Cluster:
        """The cluster of the context.

        Raises:
            NotRunError: none was named.
        """
        if not self.context:
            raise NotRunError("KUBECONTEXT is not set")
        return Cluster(self.context)

    def trained(self, runs: list[str]) -> list[Any]:
        """The training pods of `runs`; there must be some."""
        cluster = self.cluster
        every = [pod for run_id in runs for pod in self.pods_of(cluster, run_id)]
        found = [pod for pod in every if pods.training_try(pod) is not None]
        need(found, "there is no training pod")
        return found

    def pods_of(self, cluster: Cluster, run_id: str) -> list[Any]:
        """All pods of a run."""
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        return cluster.items(path, labelSelector=f"{pods.RUN_LABEL}={run_id}")

    def workflows(self, runs: list[str]) -> list[Any]:
        """The workflow of each of `runs`."""
        path = f"/apis/argoproj.io/v1alpha1/namespaces/{self.namespace}/workflows"
        selectors = [f"{pods.RUN_LABEL}={run_id}" for run_id in runs]
        found = [it for each in selectors for it in self.cluster.items(path, labelSelector=each)]
        need(len(found) == len(selectors), f"{len(found)} workflows are there")
        return found

    def looks(self, limit_s: float) -> Iterator[None]:
        """Look again and again, for `limit_s` seconds."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            yield
            time.sleep(self.poll_s)

    def kubectl(self, *arguments: str) -> None:
        """Have kubectl change something in the namespace."""
        self.call("kubectl", "--context", self.context, "-n", self.namespace, *arguments)

    def augstudy(self, *arguments: str, fails: bool = False, **variables: str) -> str:
        """What a command of the program says."""
        command = (sys.executable, "-m", "augstudy.cli", *arguments)
        return self.call(*command, fails=fails, **variables)

    def call(self, *command: str, fails: bool = False, **variables: str) -> str:
        """What a command says; it must succeed, or, if it `fails`, end with exit code 1."""
        done = subprocess.run(  # noqa: S603
            command,
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "500", **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        said = done.stdout.strip()
        lines = said.splitlines()
        wrong = [line.split(None, 1)[1] for line in lines if line.startswith("wrong ")]  # of doctor
        why = "; ".join(wrong or lines[-1:])
        need(done.returncode == fails, f"exit code {done.returncode}: {why}")
        return said


def hashes(manifests: Iterator[bytes], kinds: tuple[str, ...]) -> dict[str, list[str]]:
    """Content hashes of artifacts by kind; what a failed try left has no manifest."""
    found: dict[str, set[str]] = {kind: set() for kind in kinds}
    for text in manifests:
        manifest = Manifest.model_validate_json(text)
        if manifest.kind in found:
            found[manifest.kind].add(manifest.content_hash)
    return {kind: sorted(held) for kind, held in found.items()}
