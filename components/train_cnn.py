"""Component: train the classifiers of a cell."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Model, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train_cnn(
    dataset: Input[Dataset],
    classifier: Output[Model],
    arm: dict,
    seeds: list[int],
    recipe: str,
    settings: dict,
    synthetic: Input[Dataset] = None,
):
    """Train one classifier a seed on the training set of an arm."""
    from augstudy.stages import adapters

    images = synthetic.path if synthetic else ""
    adapters.train_cnn(dataset.path, images, classifier.path, arm, seeds, recipe, settings)
