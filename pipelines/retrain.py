"""Train a classifier on new data; promote it only if it is as good as the champion."""

from augstudy.dags.components.evaluate import evaluate
from augstudy.dags.components.ingest import ingest
from augstudy.dags.components.promote import promote
from augstudy.dags.components.train_cnn import train_cnn
from augstudy.dags.components.validate import validate
from augstudy.dags.pipelines import resources
from augstudy.dags.pipelines.passing import taken
from kfp import dsl

from augstudy.settings.comparing import RetrainSettings

RULE = RetrainSettings()


@dsl.pipeline(
    name="retrain",
    description="Train on new data; promote if as good as the champion on the same images.",
    pipeline_config=resources.CONFIG,
)
def retrain(
    champion: str,
    source: str = "sample",
    classes: list[str] = [],  # noqa: B006 (KFP copies it into the specification)
    train_per_class: int = 0,
    val_per_class: int = 0,
    test_per_class: int = 0,
    level: int = 0,
    data_seed: int = 0,
    test_source: str = "",
    image_settings: dict = {},  # noqa: B006
    seeds: list[int] = [0, 1, 2],  # noqa: B006
    classifier: str = "modern",
    classifier_settings: dict = {},  # noqa: B006
    metric: str = RULE.metric,
    margin: float = RULE.margin,
    max_drift: float = RULE.max_drift,
    max_shrink: float = RULE.max_shrink,
    gpus: str = resources.GPUS,
    gpu_type: str = resources.GPU_TYPE,
) -> None:
    """Ingest images, validate them, train, evaluate, and promote or hold.

    Args:
        champion: Folder of the champions, such as gs://bucket/champions/mammals; s3://, minio://
            and, on one machine, file:// work as well.
        source: Where the images are: sample, or a folder or file (gs://, s3://, file:// or a path).
        classes: Names of the classes; by default those of the source. The champion has the same.
        train_per_class: Images per class set aside for training, of which the level is taken; 0
            means all that are not set aside for something else.
        val_per_class: Validation images per class; 0 means a fifth of them.
        test_per_class: Test images per class; 0 means a fifth of them, or with train_per_class all
            that are left over.
        level: Most training images per class in use; 0 means all.
        data_seed: Chooses the images and their splits.
        test_source: Where the test images are, if they are not in the source.
        image_settings: How files become images and which belong together, such as {size: 32}.
        seeds: Repetitions; each gives one model.
        classifier: Recipe of the classifier, such as modern or baseline.
        classifier_settings: Changes to the recipe, such as {epochs: 20}.
        metric: What is compared: accuracy, balanced_accuracy (every class counts alike), or auto,
            which is accuracy where the test classes are equal.
        margin: How much of it may be lost, as a share and at 95 % confidence; 0 allows no loss,
            and a negative margin requires a gain of that size.
        max_drift: Largest population stability index allowed between the ink histograms of the new
            data and the champion's, for all classes together and for each.
        max_shrink: Largest share of its images that the source of a class may have lost.
        gpus: Accelerators of the training step; 0 means none.
        gpu_type: The resource that GPU nodes advertise.
    """
    study = dict(locals())
    # Nothing is taken from KFP's cache, which sees neither the source nor the store change.
    data = ingest(refresh=True, **taken(ingest, study)).set_caching_options(False)
    resources.apply(data, resources.LIGHT)
    checked = validate(
        dataset=data.outputs["dataset"], store=champion, **taken(validate, study)
    ).set_caching_options(False)
    resources.apply(checked, resources.LIGHT)
    trained = train_cnn(
        dataset=data.outputs["dataset"], arm={"arm": "real"}, **taken(train_cnn, study)
    ).set_caching_options(False)
    trained.after(checked)
    resources.apply(trained, resources.TRAINING)
    resources.use_gpus(trained, gpus, gpu_type)
    challenger = evaluate(
        dataset=data.outputs["dataset"],
        classifier=trained.outputs["classifier"],
        label="challenger",
    ).set_caching_options(False)
    resources.apply(challenger.set_display_name("evaluate challenger"), resources.INFERENCE)
    in_force = evaluate(
        dataset=data.outputs["dataset"],
        classifier=checked.outputs["champion"],
        label="champion",
    ).set_caching_options(False)
    resources.apply(in_force.set_display_name("evaluate champion"), resources.INFERENCE)
    answer = promote(
        reference=checked.outputs["reference"],
        classifier=trained.outputs["classifier"],
        challenger=challenger.outputs["evaluation"],
        champion=in_force.outputs["evaluation"],
        store=champion,
        **taken(promote, study),
    ).set_caching_options(False)
    resources.apply(answer, resources.LIGHT)
