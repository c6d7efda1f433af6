"""Component: train the classifiers of a cell."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Model, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train_cnn(
    dataset: Input[Dataset],
    synthetic: Input[Dataset],
    classifier: Output[Model],
    arm: dict,
    seeds: list[int],
    recipe: str,
    settings: dict,
):
    """Train one classifier a seed on the training set of an arm."""
    from augstudy.stages import adapters

    adapters.train_cnn(dataset.path, synthetic.path, classifier.path, arm, seeds, recipe, settings)
