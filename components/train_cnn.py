"""Component: train the classifiers of a cell."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model, Output

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
    curation: Input[Artifact] = None,
):
    """Train one classifier per seed on the training set of the arm."""
    from augstudy.steps import cells

    given = {"dataset": dataset, "synthetic": synthetic, "curation": curation}
    inputs = {name: item.path for name, item in given.items() if item}
    cells.train_cnn(inputs, classifier.path, arm, seeds, recipe, settings)
