"""One worker of a sweep of generators."""

from typing import NamedTuple

from augstudy.dags.components.train_gan_points import train_gan_points
from augstudy.dags.pipelines import resources
from augstudy.dags.pipelines.passing import taken
from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model


class WorkerOutputs(NamedTuple):
    """What a worker leaves."""

    points: Artifact


@dsl.pipeline(name="gan-tuning-worker", description="Train one worker's share of the generators.")
def gan_tuning_worker(
    dataset: Input[Dataset],
    judge: Input[Model],
    sweep: dict,
    seeds: list[int],
    gan: str,
    gan_settings: dict,
    worker: str,
    gpus: str,
    gpu_type: str,
) -> WorkerOutputs:
    """A pipeline of its own, so that the GPU parameters reach the step inside the loop."""
    given = taken(train_gan_points, locals())
    trained = train_gan_points(dataset=dataset, judge=judge, **given)
    resources.apply(trained, resources.TRAINING)
    resources.use_gpus(trained, gpus, gpu_type)
    return WorkerOutputs(trained.outputs["points"])
