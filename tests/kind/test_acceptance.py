"""``scripts/cluster_acceptance.sh`` against KFP and Kubernetes on loopback: no cluster, no pods."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from kfp_server import BAD, GOOD, KfpServer
from kube_server import KubeServer

from augstudy.cluster.settings import ClusterSettings

ROOT = Path(__file__).resolve().parents[2]
PODS = "/api/v1/namespaces/kubeflow/pods"
WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/kubeflow/workflows"
NODE = "study-x7k2p.root.study-cell.train-cnn(0).executor"
SETTINGS = ClusterSettings()
Report = tuple[int, dict[str, tuple[str, str]]]
Run = Callable[..., Report]


class Cluster(KubeServer):
    """Has a training pod and a workflow of every run; a second pod once the first is deleted.

    Attributes:
        changes: Of the pod's own container.
        deleted: A file that is there once a pod was deleted.
        unseen: Argo had not seen the deleted pod run, and makes another of its name.
        forgotten: Nothing takes the place of the deleted pod.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.deleted = folder / "deleted"
        self.changes: dict[str, Any] = {}
        self.ttl_s, self.looks = SETTINGS.ttl_s, 0
        self.unseen = self.forgotten = False

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        selector = parse_qs(urlsplit(request.path).query).get("labelSelector", [""])[0]
        run_id = selector.removeprefix("pipeline/runid=")
        # One that is done when it is taken away is not missed.
        gone = self.deleted.exists() and self.running and not self.forgotten
        tries = 2 if gone and not self.unseen else 1
        self.uid = "b" if gone and self.unseen else "a"
        self.looks += not self.deleted.exists()
        self.objects[PODS] = [self._pod(run_id, number) for number in range(tries)]
        self.objects[WORKFLOWS] = [self._workflow()]
        super().answer(request)

    def _pod(self, run_id: str, number: int) -> dict[str, Any]:
        own = {
            "name": "main",
            "resources": {"limits": {"nvidia.com/gpu": "1"}},
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": SETTINGS.run_as_user,
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        }
        annotations = {"workflows.argoproj.io/node-name": f"{NODE}({number})"}
        return {
            "metadata": {
                "name": f"study-x7k2p-{number}",
                "uid": f"{self.uid}{number}",
                "labels": {"pipeline/runid": run_id},
                "annotations": annotations,
            },
            "spec": {"containers": [{"name": "wait"}, {**own, **self.changes}]},
            "status": {
                "phase": "Running",
                "containerStatuses": [
                    {"name": "wait", "state": {"running": {"startedAt": self._since(600)}}},
                    {"name": "main", "state": self._state()},
                ],
            },
        }

    @property
    def running(self) -> bool:
        """Whether a step that is deleted now is cut short; at first it is done, or may be."""
        return self.looks > 2

    def _state(self) -> dict[str, Any]:
        if self.looks == 1:
            return {"terminated": {"exitCode": 0}}
        return {"running": {"startedAt": self._since(2 if self.running else 300)}}

    def _since(self, seconds: float) -> str:
        began = datetime.now(timezone.utc) - timedelta(seconds=seconds)
        return began.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _workflow(self) -> dict[str, Any]:
        handed = {"parameters": [{"name": "retry-max-count", "value": str(SETTINGS.retry.times)}]}
        limit = "{{inputs.parameters.retry-max-count}}"
        names = ("secondsAfterCompletion", "secondsAfterSuccess", "secondsAfterFailure")
        templates = [
            {"name": "retry-system-container-impl", "retryStrategy": {"limit": limit}},
            {"name": "root", "dag": {"tasks": [{"name": "train-cnn", "arguments": handed}]}},
        ]
        return {"spec": {"ttlStrategy": dict.fromkeys(names, self.ttl_s), "templates": templates}}


@pytest.fixture
def kfp() -> Iterator[KfpServer]:
    with KfpServer() as server:
        yield server


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(tmp_path) as server:
        yield server


@pytest.fixture
def run(kfp: KfpServer, tmp_path: Path) -> Run:
    """Runs the script; its exit code, and what it says of each check."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/deleted\n')
    kubectl.chmod(0o755)

    def start(**settings: str) -> Report:
        kept = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
        done = subprocess.run(
            [ROOT / "scripts" / "cluster_acceptance.sh"],
            env={
                **kept,
                "PATH": f"{tmp_path}:{os.environ['PATH']}",
                "HOME": str(tmp_path),
                "PYTHON": sys.executable,
                "AUGSTUDY_KFP_HOST": kfp.url,
                "AUGSTUDY_LOG": str(tmp_path / "augstudy.log"),
                "KUBECONFIG": str(tmp_path / "kubeconfig"),
                "POLL_S": "0.05",
                "LIMIT_S": "60",
                **settings,
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert not done.stderr, done.stderr
        lines = {}
        for line in done.stdout.splitlines():
            name, _, more = line[9:].partition(": ")
            lines[name] = (line[:9].strip(), more)
        return done.returncode, lines

    return start


def test_without_a_context_no_pod_is_looked_at(kfp: KfpServer, run: Run) -> None:
    kfp.states, kfp.fires = [GOOD, GOOD, GOOD, BAD], True
    code, said = run(SKIP="hashes")
    states = {name: state for name, (state, _) in said.items()}
    assert (code, said["failure"]) == (0, ("ok", "the drawings are damaged: fetch them again."))
    own = {"submit", "wait", "schedule", "failure", "clean"}
    assert {name for name, state in states.items() if state == "ok"} == own
    assert {state for name, state in states.items() if name not in own} == {"not run"}
    assert said["gpu"][1] == "KUBECONTEXT is not set"
    assert said["hashes"][1] == "left out by SKIP"
    assert not kfp.runs and not kfp.schedules and not kfp.experiments


def test_pods_and_workflows_are_read(cluster: Cluster, run: Run, tmp_path: Path) -> None:
    cluster.kubeconfig(tmp_path / "kubeconfig")
    rest = "install doctor hashes schedule failure"
    code, said = run(SKIP=rest, KUBECONTEXT="test")
    assert code == 0, said
    assert {state for name, (state, _) in said.items() if name not in rest.split()} == {"ok"}
    assert "delete pod study-x7k2p-0" in cluster.deleted.read_text()
    assert said["resumed"] == ("ok", "study-x7k2p-1")
    assert said["security"][1] == "4 pods"


def test_a_pod_that_goes_before_argo_sees_it_run_comes_again_under_its_name(
    cluster: Cluster, run: Run, tmp_path: Path
) -> None:
    cluster.kubeconfig(tmp_path / "kubeconfig")
    cluster.unseen = True
    code, said = run(SKIP="install doctor hashes schedule failure", KUBECONTEXT="test")
    assert (code, said["resumed"]) == (0, ("ok", "study-x7k2p-0"))


def test_a_pod_that_nothing_replaces_is_told(cluster: Cluster, run: Run, tmp_path: Path) -> None:
    cluster.kubeconfig(tmp_path / "kubeconfig")
    cluster.forgotten = True
    code, said = run(SKIP="install doctor hashes schedule failure", KUBECONTEXT="test")
    assert (code, said["resumed"]) == (1, ("not ok", "no pod took the place of study-x7k2p-0"))


def test_promises_that_pods_do_not_keep(cluster: Cluster, run: Run, tmp_path: Path) -> None:
    cluster.kubeconfig(tmp_path / "kubeconfig")
    cluster.changes, cluster.ttl_s = {"resources": {}, "securityContext": {}}, 3600
    code, said = run(SKIP="install doctor hashes schedule failure delete", KUBECONTEXT="test")
    assert code == 1
    assert said["gpu"] == ("not ok", "pods have 0 nvidia.com/gpu")
    assert said["security"][0] == "not ok" and "runAsNonRoot is None" in said["security"][1]
    assert said["ttl"] == ("not ok", "the workflows say {3600}")
    assert said["resumed"] == ("not run", "no pod was deleted")
    assert said["clean"][0] == "ok"


def test_doctor_asks_for_the_image_of_trainings_on_gpus(
    cluster: Cluster, run: Run, tmp_path: Path
) -> None:
    cluster.kubeconfig(tmp_path / "kubeconfig")
    name = "augstudy-python:0123456789ab"
    cluster.objects["/api/v1/nodes"] = [
        {"metadata": {"name": "node"}, "status": {"images": [{"names": [name]}]}}
    ]
    rest = "install submit delete wait resumed gpu security labels retry ttl hashes schedule"
    code, said = run(SKIP=f"{rest} failure", KUBECONTEXT="test", AUGSTUDY_IMAGE=name)
    assert (code, said["doctor"][0]) == (1, "not ok")
    assert f"no node lists image {name}-gpu" in said["doctor"][1]
    assert f"no node lists image {name}," not in said["doctor"][1]


def test_a_run_that_fails_and_a_reason_that_nobody_tells(kfp: KfpServer, run: Run) -> None:
    kfp.states = [GOOD, BAD, GOOD]
    code, said = run(SKIP="hashes schedule")
    assert code == 1
    assert said["wait"][0] == "not ok" and said["wait"][1].endswith("is failed")
    assert said["failure"][0] == "not ok"  # the run that should have failed succeeded


def test_nothing_answers(run: Run) -> None:
    code, said = run(AUGSTUDY_KFP_HOST="http://127.0.0.1:9")
    assert code == 1
    state, more = said["connection"]
    assert state == "not ok" and more.startswith("Nothing answers at http://127.0.0.1:9")
