"""Component: import synthetic images."""

from augstudy.dags.components.image import IMAGE
from kfp import dsl
from kfp.dsl import Dataset, Input, Model, Output


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def import_synthetic(
    dataset: Input[Dataset],
    judge: Input[Model],
    imported: Output[Dataset],
    sets: list[dict],
    copies: str,
    gan_recipe: str,
    arms: list[dict],
):
    """Read the sets of synthetic images that come from outside; skipped if there are none."""
    from augstudy.steps import adapters

    adapters.import_synthetic(locals())
