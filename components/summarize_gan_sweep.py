"""Component: what a sweep of generators found, with its page."""

from augstudy.dags.components.image import IMAGE
from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Markdown, Metrics, Model, Output


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def summarize_gan_sweep(
    dataset: Input[Dataset],
    judge: Input[Model],
    points: Input[list[Artifact]],
    report: Output[Artifact],
    metrics: Output[Metrics],
    page: Output[HTML],
    verdict: Output[Markdown],
    pipeline: str,
    source: str,
    classes: list[str],
    train_per_class: int,
    val_per_class: int,
    level: int,
    data_seed: int,
    test_source: str,
    image_settings: dict,
    sweep: dict,
    seeds: list[int],
    gan_recipe: str,
    gan_settings: dict,
    judge_settings: dict,
):
    """Compare every generator with the base, write the report, and log the metrics of the run."""
    from augstudy.steps import tuning

    for name, value in tuning.summarize_gans(locals()).items():
        metrics.log_metric(name, value)
