"""Would synthetic images help this classifier? Compares ways to make its training set."""

from augstudy.dags.components.curate import curate
from augstudy.dags.components.import_synthetic import import_synthetic
from augstudy.dags.components.ingest import ingest
from augstudy.dags.components.summarize import summarize
from augstudy.dags.components.synthesize import synthesize
from augstudy.dags.components.train_gan import train_gan
from augstudy.dags.components.train_judge import train_judge
from augstudy.dags.pipelines import resources
from augstudy.dags.pipelines.passing import taken
from augstudy.dags.pipelines.study_cell import study_cell
from kfp import dsl

ARMS = [
    {"arm": "real"},
    {"arm": "classic"},
    {"arm": "add", "share": 1.0},
    {"arm": "pretrain"},
    {"arm": "same_steps", "share": 1.0},
]


@dsl.pipeline(
    name="augmentation-study",
    description="Would synthetic images help the classifier, how much, and how sure are we?",
    pipeline_config=resources.CONFIG,
)
def augmentation_study(
    source: str = "sample",
    classes: list[str] = [],  # noqa: B006 (KFP copies it into the specification)
    train_per_class: int = 0,
    val_per_class: int = 0,
    test_per_class: int = 0,
    level: int = 0,
    folds: int = 0,
    draws: int = 1,
    data_seed: int = 0,
    test_source: str = "",
    image_settings: dict = {},  # noqa: B006
    arms: list[dict] = ARMS,
    seeds: list[int] = [0, 1, 2],  # noqa: B006
    looks: list[int] = [],  # noqa: B006
    classifier: str = "modern",
    classifier_settings: dict = {},  # noqa: B006
    sets: list[dict] = [],  # noqa: B006
    copies: str = "drop",
    gan: str = "compact",
    gan_settings: dict = {},  # noqa: B006
    gan_seed: int = 0,
    on_gan_failure: str = "stop",
    judge_settings: dict = {},  # noqa: B006
    synthetic_per_class: int = 0,
    curation_settings: dict = {},  # noqa: B006
    metric: str = "auto",
    equivalence_margin: float = 0.01,
    gpus: str = resources.GPUS,
    gpu_type: str = resources.GPU_TYPE,
) -> None:
    """Ingest images, train a GAN and draw with it, train and evaluate every arm, and compare.

    Args:
        source: Where the images are: sample, or a folder or file (gs://, s3://, file:// or a path).
        classes: Names of the classes; by default those of the source.
        train_per_class: Images per class set aside for training, of which the level is taken; 0
            means all that are not set aside for something else.
        val_per_class: Validation images per class; 0 means a fifth of them.
        test_per_class: Test images per class; 0 means a fifth of them, or with train_per_class all
            that are left over. With folds, those of each fold; 0 means all images.
        level: Real training images per class in use; 0 means all.
        folds: Parts that are tested in turn, 2 or more, so that every image is tested once, by
            classifiers that have not seen it; 0 means one test split.
        draws: Times to repeat all with other training images and other generators, which intervals
            then cover; the test images stay the same. Multiplies the time that a study takes.
        data_seed: Chooses the images and their splits.
        test_source: Where the test images are, if they are not in the source.
        image_settings: How files become images and which belong together, such as {size: 32}.
        arms: How training sets are made, such as [{arm: real}, {arm: add, share: 1.0}].
        seeds: Repetitions of every arm, in each draw.
        looks: Numbers of seeds after which a study that may stop early is looked at, such as
            [3, 5, 8, 12]; intervals allow for it. See --seeds auto.
        classifier: Recipe of the classifier, such as modern or report_best.
        classifier_settings: Changes to the recipe, such as {epochs: 20}.
        sets: Sets of synthetic images: imported, such as [{set: sd, source: ../sd15}], or made
            here, such as [{set: gan, gan: compact, settings: {steps: 2000}}]; by default one that
            gan makes.
        copies: What happens to synthetic images that are near copies of validation or test images:
            drop, keep, or fail, which ends the study.
        gan: Recipe of the generator, such as compact or diffusion.
        gan_settings: Changes to that recipe, such as {steps: 2000}.
        gan_seed: Seed of the generator and of the filter, in the first draw.
        on_gan_failure: What to do if the GAN fails: stop the study, or skip the arms that need it.
        judge_settings: Settings of the classifier that measures synthetic images.
        synthetic_per_class: Synthetic images per class; 0 means as many as the arms need.
        curation_settings: Settings of the filter of add_filtered and real_filtered.
        metric: What is compared: accuracy, balanced_accuracy (every class counts alike), or auto,
            which is accuracy where the test classes are equal.
        equivalence_margin: Largest difference in the metric, as a share, that is too small to
            matter.
        gpus: Accelerators per training step; 0 means none.
        gpu_type: The resource that GPU nodes advertise.
    """
    study = dict(locals())
    data = ingest(**taken(ingest, study))
    resources.apply(data, resources.LIGHT)
    judge = train_judge(dataset=data.outputs["dataset"], **taken(train_judge, study))
    resources.apply(judge, resources.TRAINING)
    resources.use_gpus(judge, gpus, gpu_type)
    trained = train_gan(
        dataset=data.outputs["dataset"],
        judge=judge.outputs["judge"],
        **taken(train_gan, study),
    )
    resources.apply(trained, resources.TRAINING)
    resources.use_gpus(trained, gpus, gpu_type)
    drawn = synthesize(
        gan=trained.outputs["gan"],
        dataset=data.outputs["dataset"],
        judge=judge.outputs["judge"],
        **taken(synthesize, study),
    )
    resources.apply(drawn, resources.INFERENCE)
    brought = import_synthetic(
        dataset=data.outputs["dataset"],
        judge=judge.outputs["judge"],
        **taken(import_synthetic, study),
    )
    resources.apply(brought, resources.INFERENCE)
    judged = curate(
        dataset=data.outputs["dataset"],
        gan=trained.outputs["gan"],
        synthetic=drawn.outputs["synthetic"],
        imported=brought.outputs["imported"],
        **taken(curate, study),
    )
    resources.apply(judged, resources.TRAINING)
    resources.use_gpus(judged, gpus, gpu_type)
    with dsl.ParallelFor(arms, name="cells", parallelism=resources.PARALLEL_CELLS) as arm:
        cell = study_cell(
            dataset=data.outputs["dataset"],
            gathered=judged.outputs["gathered"],
            arm=arm,
            **taken(study_cell, study),
        )
    answer = summarize(
        dataset=data.outputs["dataset"],
        gathered=judged.outputs["gathered"],
        evaluations=dsl.Collected(cell.outputs["evaluation"]),
        cams=dsl.Collected(cell.outputs["maps"]),
        pipeline="augmentation_study",
        **taken(summarize, study),
    )
    resources.apply(answer, resources.LIGHT)
    # Each run must have a report under its own id, even if all else is taken from a cache.
    answer.set_caching_options(False)
