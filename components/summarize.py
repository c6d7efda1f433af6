"""Component: what a study found, with its report."""

from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Markdown, Metrics, Model, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def summarize(
    dataset: Input[Dataset],
    gan: Input[Model],
    synthetic: Input[Dataset],
    curation: Input[Artifact],
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
    arms: list[dict],
    seeds: list[int],
    classifier: str,
    classifier_settings: dict,
    gan_recipe: str,
    gan_settings: dict,
    gan_seed: int,
    on_gan_failure: str,
    judge_settings: dict,
    synthetic_per_class: int,
    curation_settings: dict,
    equivalence_margin: float,
):
    """Compare the arms, write the report, and log the metrics of the run."""
    from augstudy.steps import adapters

    study = {
        "pipeline": pipeline,
        "source": source,
        "classes": classes,
        "train_per_class": train_per_class,
        "val_per_class": val_per_class,
        "test_per_class": test_per_class,
        "level": level,
        "data_seed": data_seed,
        "arms": arms,
        "seeds": seeds,
        "classifier": classifier,
        "classifier_settings": classifier_settings,
        "gan": gan_recipe,
        "gan_settings": gan_settings,
        "gan_seed": gan_seed,
        "on_gan_failure": on_gan_failure,
        "judge_settings": judge_settings,
        "synthetic_per_class": synthetic_per_class,
        "curation_settings": curation_settings,
        "equivalence_margin": equivalence_margin,
    }
    flat = adapters.summarize(
        dataset.path,
        gan.path,
        synthetic.path,
        curation.path,
        [item.path for item in evaluations],
        [item.path for item in cams],
        study,
        {
            "report": report.path,
            "html": page.path,
            "verdict": verdict.path,
            "metrics": metrics.path,
        },
    )
    for name, value in flat.items():
        metrics.log_metric(name, value)
