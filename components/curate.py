"""Component: filter synthetic and real images."""

from augstudy.dags.components.image import IMAGE
from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Output


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def curate(
    dataset: Input[Dataset],
    synthetic: Input[Dataset],
    curation: Output[Artifact],
    arms: list[dict],
    curation_settings: dict,
    classifier_recipe: str,
    classifier_settings: dict,
    gan_seed: int,
):
    """Choose images with a classifier trained on the level; skipped if no arm is filtered."""
    from augstudy.steps import adapters

    adapters.curate(locals())
