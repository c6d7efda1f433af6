"""Component: train the generators."""

from augstudy.dags.components.image import IMAGE
from kfp import dsl
from kfp.dsl import Dataset, Input, Model, Output


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train_gan(
    dataset: Input[Dataset],
    judge: Input[Model],
    gan: Output[Model],
    gan_recipe: str,
    gan_settings: dict,
    gan_seed: int,
    sets: list[dict],
    arms: list[dict],
    on_gan_failure: str,
):
    """Train the generators of the sets that are made here; skipped if no arm uses any."""
    from augstudy.steps import adapters

    adapters.train_gan(locals())
