"""Component: make labelled synthetic images."""

from augstudy.dags.components.image import IMAGE
from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Model, Output


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def synthesize(
    gan: Input[Model],
    dataset: Input[Dataset],
    judge: Input[Model],
    synthetic: Output[Dataset],
    metrics: Output[Metrics],
    synthetic_per_class: int,
    gan_seed: int,
    sets: list[dict],
    gan_recipe: str,
    arms: list[dict],
):
    """Let the generators draw; as many per class as arms need if `synthetic_per_class` is 0."""
    from augstudy.steps import adapters

    for name, value in adapters.synthesize(locals()).items():
        metrics.log_metric(name, value)
