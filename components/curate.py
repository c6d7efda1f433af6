"""Component: filter synthetic and real images."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def curate(
    dataset: Input[Dataset],
    synthetic: Input[Dataset],
    curation: Output[Artifact],
    arms: list[dict],
    settings: dict,
    recipe: str,
    recipe_settings: dict,
    seed: int,
):
    """Choose images with a classifier trained on the level; skipped if no arm is filtered."""
    from augstudy.steps import adapters

    filters = {"settings": settings, "recipe": recipe, "overrides": recipe_settings}
    adapters.curate(dataset.path, synthetic.path, curation.path, arms, filters, seed)
