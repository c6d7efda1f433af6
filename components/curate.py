"""Component: let a filter judge synthetic and real drawings."""

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
    """Choose drawings with a classifier of the training split; skipped if no arm is filtered."""
    from augstudy.steps import adapters

    filters = {"settings": settings, "recipe": recipe, "overrides": recipe_settings}
    adapters.curate(dataset.path, synthetic.path, curation.path, arms, filters, seed)
