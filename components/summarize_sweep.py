"""Component: what a sweep of classifiers found, with its page."""

from augstudy.dags.components.image import IMAGE
from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Markdown, Metrics, Output


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def summarize_sweep(
    dataset: Input[Dataset],
    points: Input[list[Artifact]],
    base: Input[Artifact],
    chosen: Input[Artifact],
    report: Output[Artifact],
    metrics: Output[Metrics],
    page: Output[HTML],
    verdict: Output[Markdown],
    pipeline: str,
    source: str,
    classes: list[str],
    train_per_class: int,
    val_per_class: int,
    test_per_class: int,
    level: int,
    data_seed: int,
    test_source: str,
    image_settings: dict,
    sweep: dict,
    seeds: list[int],
    classifier_recipe: str,
    classifier_settings: dict,
    metric: str,
    equivalence_margin: float,
):
    """Compare every point with the base, check the findings, and log the metrics of the run."""
    from augstudy.steps import tuning

    for name, value in tuning.summarize(locals()).items():
        metrics.log_metric(name, value)
