"""Runs on the cluster's default root: where it is, KFP does not say, but the cluster does."""

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from kfp_objects import launcher, of_kfp
from kfp_server import KfpServer
from kube_server import KubeServer
from said import SMALL, Program
from servers import GcsServer, S3Bucket

from augstudy.core import artifacts

DOCS = Path(__file__).parents[2] / "docs"


def forwarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What docs/install.md says to export where KFP's store is forwarded to this machine."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "minio")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "minio123")
    assert os.environ["AWS_ENDPOINT_URL"].startswith("http://")


def test_the_documented_way_on_kind(
    kfp: KfpServer,
    kube: KubeServer,
    levels: dict[int, str],
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    forwarded(monkeypatch)
    page = tmp_path / "overview.html"
    said = program("runs", "--host", kfp.url, "--html", str(page))
    assert said.code == 0, said.err
    root = "Artifacts: minio://mlpipeline/v2/artifacts (kfp-launcher, namespace kubeflow)."
    assert said.out.count(root) == 1
    assert "add:1" in said.out and "modern arm level 4 level 8" in said.out
    assert levels[4][:8] in page.read_text()
    assert program("runs", "--cluster").code == 0


def test_without_any_setting_kubectl_and_the_secret_do(
    kube: KubeServer, levels: dict[int, str], program: Program, inside: Callable[[], list[str]]
) -> None:
    said = program("runs", "--cluster", "--context", "test")
    assert said.code == 0, said.err
    assert "add:1" in said.out
    assert inside() == ["--context test --namespace kubeflow port-forward svc/seaweedfs :9000"]
    assert "minio123" not in said.out + said.err


def test_without_kubeconfig_the_store_of_the_environment_is_kfps(
    levels: dict[int, str], program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    forwarded(monkeypatch)
    said = program("runs", "--cluster")
    assert said.code == 0, said.err
    assert "KFP's default, since the cluster cannot be asked: There is no kubeconfig" in said.out
    assert "add:1" in said.out


def test_without_kubeconfig_and_store_it_says_what_to_give(
    levels: dict[int, str], program: Program, inside: Callable[[], list[str]]
) -> None:
    said = program("runs", "--cluster")
    assert said.code == 2
    assert "give --pipeline-root" in said.err and "There is no kubeconfig" in said.err


def test_kfps_default_where_there_is_no_launcher_configuration(
    kube: KubeServer, levels: dict[int, str], program: Program
) -> None:
    kube.remove("/api/v1/namespaces/kubeflow/configmaps/kfp-launcher")
    said = program("runs", "--cluster")
    assert said.code == 0 and "(KFP's default, namespace kubeflow)" in said.out
    assert "add:1" in said.out


def test_another_endpoint_and_other_keys(
    kube: KubeServer,
    levels: dict[int, str],
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`providers` name a store that this machine reaches by itself."""
    endpoint = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    reference = {"secretName": "mine", "accessKeyKey": "a", "secretKeyKey": "b"}
    store = {"endpoint": endpoint, "disableSSL": True, "credentials": {"secretRef": reference}}
    kube.put(launcher("minio://mlpipeline/v2/artifacts", minio={"default": store}))
    said = program("runs", "--cluster")
    assert said.code == 2 and "There is no secret mine in namespace kubeflow" in said.err
    kube.put(of_kfp("Secret", "mine", data={"a": "bWU=", "b": "bXlzZWxm"}))
    said = program("runs", "--cluster")
    assert said.code == 0 and "add:1" in said.out, said.err


def test_a_default_root_in_cloud_storage(
    kfp: KfpServer,
    kube: KubeServer,
    gcs: GcsServer,
    studies: dict[int, dict[str, Path]],
    program: Program,
) -> None:
    gcs.put("artifacts", "kfp/other", b"")
    kube.put(launcher("gs://artifacts/kfp"))
    assert program("submit", SMALL, "--levels", "4", "--wait", "--poll", "0").code == 0
    (run_id,) = kfp.runs
    report = studies[4]["summarize/1/report"]
    for name in ("summary.json", artifacts.MANIFEST):
        key = f"kfp/small/{run_id}/summarize/1/report/{name}"
        gcs.put("artifacts", key, (report / name).read_bytes())
    said = program("runs", "--cluster")
    assert said.code == 0, said.err
    assert "gs://artifacts/kfp (kfp-launcher" in said.out and "add:1" in said.out


def test_runs_of_a_user_ask_their_own_namespace(
    kfp: KfpServer, kube: KubeServer, levels: dict[int, str], program: Program
) -> None:
    said = program("runs", "--cluster", "--namespace", "team-a")
    assert "(KFP's default, namespace team-a)" in said.out


def test_what_we_may_not_read(
    kube: KubeServer, levels: dict[int, str], program: Program, inside: Callable[[], list[str]]
) -> None:
    """Not the secret: then keys of our own are needed, and the sentence names them."""
    kube.forbidden.add("/api/v1/namespaces/kubeflow/secrets")
    said = program("runs", "--cluster")
    assert said.code == 2
    assert "We may not get" in said.err and "AWS_SECRET_ACCESS_KEY" in said.err


def test_reindex_finds_the_root_too(
    kube: KubeServer, levels: dict[int, str], bucket: S3Bucket, program: Program
) -> None:
    said = program("runs", "reindex", "--cluster")
    assert said.code == 0, said.err
    assert "2 run(s)." in said.out
    assert "v2/artifacts/tracker/index.jsonl" in bucket.names()


@pytest.mark.parametrize("page", ["cluster", "tracker"])
def test_the_documented_commands(
    kube: KubeServer,
    levels: dict[int, str],
    program: Program,
    inside: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    page: str,
) -> None:
    """As they stand in docs, with nothing set but KFP's address and a kubeconfig."""
    monkeypatch.chdir(tmp_path)
    real = {
        "3f1c2ab4": levels[4][:8],
        "9d07e65b": levels[8][:8],
        "PIPELINE/RUN/TASK/ID": f"small/{levels[4]}/summarize/1",
    }
    lines = (DOCS / f"{page}.md").read_text().splitlines()
    found = [line for line in lines if re.match(r"augstudy .*--cluster", line)]
    assert len(found) >= 3
    for line in found:
        for name, value in real.items():
            line = line.replace(name, value)
        said = program(*shlex.split(line, comments=True)[1:])
        assert said.code == 0, (line, said.err)
    assert inside() and (tmp_path / "levels.html").exists()


def test_fetch_through_the_cluster(
    kube: KubeServer,
    levels: dict[int, str],
    program: Program,
    inside: Callable[[], list[str]],
    tmp_path: Path,
) -> None:
    uri = f"minio://mlpipeline/v2/artifacts/small/{levels[4]}/summarize/1/report"
    said = program("fetch", uri, "--out", str(tmp_path / "out"))
    assert said.code == 2 and "set AWS_ENDPOINT_URL" in said.err
    said = program("fetch", uri, "--cluster", "--out", str(tmp_path / "out"))
    assert said.code == 0, said.err
    assert artifacts.read(tmp_path / "out" / "report").json("summary.json")["arms"]
    assert len(inside()) == 1
