"""Fixtures: a healthy cluster on loopback, and the doctor's command."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from healthy import ARGO, GOLDEN, IMAGE, SLICES, Doctor, Kfp, cpu_node, node, object_
from kube_server import KubeServer
from servers import S3Bucket

from augstudy.cli.app import invoke


@pytest.fixture
def kube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KubeServer]:
    """A cluster with KFP and with what the chart makes."""
    with KubeServer(tmp_path) as server:
        server.put(*(item for item in yaml.safe_load_all(GOLDEN.read_text())))
        secret = {key: base64.b64encode(b"minio").decode() for key in ("accesskey", "secretkey")}
        labels = {"pod-security.kubernetes.io/enforce": "baseline"}
        space = {"name": "kubeflow", "labels": labels}
        server.put(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": space},
            object_("Secret", "mlpipeline-minio-artifact", data=secret),
            object_("Service", "seaweedfs", spec={"ports": [{"port": 9000}]}),
            object_("ConfigMap", "workflow-controller-configmap", data=ARGO),
            *(
                object_("Deployment", name, "apps/v1", status={"availableReplicas": 1})
                for name in ("ml-pipeline", "metadata-grpc-deployment", "workflow-controller")
            ),
            node(),
            cpu_node(),
        )
        server.objects[SLICES] = {
            "endpoints": [{"addresses": ["172.18.0.2"]}],
            "ports": [{"port": 6443}],
        }
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
        yield server


@pytest.fixture
def kfp() -> Iterator[Kfp]:
    with Kfp() as server:
        yield server


@pytest.fixture
def bucket(s3: S3Bucket) -> Iterator[S3Bucket]:
    """KFP's own bucket, in a store whose port is forwarded: the environment says where to."""
    own = s3.another("mlpipeline")
    yield own
    own.remove()


@pytest.fixture
def doctor(
    kube: KubeServer,
    bucket: S3Bucket,
    kfp: Kfp,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Doctor:
    """Runs the command; returns its exit code and what it printed."""
    for name, value in {
        "AUGSTUDY_IMAGE": IMAGE,
        "AUGSTUDY_CLUSTER": str(tmp_path / "cluster.yaml"),
        "AUGSTUDY_LOG": str(tmp_path / "log"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AUGSTUDY_KFP_HOST", "AUGSTUDY_KFP_TOKEN", "AUGSTUDY_KFP_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)

    def run(*options: str, host: str | None = None, settings: str = "") -> tuple[int, str]:
        (tmp_path / "cluster.yaml").write_text(settings)
        code = invoke(["doctor", "--host", kfp.url if host is None else host, *options])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run
