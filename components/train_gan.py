"""Component: train the generator."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Model, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train_gan(
    dataset: Input[Dataset],
    judge: Input[Model],
    gan: Output[Model],
    recipe: str,
    settings: dict,
    seed: int,
    arms: list[dict],
    on_failure: str,
):
    """Train the generator on the level; skipped if no arm uses synthetic images."""
    from augstudy.steps import adapters

    paths = (dataset.path, judge.path, gan.path)
    adapters.train_gan(*paths, recipe, settings, seed, arms, on_failure)
