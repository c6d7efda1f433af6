"""Which settings make a better generator? A sweep around a base recipe."""

from augstudy.dags.components.ingest import ingest
from augstudy.dags.components.summarize_gan_sweep import summarize_gan_sweep
from augstudy.dags.components.train_judge import train_judge
from augstudy.dags.pipelines import resources
from augstudy.dags.pipelines.gan_tuning_worker import gan_tuning_worker
from augstudy.dags.pipelines.passing import taken
from kfp import dsl

SWEEP = {
    "axes": [
        {
            "name": "balance",
            "base": "equal rates",
            "values": [
                {"label": "discriminator x0.5", "set": {"discriminator_rate": 0.5}},
                {"label": "discriminator x2", "set": {"discriminator_rate": 2.0}},
            ],
        }
    ]
}


@dsl.pipeline(
    name="gan-tuning",
    description="Which settings make better synthetic images, and train stably?",
    pipeline_config=resources.CONFIG,
)
def gan_tuning(
    source: str = "sample",
    classes: list[str] = [],  # noqa: B006 (KFP copies it into the specification)
    train_per_class: int = 0,
    val_per_class: int = 0,
    level: int = 0,
    data_seed: int = 0,
    test_source: str = "",
    image_settings: dict = {},  # noqa: B006
    sweep: dict = SWEEP,
    seeds: list[int] = [0, 1],  # noqa: B006
    gan: str = "compact",
    gan_settings: dict = {},  # noqa: B006
    judge_settings: dict = {},  # noqa: B006
    workers: list[str] = ["1 of 4", "2 of 4", "3 of 4", "4 of 4"],  # noqa: B006
    gpus: str = resources.GPUS,
    gpu_type: str = resources.GPU_TYPE,
) -> None:
    """Ingest images, train a judge, train and measure every point, compare.

    No test image is used. A point whose training fails gets the verdict failed.

    Args:
        source: Where the images are: sample, or a folder or file (gs://, s3://, file:// or a path).
        classes: Names of the classes; by default those of the source.
        train_per_class: Images per class set aside for training, of which the level is taken; 0
            means all that are not set aside for something else.
        val_per_class: Validation images per class; 0 means a fifth of them.
        level: Most training images per class in use; 0 means all.
        data_seed: Chooses the images and their splits.
        test_source: Where the test images are, if they are not in the source.
        image_settings: How files become images and which belong together, such as {size: 32}.
        sweep: What to try; see docs/tuning.md.
        seeds: Repetitions of every point.
        gan: Recipe of the base.
        gan_settings: Changes to the recipe that every point has, such as {steps: 500}.
        judge_settings: Settings of the classifier that measures synthetic images.
        workers: How many workers share the points, such as 4; on a cluster they run side by side.
            The list names the share of each.
        gpus: Accelerators per worker; 0 means none.
        gpu_type: The resource that GPU nodes advertise.
    """
    study = dict(locals())
    # A dataset has a test split; nothing here reads it.
    data = ingest(test_per_class=1, **taken(ingest, study))
    resources.apply(data, resources.LIGHT)
    judge = train_judge(
        dataset=data.outputs["dataset"],
        judge_settings=judge_settings,
        arms=[{"arm": "add", "share": 1.0}],  # whatever draws, so that it is not skipped
    )
    resources.apply(judge, resources.TRAINING)
    resources.use_gpus(judge, gpus, gpu_type)
    with dsl.ParallelFor(workers, name="workers", parallelism=resources.PARALLEL_CELLS) as worker:
        part = gan_tuning_worker(
            dataset=data.outputs["dataset"],
            judge=judge.outputs["judge"],
            worker=worker,
            **taken(gan_tuning_worker, study),
        )
    answer = summarize_gan_sweep(
        dataset=data.outputs["dataset"],
        judge=judge.outputs["judge"],
        points=dsl.Collected(part.outputs["points"]),
        pipeline="gan_tuning",
        **taken(summarize_gan_sweep, study),
    )
    resources.apply(answer, resources.LIGHT)
    # Each run must have a page under its own id, even if all else is taken from a cache.
    answer.set_caching_options(False)
