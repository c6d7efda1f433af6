"""What ``helm test`` runs in a pod: here with a Kubernetes API, a store and KFP on loopback."""

import base64
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kfp_server import KfpServer
from kube_server import TOKEN, KubeServer
from servers import GcsServer, S3Bucket

from augstudy.cluster import kube as kubernetes
from augstudy.cluster import probe

SPACE = "/api/v1/namespaces/team-a"
KEYS = {"accesskey": "the-access-key", "secretkey": "the-secret-key"}


@pytest.fixture
def kube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KubeServer]:
    """The cluster of a pod, its account mounted where pods have it."""
    account = tmp_path / "account"
    account.mkdir()
    with KubeServer(account) as server:
        (account / "token").write_text(TOKEN)
        (account / "namespace").write_text("team-a\n")
        monkeypatch.setattr(kubernetes, "ACCOUNT", account)
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port))
        yield server


Probe = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def run(kube: KubeServer, capsys: pytest.CaptureFixture[str]) -> Iterator[Probe]:
    """Runs the probe; returns its exit code and lines."""
    with KfpServer() as kfp:

        def start(kfp_url: str = kfp.url, metadata: str = "") -> tuple[int, list[str]]:
            where = metadata or kfp_url.removeprefix("http://")
            code = probe.main(["--kfp", kfp_url, "--metadata", where])
            said = capsys.readouterr()
            assert not any(key in said.out + said.err for key in KEYS.values())
            return code, said.out.splitlines()

        yield start


def _keep_in(kube: KubeServer, root: str, providers: str = "", secret: str = "") -> None:
    data = {"defaultPipelineRoot": root, "providers": providers}
    kube.objects[f"{SPACE}/configmaps/kfp-launcher"] = {"data": data}
    if secret:
        values = {key: base64.b64encode(value.encode()).decode() for key, value in KEYS.items()}
        kube.objects[f"{SPACE}/secrets/{secret}"] = {"data": values}


def _s3(endpoint: str) -> str:
    reference = "{secretName: store, accessKeyKey: accesskey, secretKeyKey: secretkey}"
    return (
        f"minio: {{default: {{endpoint: '{endpoint}', region: us-east-1, disableSSL: true, "
        f"credentials: {{fromEnv: false, secretRef: {reference}}}}}}}"
    )


def test_a_run_would_work(
    kube: KubeServer, run: Probe, s3: S3Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    _keep_in(kube, f"minio://{s3.name}/runs", _s3(endpoint), "store")
    code, lines = run()
    assert code == 0, lines
    assert {line.split()[0] for line in lines} == {"ok"}
    assert s3.names() == []  # what was tried with leaves nothing behind
    assert "AWS_ACCESS_KEY_ID" not in os.environ  # the keys were those of the secret
    asked = [review["resourceAttributes"] for review in kube.reviewed]
    assert {item["namespace"] for item in asked} == {"team-a"}
    assert ("patch", "workflowtaskresults") in {(item["verb"], item["resource"]) for item in asked}


def test_cloud_storage_by_the_environment(kube: KubeServer, run: Probe, gcs: GcsServer) -> None:
    gcs.put("bucket", "there", b"")
    _keep_in(kube, "gs://bucket/runs")
    code, lines = run()
    assert code == 0, lines
    assert "ok       gs://bucket/runs takes an object and gives it back" in lines
    assert gcs.names("bucket") == ["there"]


def test_no_rights(kube: KubeServer, run: Probe, gcs: GcsServer) -> None:
    gcs.put("bucket", "there", b"")
    _keep_in(kube, "gs://bucket/runs")
    kube.denied.add("create workflowtaskresults")
    code, lines = run()
    assert code == 3
    assert any("may not create workflowtaskresults" in line for line in lines)


def test_the_launchers_configuration_may_not_be_read(kube: KubeServer, run: Probe) -> None:
    kube.forbidden.add(f"{SPACE}/configmaps")
    code, lines = run()
    assert code == 3
    assert "needs the chart's Role" in lines[0]


def test_a_secret_that_is_not_there(kube: KubeServer, run: Probe) -> None:
    _keep_in(kube, "minio://bucket", _s3("127.0.0.1:9"))
    code, lines = run()
    assert code == 3
    assert any("There is no secret store in namespace team-a" in line for line in lines)


def test_a_secret_that_lacks_a_key(kube: KubeServer, run: Probe) -> None:
    _keep_in(kube, "minio://bucket", _s3("127.0.0.1:9"), "store")
    del kube.objects[f"{SPACE}/secrets/store"]["data"]["secretkey"]
    code, lines = run()
    assert code == 3
    assert any("The secret store in namespace team-a lacks secretkey" in line for line in lines)


def test_a_store_that_does_not_answer(
    kube: KubeServer, run: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    _keep_in(kube, "minio://bucket/runs", _s3("127.0.0.1:9"), "store")
    code, lines = run()
    assert code == 3
    assert any(line.startswith("wrong") and "minio://bucket/runs" in line for line in lines)


def test_neither_kfp_nor_metadata(kube: KubeServer, run: Probe, gcs: GcsServer) -> None:
    gcs.put("bucket", "there", b"")
    _keep_in(kube, "gs://bucket")
    code, lines = run("http://127.0.0.1:9", "127.0.0.1:9")
    assert code == 3
    wrong = [line for line in lines if line.startswith("wrong")]
    assert len(wrong) == 2
    assert sum("networkPolicy" in line for line in lines) == 2


def test_outside_of_a_pod(run: Probe, kube: KubeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST")
    code, lines = run()
    assert code == 3
    assert "This must run in a pod" in lines[0]
