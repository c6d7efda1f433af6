"""What compiled pipelines say about the cluster, read from their YAML."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from augstudy.cluster import ir
from augstudy.cluster.compile import compile_pipeline
from augstudy.cluster.settings import ClusterSettings, load
from augstudy.core.errors import InputError
from augstudy.local import catalog
from augstudy.local.parameters import Wanted
from augstudy.settings.base import parse

TRAINING = {
    *("train_judge", "train_gan", "curate", "train_cnn"),
    *("train_points", "train_gan_points"),
}
DIGEST = "registry.example/augstudy-python@sha256:" + "0" * 64
EVERYTHING: dict[str, Any] = {
    "image": DIGEST,
    "gpu_image": "registry.example/augstudy-python:abc-gpu",
    "image_pull_policy": "Always",
    "image_pull_secrets": ["registry"],
    "gpus": 2,
    "gpu_type": "amd.com/gpu",
    "training": {
        "cpu": "3",
        "cpu_limit": "4",
        "memory": "5Gi",
        "memory_limit": "6Gi",
        "timeout_s": 777,
    },
    "shm_size": "3Gi",
    "node_selector": {"pool": "batch"},
    "tolerations": [{"key": "batch", "operator": "Exists", "effect": "NoSchedule"}],
    "gpu_node_selector": {"accelerator": "mi300"},
    "gpu_tolerations": [{"key": "amd.com/gpu", "value": "present", "effect": "NoExecute"}],
    "node_affinity": [
        {"rules": [{"key": "zone", "values": ["a", "b"]}]},
        {"rules": [{"key": "spot", "operator": "DoesNotExist"}], "weight": 50},
    ],
    "queue": "research",
    "labels": {"team": "vision"},
    "annotations": {"example.org/owner": "me"},
    "retry": {"times": 5, "wait_s": 7, "factor": 3.0, "longest_wait_s": 77},
    "run_as_user": 4711,
    "environment": {"AWS_ENDPOINT_URL": "http://store:9000"},
    "secret_environment": {"drawings": {"key": "AWS_SECRET_ACCESS_KEY"}},
    "checkpoints": "gs://study/checkpoints",
    "ttl_s": 111,
    "deadline_s": 222,
    "parallel_cells": 3,
}


class Compiled:
    """A compiled pipeline with its steps at hand: name, container, Kubernetes settings, tasks."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text()
        self.spec, self.platform = ir.load(path)
        self.kubernetes = self.platform["platforms"]["kubernetes"]

    def steps(self) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
        settings = self.kubernetes["deploymentSpec"]["executors"]
        for label, executor in self.spec["deploymentSpec"]["executors"].items():
            container = executor["container"]
            yield container["args"][-1], container, settings[label]

    def tasks(self) -> Iterator[dict[str, Any]]:
        for graph in (self.spec["root"], *self.spec["components"].values()):
            for task in graph.get("dag", {}).get("tasks", {}).values():
                if "dag" not in self.spec["components"][task["componentRef"]["name"]]:
                    yield task


@pytest.fixture(params=catalog.names())
def by_default(request: pytest.FixtureRequest, tmp_path: Path) -> Compiled:
    target = tmp_path / "pipeline.yaml"
    compile_pipeline(catalog.load(request.param), target)
    return Compiled(target)


def test_every_step_is_unprivileged_limited_and_retried(by_default: Compiled) -> None:
    for name, container, settings in by_default.steps():
        user = {"runAsUser": "10001", "runAsGroup": "10001", "runAsNonRoot": True}
        assert settings["securityContext"] == user, name
        assert int(settings["activeDeadlineSeconds"]) >= 3600
        asked = container["resources"]
        for key in ("CpuRequest", "CpuLimit", "MemoryRequest", "MemoryLimit"):
            assert asked[f"resource{key}"], name
        variables = {item["name"]: item["value"] for item in container["env"]}
        threads = variables["AUGSTUDY_THREADS"]
        assert threads == asked["resourceCpuLimit"]
        # Cells have as many as other trainings, as AUGSTUDY_THREADS alone gives them on a laptop.
        assert "AUGSTUDY_CELL_THREADS" not in variables
        waits = {"times": 2, "wait_s": 30, "factor": 2.0, "longest_wait_s": 300}
        assert json.loads(variables["AUGSTUDY_RETRY"]) == waits
    for task in by_default.tasks():
        assert task["retryPolicy"]["maxRetryCount"] == 2
        assert task["retryPolicy"]["backoffDuration"] == "30s"
        assert task["retryPolicy"]["backoffFactor"] > 1


def test_gpu_settings_are_on_exactly_the_training_steps(by_default: Compiled) -> None:
    for name, container, settings in by_default.steps():
        trains = name in TRAINING
        assert ("accelerator" in container["resources"]) == trains, name
        assert ("emptyDirMounts" in settings) == trains
        assert ("tolerations" in settings) == trains
        if trains:
            asked = container["resources"]["accelerator"]
            assert "gpus" in asked["resourceCount"]
            assert "gpu_type" in asked["resourceType"]
            assert settings["emptyDirMounts"][0]["mountPath"] == "/dev/shm"


def test_without_gpus_every_step_runs_in_the_cpu_image_on_any_node(by_default: Compiled) -> None:
    parameters = by_default.spec["root"]["inputDefinitions"]["parameters"]
    assert parameters["gpus"]["defaultValue"] == "0"
    assert len({container["image"] for _, container, _ in by_default.steps()}) == 1
    assert not any("nodeSelector" in settings for _, _, settings in by_default.steps())


def test_images_are_pinned(by_default: Compiled) -> None:
    for _, container, _ in by_default.steps():
        tag = container["image"].rpartition("/")[2].partition(":")[2]
        assert tag and tag != "latest"


def test_pods_of_the_default_study(tmp_path: Path) -> None:
    target = tmp_path / "pipeline.yaml"
    compile_pipeline(catalog.load("augmentation_study"), target)
    spec, _ = ir.load(target)
    # The run, 7 steps outside the loop, the loop; each arm: round, nested pipeline, 2 steps.
    assert ir.count_pods(spec, {}) == 1 + 7 * 2 + 1 + 5 * (1 + 1 + 2 * 2) == 46


def test_pods_of_a_study_with_three_sets(tmp_path: Path) -> None:
    """The default arms, of which those that use synthetic images run once for each set."""
    target = tmp_path / "pipeline.yaml"
    compile_pipeline(catalog.load("augmentation_study"), target)
    spec, _ = ir.load(target)
    wanted = Wanted("augmentation_study", synthetic="sd=/data/sd15 gan=compact diffusion")
    values = wanted.values()
    assert [arm["set"] for arm in values["arms"] if arm["arm"] == "pretrain"] == [
        "sd", "gan", "diffusion",
    ]  # fmt: skip
    assert ir.count_pods(spec, values) <= 70


def test_every_setting_reaches_the_compiled_pipeline(tmp_path: Path) -> None:
    compiled = _compiled_with(EVERYTHING, tmp_path)
    for name, container, settings in compiled.steps():
        trains = name in TRAINING
        assert container["image"] == (EVERYTHING["gpu_image"] if trains else DIGEST)
        assert settings["imagePullPolicy"] == "Always"
        assert settings["imagePullSecret"][0]["secretName"] == "registry"
        assert settings["securityContext"]["runAsUser"] == "4711"
        assert {"name": "AWS_ENDPOINT_URL", "value": "http://store:9000"} in container["env"]
        keeps = {"name": "AUGSTUDY_CHECKPOINTS", "value": "gs://study/checkpoints"}
        assert keeps in container["env"]
        secret = settings["secretAsEnv"][0]
        assert secret["keyToEnv"] == [{"envVar": "AWS_SECRET_ACCESS_KEY", "secretKey": "key"}]
        nodes = {"pool": "batch", **({"accelerator": "mi300"} if trains else {})}
        assert settings["nodeSelector"]["labels"] == nodes
        taints = [item["key"] for item in settings["tolerations"]]
        assert taints == (["batch", "amd.com/gpu"] if trains else ["batch"])
        if trains:
            asked = container["resources"]
            assert asked["resourceCpuRequest"] == "3"
            assert asked["resourceCpuLimit"] == "4"
            assert asked["resourceMemoryRequest"] == "5Gi"
            assert asked["resourceMemoryLimit"] == "6Gi"
            assert settings["activeDeadlineSeconds"] == "777"
            assert settings["emptyDirMounts"][0]["sizeLimit"] == "3Gi"
    for task in compiled.tasks():
        assert task["retryPolicy"] == {
            "maxRetryCount": 5,
            "backoffDuration": "7s",
            "backoffFactor": 3.0,
            "backoffMaxDuration": "77s",
        }
    loop = compiled.spec["root"]["dag"]["tasks"]["for-loop-1"]
    assert loop["iteratorPolicy"]["parallelismLimit"] == 3
    assert compiled.spec["root"]["inputDefinitions"]["parameters"]["gpus"]["defaultValue"] == "2"
    config = compiled.kubernetes["pipelineConfig"]
    kept = ("resourceTtlOnCompletion", "resourceTtlOnSuccess", "resourceTtlOnFailure")
    assert [config[name] for name in kept] == [111, 111, 111]
    assert config["activeDeadlineSeconds"] == 222
    head = compiled.text.split("PIPELINE DEFINITION")[0]
    assert "train-cnn: 3 to 4 CPU, 5Gi to 6Gi of memory, 2 amd.com/gpu" in head


def test_every_step_says_who_it_belongs_to_and_where_it_may_run(tmp_path: Path) -> None:
    for name, _, settings in _compiled_with(EVERYTHING, tmp_path).steps():
        assert settings["podMetadata"] == {
            "labels": {"team": "vision", "kueue.x-k8s.io/queue-name": "research"},
            "annotations": {"example.org/owner": "me"},
        }, name
        # backend/src/v2/driver/k8s.go of KFP 2.17: a term with a weight is a preferred one.
        must, wish = settings["nodeAffinity"]
        assert must == {
            "matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}]
        }
        assert wish["weight"] == 50
        assert wish["matchExpressions"] == [{"key": "spot", "operator": "DoesNotExist"}]
        assert settings["imagePullSecret"]


def test_an_sdk_that_knows_policies_is_told_which_pods_to_retry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the SDK of KFP 2.18 does; without it the workflow defaults of the cluster decide."""
    from augstudy.dags.components.ingest import ingest
    from augstudy.dags.pipelines import resources
    from kfp import dsl
    from kfp.dsl.pipeline_task import PipelineTask

    usual, said = PipelineTask.set_retry, []

    def set_retry(
        self: Any,
        num_retries: int,
        backoff_duration: str | None = None,
        backoff_factor: float | None = None,
        backoff_max_duration: str | None = None,
        policy: str | None = None,
    ) -> Any:
        said.append(policy)
        waits = backoff_duration, backoff_factor, backoff_max_duration
        return usual(self, num_retries, *waits)

    monkeypatch.setattr(PipelineTask, "set_retry", set_retry)

    @dsl.pipeline(name="one")
    def one():
        sizes = {"train_per_class": 1, "val_per_class": 1, "test_per_class": 1, "level": 0}
        more = {"data_seed": 0, "test_source": "", "image_settings": {}}
        task = ingest(source="sample", classes=["cow"], **sizes, **more)
        resources.apply(task, resources.LIGHT)

    assert said == ["OnError"]


def test_no_secret_enters_a_compiled_pipeline(tmp_path: Path) -> None:
    secret = "hunter2-do-not-tell"
    names = ("AWS_SECRET_ACCESS_KEY", "AUGSTUDY_KFP_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS")
    compiled = _compiled_with(EVERYTHING, tmp_path, dict.fromkeys(names, secret))
    assert secret not in compiled.text


def _compiled_with(
    values: dict[str, Any], tmp_path: Path, extra: dict[str, str] | None = None
) -> Compiled:
    """Compile in a process of its own: settings are read when a pipeline is imported."""
    settings, target = tmp_path / "cluster.yaml", tmp_path / "pipeline.yaml"
    settings.write_text(yaml.safe_dump(values))
    command = [sys.executable, "-m", "augstudy.cli", "compile", "augmentation_study", "-o", target]
    environment = {**os.environ, "AUGSTUDY_CLUSTER": str(settings), **(extra or {})}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Compiled(target)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"image": "augstudy-python:latest"}, "not latest"),
        ({"image": "augstudy-python"}, "not latest"),
        ({"image": DIGEST, "gpus": 1}, "needs gpu_image"),
        ({"run_as_user": 0}, "greater than or equal to 1"),
        ({"environment": {"MY_PASSWORD": "x"}}, "secret_environment"),
        ({"gpu": 1}, "no setting 'gpu'"),
        ({"labels": {"pipeline/runid": "x"}}, "belongs to KFP or Argo"),
        ({"node_affinity": [{"rules": []}]}, "node_affinity"),
        ({"light": {**EVERYTHING["training"], "cpu_limit": "500m"}}, "whole number of cores"),
    ],
)
def test_wrong_settings_are_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        parse(ClusterSettings, values, "cluster.yaml")


def test_settings_come_from_the_file_and_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("AUGSTUDY_CLUSTER", "AUGSTUDY_IMAGE", "AUGSTUDY_GPUS"):
        monkeypatch.delenv(name, raising=False)
    assert load() == ClusterSettings()
    usual = tmp_path / "augstudy" / "cluster.yaml"
    usual.parent.mkdir()
    usual.write_text("{image: 'a-python:1', ttl_s: 5}")
    assert (load().image, load().ttl_s) == ("a-python:1", 5)
    monkeypatch.setenv("AUGSTUDY_IMAGE", "b-python:2")
    monkeypatch.setenv("AUGSTUDY_GPUS", "4")
    assert (load().image, load().gpus) == ("b-python:2", 4)
    monkeypatch.setenv("AUGSTUDY_CLUSTER", str(tmp_path / "absent.yaml"))
    with pytest.raises(InputError, match="cannot be read"):
        load()
