"""Component: train one worker's share of the generators of a sweep."""

from augstudy.dags.components.image import IMAGE
from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model, Output


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train_gan_points(
    dataset: Input[Dataset],
    judge: Input[Model],
    points: Output[Artifact],
    sweep: dict,
    gan_recipe: str,
    gan_settings: dict,
    seeds: list[int],
    worker: str,
):
    """Train each point with all its seeds and measure what it draws; failed runs are kept."""
    from augstudy.steps import tuning

    tuning.train_gan_points(locals())
