"""Component: what a sweep of classifiers found, with its page."""

from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Markdown, Metrics, Output

from components.image import IMAGE


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
    sweep: dict,
    seeds: list[int],
    classifier: str,
    classifier_settings: dict,
    equivalence_margin: float,
):
    """Compare every point with the base, check the findings, and log the metrics of the run."""
    from augstudy.steps import tuning

    study = {
        "pipeline": pipeline,
        "source": source,
        "classes": classes,
        "train_per_class": train_per_class,
        "val_per_class": val_per_class,
        "test_per_class": test_per_class,
        "level": level,
        "data_seed": data_seed,
        "sweep": sweep,
        "seeds": seeds,
        "classifier": classifier,
        "classifier_settings": classifier_settings,
        "equivalence_margin": equivalence_margin,
    }
    inputs = {"dataset": dataset.path, "points": [item.path for item in points]}
    inputs |= {"base": base.path, "chosen": chosen.path}
    outputs = {"report": report.path, "html": page.path}
    outputs |= {"verdict": verdict.path, "metrics": metrics.path}
    flat = tuning.summarize(inputs, study, outputs)
    for name, value in flat.items():
        metrics.log_metric(name, value)
