"""One cell of a study: an arm with all its seeds."""

from typing import NamedTuple

from augstudy.dags.components.evaluate import evaluate
from augstudy.dags.components.train_cnn import train_cnn
from augstudy.dags.pipelines import resources
from augstudy.dags.pipelines.passing import taken
from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input


class CellOutputs(NamedTuple):
    """What a cell leaves for the summary."""

    evaluation: Artifact
    maps: Artifact


@dsl.pipeline(name="study-cell", description="Train, evaluate and explain one arm.")
def study_cell(
    dataset: Input[Dataset],
    gathered: Input[Artifact],
    arm: dict,
    seeds: list[int],
    looks: list[int],
    classifier: str,
    classifier_settings: dict,
    gpus: str,
    gpu_type: str,
) -> CellOutputs:
    """A pipeline of its own, so that the GPU parameters reach the steps inside the loop."""
    given = taken(train_cnn, locals())
    trained = train_cnn(dataset=dataset, gathered=gathered, **given)
    resources.apply(trained, resources.TRAINING)
    resources.use_gpus(trained, gpus, gpu_type)
    evaluated = evaluate(
        dataset=dataset,
        classifier=trained.outputs["classifier"],
        gathered=gathered,
        looks=looks,
        explain=True,
    )
    resources.apply(evaluated, resources.INFERENCE)
    return CellOutputs(evaluated.outputs["evaluation"], evaluated.outputs["maps"])
