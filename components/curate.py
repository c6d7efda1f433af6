"""Component: gather the sets of synthetic images, and filter them and real images."""

from augstudy.dags.components.image import IMAGE
from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model, Output


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def curate(
    dataset: Input[Dataset],
    gan: Input[Model],
    synthetic: Input[Dataset],
    imported: Input[Dataset],
    gathered: Output[Artifact],
    sets: list[dict],
    gan_recipe: str,
    arms: list[dict],
    curation_settings: dict,
    classifier_recipe: str,
    classifier_settings: dict,
    gan_seed: int,
):
    """Gather all sets; choose images with a classifier trained on the level if arms ask for it."""
    from augstudy.steps import adapters

    adapters.curate(locals())
