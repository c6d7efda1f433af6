"""Compiled pipelines: they are sound, and they change only on purpose.

``make golden`` writes the files in ``golden/`` anew.
"""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from kfp import dsl

from augstudy.cluster import ir, linter
from augstudy.cluster.compile import compile_pipeline
from augstudy.core.errors import AugstudyError, InputError
from augstudy.local import catalog, parameters

GOLDEN = Path(__file__).parent / "golden"


def compiled(name: str, tmp_path: Path) -> Path:
    target = tmp_path / f"{name}.yaml"
    compile_pipeline(catalog.load(name), target)
    return target


def normal(text: str) -> str:
    """A compiled pipeline without what varies: comments, image, SDK version."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    text = "\n".join(lines) + "\n"
    text = re.sub(r"image: \S+", "image: IMAGE", text)
    return re.sub(r"sdkVersion: \S+", "sdkVersion: SDK", text)


@pytest.mark.parametrize("name", catalog.names())
def test_is_sound_and_as_it_was(name: str, tmp_path: Path) -> None:
    target = compiled(name, tmp_path)
    assert linter.problems(*ir.load(target)) == []
    golden, text = GOLDEN / f"{name}.yaml", normal(target.read_text())
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text(), "changed on purpose? then: make golden"


def test_every_golden_file_has_its_pipeline() -> None:
    assert {path.stem for path in GOLDEN.glob("*.yaml")} == set(catalog.names())


def test_counts_steps(tmp_path: Path) -> None:
    spec, _ = ir.load(compiled("augmentation_study", tmp_path))
    assert ir.count_steps(spec, {}) == 7 + 5 * 2
    assert ir.count_steps(spec, {"arms": [{"arm": "real"}]}) == 7 + 2


@pytest.mark.parametrize("name", catalog.names())
def test_the_last_step_alone_reports_metrics(name: str, tmp_path: Path) -> None:
    """The dashboard's table has a column for each output of this kind."""
    spec, _ = ir.load(compiled(name, tmp_path))
    reporting = [
        component
        for component, item in spec["components"].items()
        if "executorLabel" in item
        for output in item.get("outputDefinitions", {}).get("artifacts", {}).values()
        if output["artifactType"]["schemaTitle"] == "system.Metrics"
    ]
    last = {"retrain": "promote", "cnn_tuning": "summarize-sweep"}
    last["gan_tuning"] = "summarize-gan-sweep"
    assert reporting == [f"comp-{last.get(name, 'summarize')}"]


@pytest.mark.parametrize(
    ("parameter", "steps"),
    [
        ("equivalence_margin", {"summarize"}),
        ("classifier_settings", {"curate", "cell", "summarize"}),
        ("gan_settings", {"train-gan", "summarize"}),
        ("judge_settings", {"train-judge", "summarize"}),
        ("curation_settings", {"curate", "summarize"}),
        ("seeds", {"cell", "summarize"}),
        ("val_per_class", {"ingest", "summarize"}),
        ("level", {"ingest", "summarize"}),
    ],
)
def test_a_changed_parameter_runs_anew_only_the_steps_that_use_it(
    parameter: str, steps: set[str], tmp_path: Path
) -> None:
    """KFP's cache compares all that a step is handed."""
    spec, _ = ir.load(compiled("augmentation_study", tmp_path))
    users = {
        "cell" if name.startswith("for-loop") else name
        for name, task in spec["root"]["dag"]["tasks"].items()
        for item in task["inputs"].get("parameters", {}).values()
        if item.get("componentInputParameter") == parameter
    }
    assert users == steps


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def say(text: str):
    print(text)  # noqa: T201


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def numbers() -> list:
    return [1, 2]


@dsl.pipeline(name="dangling")
def dangling(items: list = ["a"], gpus: int = 1):  # noqa: B006
    with dsl.ParallelFor(items) as item:
        say(text=item).set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(gpus)


@dsl.pipeline(name="early")
def early():
    with dsl.ParallelFor(numbers().output):
        say(text="does not use the item")


def test_refuses_a_dangling_parameter(tmp_path: Path) -> None:
    with pytest.raises(AugstudyError, match=r"'say'.*'pipelinechannel--gpus'.*nothing provides"):
        compile_pipeline(dangling, tmp_path / "out.yaml")
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_loop_that_starts_too_early(tmp_path: Path) -> None:
    with pytest.raises(AugstudyError, match="without waiting"):
        compile_pipeline(early, tmp_path / "out.yaml")


def test_finds_broken_references_in_a_file(tmp_path: Path) -> None:
    spec, platform = ir.load(compiled("augmentation_study", tmp_path))
    cell: dict[str, Any] = spec["components"]["comp-study-cell"]
    cell["dag"]["tasks"]["evaluate"]["inputs"]["artifacts"]["classifier"] = {
        "taskOutputArtifact": {"producerTask": "train-cnn", "outputArtifactKey": "model"}
    }
    del cell["inputDefinitions"]["parameters"]["gpus"]
    summary = spec["root"]["dag"]["tasks"]["summarize"]
    summary["dependentTasks"].remove("ingest")
    found = "\n".join(linter.problems(spec, platform))
    assert "task 'evaluate' of 'comp-study-cell' reads output 'model'" in found
    assert "reads parameter 'gpus'" in found
    assert "task 'summarize' of the pipeline reads an output of 'ingest' without waiting" in found


def test_load_refuses_other_files(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("a: 1\n")
    with pytest.raises(InputError, match="not a compiled pipeline"):
        ir.load(other)
    with pytest.raises(InputError, match="cannot be read"):
        ir.load(tmp_path / "absent.yaml")


@pytest.mark.parametrize("preset", catalog.presets())
def test_presets_fit_the_study(preset: str) -> None:
    known = catalog.parameters(catalog.load("augmentation_study"))
    wanted = parameters.Wanted("augmentation_study", preset)
    runs = wanted.runs(wanted.levels())
    assert all(set(values) == set(known) for values in runs)
    assert [values["level"] for values in runs] == (wanted.levels() or [runs[0]["level"]])
    tested = {(values["train_per_class"], values["val_per_class"]) for values in runs}
    assert len(tested) == 1  # all levels share their validation and test drawings
