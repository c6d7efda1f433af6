"""Component: train the classifiers of a cell."""

from augstudy.dags.components.image import IMAGE
from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model, Output


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train_cnn(
    dataset: Input[Dataset],
    classifier: Output[Model],
    arm: dict,
    seeds: list[int],
    classifier_recipe: str,
    classifier_settings: dict,
    gathered: Input[Artifact] = None,
):
    """Train one classifier per seed on the training set of the arm."""
    from augstudy.steps import cells

    cells.train_cnn(locals())
