"""Component: read the images and split them."""

from augstudy.dags.components.image import IMAGE
from kfp import dsl
from kfp.dsl import Dataset, Output


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def ingest(
    dataset: Output[Dataset],
    source: str,
    classes: list[str],
    train_per_class: int,
    val_per_class: int,
    test_per_class: int,
    level: int,
    data_seed: int,
    test_source: str,
    image_settings: dict,
    folds: int = 0,
    draws: int = 1,
    refresh: bool = False,
):
    """Read images from a source and split them into training, validation and test images."""
    from augstudy.steps import adapters

    adapters.ingest(locals())
