"""Fixtures: KFP and its cluster on loopback, finished runs, and the command line."""

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import build_dataset, build_evaluation
from kfp_objects import launcher, of_kfp
from kfp_server import KfpServer
from kube_server import KubeServer
from said import SMALL, Program, Said
from servers import S3Bucket

from augstudy.cli.app import invoke
from augstudy.steps import summarize

SKILL = {4: 0.0, 8: 0.5}
Folders = dict[int, dict[str, Path]]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("AUGSTUDY_KFP", "AUGSTUDY_PIPELINE", "AUGSTUDY_GPUS", "KF_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AUGSTUDY_DEBUG", "")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "no-kubeconfig"))
    # So that what a command sets is forgotten after the test.
    monkeypatch.setenv("AUGSTUDY_GPUS", "0")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("AUGSTUDY_LOG", str(tmp_path / "augstudy.log"))
    monkeypatch.setenv("COLUMNS", "240")
    monkeypatch.setenv("KUBECONFIG", os.devnull)  # not that of whoever runs the tests


@pytest.fixture
def kfp(monkeypatch: pytest.MonkeyPatch) -> Iterator[KfpServer]:
    """An empty KFP server that the command line finds by itself."""
    with KfpServer() as server:
        monkeypatch.setenv("AUGSTUDY_KFP_HOST", server.url)
        yield server


@pytest.fixture
def program(capsys: pytest.CaptureFixture[str]) -> Program:
    """Runs the command line in this process."""

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        code = invoke(list(arguments))
        said = capsys.readouterr()
        return Said(code, " ".join(said.out.split()), " ".join(said.err.split()))

    return run


@pytest.fixture(scope="session")
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
