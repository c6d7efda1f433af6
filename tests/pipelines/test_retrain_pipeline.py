"""The compiled pipeline ``retrain``: what a schedule relies on."""

from pathlib import Path
from typing import Any

import pytest

from augstudy.cluster import ir
from augstudy.cluster.compile import compile_pipeline
from augstudy.local import catalog


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    target = tmp_path_factory.mktemp("compiled") / "retrain.yaml"
    compile_pipeline(catalog.load("retrain"), target)
    return ir.load(target)[0]


def test_nothing_comes_from_a_cache(spec: dict[str, Any]) -> None:
    """KFP's cache key sees neither the source nor the store: a second week would learn nothing."""
    tasks = spec["root"]["dag"]["tasks"]
    assert len(tasks) == 6
    assert not any(task["cachingOptions"].get("enableCache") for task in tasks.values())
    refresh = tasks["ingest"]["inputs"]["parameters"]["refresh"]
    assert refresh["runtimeValue"]["constant"] is True


def test_nothing_is_trained_before_the_data_is_validated(spec: dict[str, Any]) -> None:
    tasks = spec["root"]["dag"]["tasks"]
    assert "validate" in tasks["train-cnn"]["dependentTasks"]
    after = set(tasks["promote"]["dependentTasks"])
    assert after == {"validate", "train-cnn", "evaluate", "evaluate-2"}


def test_a_run_needs_few_pods(spec: dict[str, Any]) -> None:
    assert ir.count_pods(spec, {}) == 2 * 6 + 1


def test_every_parameter_is_explained(spec: dict[str, Any]) -> None:
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    assert not [name for name, item in parameters.items() if not item.get("description")]
    page = (Path(__file__).parents[2] / "docs" / "retrain.md").read_text()
    assert not [name for name in parameters if f"`{name}`" not in page]
    assert "defaultValue" not in parameters["champion"]
