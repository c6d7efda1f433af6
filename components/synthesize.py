"""Component: make labelled synthetic images."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Model, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def synthesize(
    gan: Input[Model],
    dataset: Input[Dataset],
    judge: Input[Model],
    synthetic: Output[Dataset],
    metrics: Output[Metrics],
    per_class: int,
    seed: int,
    arms: list[dict],
    train_per_class: int,
    level: int,
):
    """Draw `per_class` images per class with the GAN; 0 means as many as the arms need."""
    from augstudy.steps import adapters

    used = level or train_per_class
    inputs = {"gan": gan.path, "dataset": dataset.path, "judge": judge.path}
    found = adapters.synthesize(inputs, synthetic.path, per_class, seed, arms, used)
    for name, value in found.items():
        metrics.log_metric(name, value)
