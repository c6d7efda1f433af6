"""Runs on the cluster's default root: where it is, KFP does not say, but the cluster does."""

import base64
import json
import os
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import build_dataset, build_evaluation
from kfp_server import KfpServer
from kube_server import KubeServer
from said import SMALL, Program
from servers import GcsServer, S3Bucket

from augstudy.core import artifacts
from augstudy.steps import summarize

DOCS = Path(__file__).parents[2] / "docs"
SKILL = {4: 0.0, 8: 0.5}
SPACE = {"name": "kfp-launcher", "namespace": "kubeflow"}
Folders = dict[int, dict[str, Path]]


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """What two levels of a study leave: dataset, evaluations and report, by level and step."""
    folder = tmp_path_factory.mktemp("studies")
    found: Folders = {}
    for level, skill in SKILL.items():
        here = folder / str(level)
        dataset = build_dataset(here / "dataset", train=level)
        arms = {"real": (None, skill), "add": (1.0, skill + 0.3)}
        cells = {
            arm: build_evaluation(here / arm, dataset, arm, share=share, skill=able).path
            for arm, (share, able) in arms.items()
        }
        study: dict[str, Any] = {"classifier": "modern", "source": "file:///drawings"}
        study |= {"level": level, "data_seed": 0}
        summarize.run(dataset.path, here / "report", list(cells.values()), study=study)
        outputs = {"ingest/1/dataset": dataset.path, "summarize/1/report": here / "report"}
        outputs |= {f"evaluate/{arm}/evaluation": path for arm, path in cells.items()}
        found[level] = outputs
    return found


@pytest.fixture
def kube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KubeServer]:
    """The cluster of KFP's own manifests, which the kubeconfig means."""
    with KubeServer(tmp_path) as server:
        values = {"accesskey": "minio", "secretkey": "minio123"}
        data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
        server.put(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kubeflow"}},
            launcher("minio://mlpipeline/v2/artifacts"),
            of_kfp("Secret", "mlpipeline-minio-artifact", data=data),
            of_kfp("Service", "seaweedfs"),
        )
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
        yield server


def of_kfp(kind: str, name: str, **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "kubeflow"}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def launcher(root: str, **providers: Any) -> dict[str, Any]:
    data = {"defaultPipelineRoot": root}
    if providers:
        data["providers"] = json.dumps(providers)
    return of_kfp("ConfigMap", "kfp-launcher", data=data)


@pytest.fixture
def bucket(s3: S3Bucket) -> Iterator[S3Bucket]:
    """KFP's own bucket."""
    own = s3.another("mlpipeline")
    yield own
    own.remove()


@pytest.fixture
def levels(kfp: KfpServer, bucket: S3Bucket, studies: Folders, program: Program) -> dict[int, str]:
    """Two finished runs that were told no root, and their artifacts; run ids by level."""
    options = ["--experiment", "levels", "--wait", "--poll", "0"]
    said = program("submit", SMALL, "--levels", "4 8", *options)
    assert said.code == 0, said.err
    ids = {run["runtime_config"]["parameters"]["level"]: key for key, run in kfp.runs.items()}
    assert not any(run["runtime_config"].get("pipeline_root") for run in kfp.runs.values())
    for level, run_id in ids.items():
        for step, folder in studies[level].items():
            for path in folder.rglob("*"):
                if path.is_file():
                    name = f"small/{run_id}/{step}/{path.relative_to(folder).as_posix()}"
                    bucket.put(f"v2/artifacts/{name}", path.read_bytes())
    return ids


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
    assert "add_100" in said.out and "modern arm level 4 level 8" in said.out
    assert levels[4][:8] in page.read_text()
    assert program("runs", "--cluster").code == 0


def test_without_any_setting_kubectl_and_the_secret_do(
    kube: KubeServer, levels: dict[int, str], program: Program, inside: Callable[[], list[str]]
) -> None:
    said = program("runs", "--cluster", "--context", "test")
    assert said.code == 0, said.err
    assert "add_100" in said.out
    assert inside() == ["--context test --namespace kubeflow port-forward svc/seaweedfs :9000"]
    assert "minio123" not in said.out + said.err


def test_without_kubeconfig_the_store_of_the_environment_is_kfps(
    levels: dict[int, str], program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    forwarded(monkeypatch)
    said = program("runs", "--cluster")
    assert said.code == 0, said.err
    assert "KFP's default, since the cluster cannot be asked: There is no kubeconfig" in said.out
    assert "add_100" in said.out


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
    assert "add_100" in said.out


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
    assert said.code == 0 and "add_100" in said.out, said.err


def test_a_default_root_in_cloud_storage(
    kfp: KfpServer,
    kube: KubeServer,
    gcs: GcsServer,
    studies: Folders,
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
    assert "gs://artifacts/kfp (kfp-launcher" in said.out and "add_100" in said.out


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


def test_compare_runs_of_a_cluster(
    kfp: KfpServer,
    kube: KubeServer,
    levels: dict[int, str],
    program: Program,
    tmp_path: Path,
) -> None:
    """By the beginning of an id or by name, which has a colon in its time."""
    page = tmp_path / "page.html"
    low, high = (levels[level][:8] for level in (4, 8))
    said = program("compare", "--cluster", f"{low}:real", f"{low}:add_100", "--html", str(page))
    assert said.code == 0, said.err
    assert f"{low}:add_100" in said.out and "no pair" not in said.out
    assert f"{low}:add_100" in page.read_text()
    name = kfp.runs[levels[8]]["display_name"]
    assert name.count(":") == 1
    both = program("compare", "--host", kfp.url, f"{name}:add", f"{low}:add", "--html", str(page))
    assert both.code == 0, both.err
    assert f"{high}:add_100" in both.out and "level" in both.out
    whole = program("compare", "--cluster", levels[4], "--html", str(page))
    assert whole.code == 0 and f"minus {low}:real" in whole.out


def test_the_list_shows_what_compare_takes(
    kube: KubeServer, levels: dict[int, str], program: Program, tmp_path: Path
) -> None:
    table = tmp_path / "runs.csv"
    said = program("runs", "--cluster", "--csv", str(table))
    assert f"{levels[4][:8]} small level 4 " in said.out
    assert f"{levels[4][:8]}," in table.read_text()
    rows = program("runs", "--cluster", "--where", 'arm == "add"')
    assert levels[4][:8] in rows.out and levels[8][:8] in rows.out


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


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["ffffffff-none:real"], "There is no run 'ffffffff-none' among the newest 2 on http"),
        (["{4}:real", "{4}:nothing"], "has no single arm 'nothing'; its arms: real, add_100"),
        (["{4}:real"], "Two to 8 arms can be compared, not 1"),
    ],
)
def test_compare_says_what_is_wrong(
    kube: KubeServer, levels: dict[int, str], program: Program, names: list[str], said: str
) -> None:
    wanted = [name.replace("{4}", levels[4]) for name in names]
    found = program("compare", "--cluster", *wanted)
    assert found.code == 2 and said in found.err


def test_two_runs_of_one_name_are_told_apart_by_id(
    kfp: KfpServer, kube: KubeServer, levels: dict[int, str], program: Program
) -> None:
    for run in kfp.runs.values():
        run["display_name"] = "twin"
    found = program("compare", "--cluster", "twin:real", "twin:add")
    assert found.code == 2 and "2 runs are called 'twin': name one of" in found.err
    assert all(run_id[:8] in found.err for run_id in levels.values())
