"""Records of a cluster's runs: names and costs from KFP, results from the bucket."""

import copy
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from found import promoted
from kfp_server import KfpServer
from said import SMALL, Program
from servers import GcsServer

from augstudy.cluster import costs
from augstudy.core.artifacts import MANIFEST
from augstudy.objects import open_store
from augstudy.runs.bucket import Bucket

ROOT = "gs://artifacts/kfp"
START = datetime(2026, 11, 2, 10, tzinfo=timezone.utc)
SPEC = {
    "root": {
        "dag": {
            "tasks": {
                "light": {"componentRef": {"name": "comp-light"}, "taskInfo": {"name": "light"}},
                "train": {"componentRef": {"name": "comp-train"}, "taskInfo": {"name": "train"}},
            }
        },
        "inputDefinitions": {"parameters": {"gpus": {"defaultValue": 1.0}}},
    },
    "components": {
        "comp-light": {"executorLabel": "exec-light"},
        "comp-train": {"executorLabel": "exec-train"},
    },
    "deploymentSpec": {
        "executors": {
            "exec-light": {"container": {}},
            "exec-train": {
                "container": {
                    "resources": {
                        "cpuLimit": 4.0,
                        "accelerator": {
                            "resourceCount": "{{$.inputs.parameters['pipelinechannel--gpus']}}"
                        },
                    }
                }
            },
        }
    },
}


def task(name: str, seconds: float | None) -> SimpleNamespace:
    end = None if seconds is None else START + timedelta(seconds=seconds)
    return SimpleNamespace(display_name=name, start_time=START, end_time=end)


@pytest.mark.parametrize("whole", [SPEC, {"pipeline_spec": SPEC, "platform_spec": {}}])
def test_costs_are_what_was_reserved(whole: dict[str, Any]) -> None:
    tasks = [task("light", 10), task("train", 100), task("train", 50), task("train-driver", 999)]
    run = SimpleNamespace(run_details=SimpleNamespace(task_details=[*tasks, task("train", None)]))
    assert costs.reserved(run, whole, {"gpus": 2}) == {"cpu_s": 610.0, "gpu_s": 300.0}
    assert costs.reserved(run, whole, {}) == {"cpu_s": 610.0, "gpu_s": 150.0}


def test_costs_of_steps_that_the_pipeline_gave_another_name() -> None:
    """KFP's API calls a task by its key, whatever the dashboard shows."""
    spec = copy.deepcopy(SPEC)
    tasks = spec["root"]["dag"]["tasks"]
    tasks["train-2"] = {**tasks["train"], "taskInfo": {"name": "train again"}}
    run = SimpleNamespace(run_details=SimpleNamespace(task_details=[task("train-2", 10)]))
    assert costs.reserved(run, spec, {"gpus": 1}) == {"cpu_s": 40.0, "gpu_s": 10.0}


def test_no_times_no_costs() -> None:
    for details in (None, SimpleNamespace(task_details=None)):
        assert costs.reserved(SimpleNamespace(run_details=details), SPEC, {}) == {}
    run = SimpleNamespace(run_details=SimpleNamespace(task_details=[task("light", 1)]))
    assert costs.reserved(run, None, {}) == {}


def test_reindex_asks_the_cluster_as_well(kfp: KfpServer, gcs: GcsServer, program: Program) -> None:
    gcs.put("artifacts", "kfp/other", b"")
    for level in ("4", "8"):
        said = program("submit", SMALL, "--levels", level, "--pipeline-root", ROOT)
        assert said.code == 0, said.err
    ids = {run["runtime_config"]["parameters"]["level"]: key for key, run in kfp.runs.items()}
    prefix = f"kfp/small/{ids[4]}/promote/1/decision"
    gcs.put("artifacts", f"{prefix}/decision.json", promoted().model_dump_json().encode())
    gcs.put("artifacts", f"{prefix}/{MANIFEST}", b"{}")
    said = program("runs", "reindex", "--cluster", "--store", ROOT)
    assert said.code == 0 and "2 run(s)." in said.out
    records = {record["level"]: record for record in Bucket(open_store(ROOT)).records()}
    assert records[4]["name"].startswith("small level 4") and records[4]["outcome"] == "promoted"
    assert records[4]["link"].endswith(ids[4]) and records[8]["state"] == "pending"
    assert records[4]["changed"]["level"] == 4
    assert {record["id"] for record in records.values()} == {1, 2}
    said = program("runs", "--store", ROOT, "--where", "level == 8", "--columns", "name,where")
    assert said.out.startswith("Name Where small level 8 ") and said.out.endswith("cluster")
