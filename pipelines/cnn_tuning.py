"""Which settings make a better classifier? A sweep around a base recipe."""

from augstudy.dags.components.choose import choose
from augstudy.dags.components.evaluate import evaluate
from augstudy.dags.components.ingest import ingest
from augstudy.dags.components.summarize_sweep import summarize_sweep
from augstudy.dags.pipelines import resources
from augstudy.dags.pipelines.passing import taken
from augstudy.dags.pipelines.tuning_worker import tuning_worker
from kfp import dsl

SWEEP = {
    "axes": [
        {
            "name": "batch_size",
            "base": "256",
            "values": [
                {"label": "64", "set": {"batch_size": 64}},
                {"label": "1000", "set": {"batch_size": 1000}},
            ],
        }
    ]
}


@dsl.pipeline(
    name="cnn-tuning",
    description="Which settings make a better classifier, by how much, and how sure are we?",
    pipeline_config=resources.CONFIG,
)
def cnn_tuning(
    source: str = "sample",
    classes: list[str] = [],  # noqa: B006 (KFP copies it into the specification)
    train_per_class: int = 0,
    val_per_class: int = 0,
    test_per_class: int = 0,
    level: int = 0,
    data_seed: int = 0,
    test_source: str = "",
    image_settings: dict = {},  # noqa: B006
    sweep: dict = SWEEP,
    seeds: list[int] = [0, 1, 2],  # noqa: B006
    classifier: str = "baseline",
    classifier_settings: dict = {},  # noqa: B006
    workers: list[str] = ["1 of 4", "2 of 4", "3 of 4", "4 of 4"],  # noqa: B006
    metric: str = "auto",
    equivalence_margin: float = 0.01,
    gpus: str = resources.GPUS,
    gpu_type: str = resources.GPU_TYPE,
) -> None:
    """Ingest images, train every point, choose the best, evaluate it and the base.

    Args:
        source: Where the images are: sample, or a folder or file (gs://, s3://, file:// or a path).
        classes: Names of the classes; by default those of the source.
        train_per_class: Images per class set aside for training, of which the level is taken; 0
            means all that are not set aside for something else.
        val_per_class: Validation images per class; 0 means a fifth of them.
        test_per_class: Test images per class; 0 means a fifth of them, or with train_per_class all
            that are left over.
        level: Most training images per class in use; 0 means all.
        data_seed: Chooses the images and their splits.
        test_source: Where the test images are, if they are not in the source.
        image_settings: How files become images and which belong together, such as {size: 32}.
        sweep: What to try; see docs/tuning.md.
        seeds: Repetitions of every point.
        classifier: Recipe of the base.
        classifier_settings: Changes to the recipe that every point has, such as {epochs: 20}.
        workers: How many workers share the points, such as 4; on a cluster they run side by side.
            The list names the share of each.
        metric: What is compared: accuracy, balanced_accuracy (every class counts alike), or auto,
            which is accuracy where the classes are equal.
        equivalence_margin: Largest difference in the metric, as a share, that is too small to
            matter.
        gpus: Accelerators per worker; 0 means none.
        gpu_type: The resource that GPU nodes advertise.
    """
    study = dict(locals())
    data = ingest(**taken(ingest, study))
    resources.apply(data, resources.LIGHT)
    with dsl.ParallelFor(workers, name="workers", parallelism=resources.PARALLEL_CELLS) as worker:
        part = tuning_worker(
            dataset=data.outputs["dataset"],
            worker=worker,
            **taken(tuning_worker, study),
        )
    best = choose(
        dataset=data.outputs["dataset"],
        points=dsl.Collected(part.outputs["points"]),
        **taken(choose, study),
    )
    resources.apply(best, resources.LIGHT)
    base = evaluate(
        dataset=data.outputs["dataset"], classifier=best.outputs["base"], label="base"
    ).set_display_name("evaluate base")
    resources.apply(base, resources.INFERENCE)
    chosen = evaluate(
        dataset=data.outputs["dataset"], classifier=best.outputs["chosen"], label="chosen"
    ).set_display_name("evaluate chosen")
    resources.apply(chosen, resources.INFERENCE)
    answer = summarize_sweep(
        dataset=data.outputs["dataset"],
        points=dsl.Collected(part.outputs["points"]),  # KFP takes one such object once only
        base=base.outputs["evaluation"],
        chosen=chosen.outputs["evaluation"],
        pipeline="cnn_tuning",
        **taken(summarize_sweep, study),
    )
    resources.apply(answer, resources.LIGHT)
    # Each run must have a page under its own id, even if all else is taken from a cache.
    answer.set_caching_options(False)
