"""Component: what a study found, with its report."""

from augstudy.dags.components.image import IMAGE
from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Markdown, Metrics, Output


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def summarize(
    dataset: Input[Dataset],
    gathered: Input[Artifact],
    evaluations: Input[list[Artifact]],
    cams: Input[list[Artifact]],
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
    arms: list[dict],
    seeds: list[int],
    classifier_recipe: str,
    classifier_settings: dict,
    gan_recipe: str,
    gan_settings: dict,
    gan_seed: int,
    on_gan_failure: str,
    sets: list[dict],
    copies: str,
    judge_settings: dict,
    synthetic_per_class: int,
    curation_settings: dict,
    metric: str,
    equivalence_margin: float,
    folds: int = 0,
    draws: int = 1,
    looks: list[int] = [],  # noqa: B006
):
    """Compare the arms, write the report, and log the metrics of the run."""
    from augstudy.steps import adapters

    for name, value in adapters.summarize(locals()).items():
        metrics.log_metric(name, value)
