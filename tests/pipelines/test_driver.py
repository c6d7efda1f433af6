"""What KFP's driver makes of the compiled pipelines: pods that ask for what was typed.

The driver is restated in ``kfp_driver``: the IR does not show what it drops, hides or converts.
"""

import functools
from pathlib import Path
from typing import Any

import kfp_driver
import pytest
from kfp import dsl
from kfp.dsl import Artifact, Input, Output

from augstudy.cluster import ir, linter
from augstudy.cluster.compile import compile_pipeline
from augstudy.core.errors import AugstudyError, InputError
from augstudy.local import catalog
from augstudy.local.parameters import Wanted, resolve

GPU = "nvidia.com/gpu"
TRAINING = {"train-judge", "train-gan", "curate", "train-cnn", "train-points", "train-gan-points"}


@functools.cache
def text_of(name: str, folder: Path) -> str:
    target = folder / f"{name}.yaml"
    compile_pipeline(catalog.load(name), target)
    return target.read_text()


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("compiled")

    def load(name: str) -> tuple[ir.Node, ir.Node]:
        text_of(name, folder)
        return ir.load(folder / f"{name}.yaml")

    return load


def typed(name: str, *settings: str, gpus: int | None = None, preset: str = "") -> dict[str, Any]:
    """The parameters of a run, prepared from what a person types."""
    champion = ("champion=gs://bucket/champions",) if name == "retrain" else ()
    return Wanted(name, preset, gpus=gpus, settings=(*champion, *settings)).values()


@pytest.mark.parametrize("gpus", [0, 1, 2])
@pytest.mark.parametrize("name", catalog.names())
def test_training_pods_ask_for_as_many_gpus_as_were_typed(
    name: str, gpus: int, compiled: Any
) -> None:
    pods = kfp_driver.run(compiled(name)[0], typed(name, gpus=gpus))
    trains = [pod for pod in pods if pod.task in TRAINING]
    assert trains
    for pod in trains:
        assert (pod.limits[GPU], pod.requests[GPU]) == (str(gpus), str(gpus)), pod.task
    assert not [pod for pod in pods if pod.task not in TRAINING and GPU in pod.limits]


@pytest.mark.parametrize("name", catalog.names())
def test_every_pod_has_the_limits_of_its_kind(name: str, compiled: Any) -> None:
    for pod in kfp_driver.run(compiled(name)[0], typed(name)):
        kind = {"cpu": "2", "memory": "8Gi"} if pod.task in TRAINING else pod.limits
        assert {**pod.limits, **kind} == dict(pod.limits), pod.task
        assert pod.requests["cpu"] and pod.requests["memory"]


@pytest.mark.parametrize(
    ("name", "preset"),
    [(name, "") for name in catalog.names()]
    + [(name, preset) for name in catalog.names() for preset in catalog.presets(name)]
    + [("augmentation_study", "smoke")],
)
def test_the_driver_finds_every_input_of_every_step(name: str, preset: str, compiled: Any) -> None:
    spec, values = compiled(name)[0], typed(name, preset=preset)
    pods = kfp_driver.run(spec, values)
    assert len(pods) == ir.count_steps(spec, values)


@pytest.mark.parametrize("setting", ["gpus=2", "gpus='2'", "gpus=2.0"])
def test_gpus_may_be_typed_in_any_form(setting: str, compiled: Any) -> None:
    pods = kfp_driver.run(compiled("retrain")[0], typed("retrain", setting))
    assert [pod.limits[GPU] for pod in pods if pod.task in TRAINING] == ["2"]


@pytest.mark.parametrize("setting", ["gpus=all", "gpus=-1", "gpus=0.5", "gpus=true", "gpus=null"])
def test_gpus_that_are_no_number_are_refused_in_a_sentence(setting: str) -> None:
    with pytest.raises(InputError, match="gpus must be a whole number of accelerators"):
        typed("retrain", setting)


def test_a_number_of_a_pipeline_of_ones_own_stays_one() -> None:
    known = {"gpus": catalog.Parameter("gpus", "NUMBER_INTEGER", 0, required=False)}
    assert resolve("mine", known, [{"gpus": "2"}]) == {"gpus": 2}


def test_a_preset_or_a_setting_chooses_the_images_too(tmp_path: Path) -> None:
    preset = tmp_path / "mine.yaml"
    preset.write_text("gpus: 3\n")
    assert Wanted("retrain", str(preset)).accelerators() == 3
    assert Wanted("retrain", str(preset), gpus=1).accelerators() == 1
    assert Wanted("retrain", str(preset), gpus=1, settings=["gpus=2"]).accelerators() == 2
    assert Wanted("retrain").accelerators() is None


@pytest.mark.parametrize("outcome", ["Succeeded", "Failed", "Error"])
@pytest.mark.parametrize("name", catalog.names())
def test_pods_and_logs_are_kept_for_seven_days(name: str, outcome: str, compiled: Any) -> None:
    assert kfp_driver.ttl_s(compiled(name)[1], outcome) == 7 * 24 * 3600


@pytest.mark.parametrize(
    ("typed_workers", "shares"),
    [
        ("3", ["1 of 3", "2 of 3", "3 of 3"]),
        ("[1, 2]", ["1 of 2", "2 of 2"]),
        ("a,b", ["1 of 2", "2 of 2"]),
        ("['2 of 2', '1 of 2']", ["2 of 2", "1 of 2"]),
    ],
)
def test_each_worker_is_told_its_share(typed_workers: str, shares: list[str]) -> None:
    values = Wanted("cnn_tuning", "smoke", settings=[f"workers={typed_workers}"]).values()
    assert values["workers"] == shares


@pytest.mark.parametrize(
    ("typed_workers", "said"),
    [
        ("0", "at least one worker"),
        ("[1, 1]", "twice"),
        ("['1 of 2']", "must be all of"),
        ("{a: 1}", "must be a number, such as 4, or a list"),
    ],
)
def test_wrong_workers_are_refused_in_a_sentence(typed_workers: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Wanted("gan_tuning", "smoke", settings=[f"workers={typed_workers}"]).values()


def test_who_reads_the_compiled_file_sees_that_a_gpu_will_be_asked_for(tmp_path: Path) -> None:
    default = catalog.load("retrain")
    compile_pipeline(default, tmp_path / "none.yaml", caching=False)
    head = (tmp_path / "none.yaml").read_text().split("PIPELINE DEFINITION")[0]
    assert f"#   train-cnn: 1 to 2 CPU, 2Gi to 8Gi of memory, 0 {GPU}\n" in head
    assert "#   promote: 250m to 1 CPU, 1Gi to 4Gi of memory\n" in head


# Pipelines with the traps.


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def say(text: str):
    print(text)  # noqa: T201


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def count(items: list) -> int:
    return len(items)


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def make(made: Output[Artifact]):
    Path(made.path).touch()


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def read(one: Input[Artifact]):
    print(one.path)  # noqa: T201


@dsl.pipeline(name="hidden")
def hidden(workers: list = [1, 2]):  # noqa: B006
    with dsl.ParallelFor(workers):
        count(items=workers)


@dsl.pipeline(name="inner")
def inner(items: list):
    count(items=items)


@dsl.pipeline(name="hidden-deeper")
def hidden_deeper(workers: list = [1, 2]):  # noqa: B006
    with dsl.ParallelFor(workers):
        inner(items=workers)


@dsl.pipeline(name="twice")
def twice(workers: list = [1, 2], others: list = [1, 2]):  # noqa: B006
    with dsl.ParallelFor(workers):
        count(items=others)


@pytest.mark.parametrize("pipeline", [hidden, hidden_deeper])
def test_a_list_that_a_loop_hides_is_refused(pipeline: Any, tmp_path: Path) -> None:
    with pytest.raises(AugstudyError, match=r"in loop .*'pipelinechannel--workers', the list"):
        compile_pipeline(pipeline, tmp_path / "out.yaml")


def test_a_second_list_reaches_the_body_of_a_loop(tmp_path: Path) -> None:
    compile_pipeline(twice, tmp_path / "out.yaml")
    assert len(kfp_driver.run(ir.load(tmp_path / "out.yaml")[0], {})) == 2


def loop_over_artifacts(body: str) -> ir.Node:
    """A loop over artifacts, whose body reads `body`, as KFP's specification has it."""
    whole = {"schemaTitle": "system.Artifact", "schemaVersion": "0.0.1"}
    artifacts = {"all": {"artifactType": whole, "isArtifactList": True}}
    read_one = {"inputs": {"artifacts": {"one": {"componentInputArtifact": body}}}}
    loop = {"items": {"inputArtifact": "all"}, "itemInput": "all-loop-item"}
    return {
        "components": {
            "comp-read": {"executorLabel": "exec-read"},
            "comp-loop": {
                "inputDefinitions": {
                    "artifacts": {**artifacts, "all-loop-item": {"artifactType": whole}}
                },
                "dag": {"tasks": {"read": {**read_one, "componentRef": {"name": "comp-read"}}}},
            },
        },
        "root": {
            "inputDefinitions": {"artifacts": artifacts},
            "dag": {
                "tasks": {
                    "for-loop-1": {
                        "artifactIterator": loop,
                        "componentRef": {"name": "comp-loop"},
                        "inputs": {"artifacts": {"all": {"componentInputArtifact": "all"}}},
                    }
                }
            },
        },
    }


def test_artifacts_that_a_loop_hides_are_refused() -> None:
    [found] = linter.problems(loop_over_artifacts("all"))
    assert "task 'read' in loop 'for-loop-1' reads artifact 'all', the list looped over" in found
    assert linter.problems(loop_over_artifacts("all-loop-item")) == []


@dsl.pipeline(name="counted")
def counted(gpus: int = 1):
    say(text="x").set_accelerator_type(GPU).set_accelerator_limit(gpus)


@dsl.pipeline(name="typed-accelerator")
def typed_accelerator(kind: list = [GPU]):  # noqa: B006
    say(text="x").set_accelerator_type(kind).set_accelerator_limit(1)


@dsl.pipeline(name="cpus")
def cpus(cores: int = 1):
    say(text="x").set_cpu_limit(cores)


@dsl.pipeline(name="memory")
def memory(gib: float = 1.0):
    say(text="x").set_memory_request(gib)


@dsl.pipeline(name="found-out")
def found_out():
    found = count(items=[1])
    task = say(text="x").set_accelerator_type(GPU).set_accelerator_limit(found.output)
    task.after(found)


@dsl.pipeline(name="looped")
def looped():
    with dsl.ParallelFor([1, 2]) as gpus:
        say(text="x").set_accelerator_type(GPU).set_accelerator_limit(gpus)


@dsl.pipeline(name="as-text")
def as_text(gpus: str = "1", cores: str = "2", gib: str = "1Gi"):
    task = say(text="x").set_accelerator_type(GPU).set_accelerator_limit(gpus)
    task.set_cpu_limit(cores).set_memory_request(gib)


@pytest.mark.parametrize(
    ("pipeline", "setting"),
    [
        (counted, "resourceCount from .*gpus', a NUMBER_INTEGER"),
        (typed_accelerator, "resourceType from .*kind', a LIST"),
        (cpus, "resourceCpuLimit from .*cores', a NUMBER_INTEGER"),
        (memory, "resourceMemoryRequest from .*gib', a NUMBER_DOUBLE"),
        (found_out, "resourceCount from .*Output', a NUMBER_INTEGER"),
        (looped, "resourceCount from .*loop-item.*', a NUMBER_INTEGER"),
    ],
)
def test_what_a_pod_asks_for_by_a_number_is_refused(
    pipeline: Any, setting: str, tmp_path: Path
) -> None:
    with pytest.raises(AugstudyError, match=f"takes its {setting}"):
        compile_pipeline(pipeline, tmp_path / "out.yaml")


def test_what_a_pod_asks_for_by_a_text_reaches_it(tmp_path: Path) -> None:
    compile_pipeline(as_text, tmp_path / "out.yaml")
    [pod] = kfp_driver.run(ir.load(tmp_path / "out.yaml")[0], {"gpus": "3"})
    assert pod.limits == {GPU: "3", "cpu": "2"}
    assert pod.requests == {GPU: "3", "cpu": "2", "memory": "1Gi"}
