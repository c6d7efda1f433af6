"""One worker of a sweep of classifiers."""

from typing import NamedTuple

from augstudy.dags.components.train_points import train_points
from augstudy.dags.pipelines import resources
from augstudy.dags.pipelines.passing import taken
from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input


class WorkerOutputs(NamedTuple):
    """What a worker leaves."""

    points: Artifact


@dsl.pipeline(name="tuning-worker", description="Train one worker's share of the points.")
def tuning_worker(
    dataset: Input[Dataset],
    sweep: dict,
    seeds: list[int],
    classifier: str,
    classifier_settings: dict,
    worker: str,
    metric: str,
    gpus: str,
    gpu_type: str,
) -> WorkerOutputs:
    """A pipeline of its own, so that the GPU parameters reach the step inside the loop."""
    trained = train_points(dataset=dataset, **taken(train_points, locals()))
    resources.apply(trained, resources.TRAINING)
    resources.use_gpus(trained, gpus, gpu_type)
    return WorkerOutputs(trained.outputs["points"])
