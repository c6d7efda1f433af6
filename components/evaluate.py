"""Component: evaluate the classifiers of a cell on the test split."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def evaluate(
    dataset: Input[Dataset],
    classifier: Input[Model],
    evaluation: Output[Artifact],
    label: str = "",
):
    """Read the test split, once, with every classifier of the cell."""
    from augstudy.stages import adapters

    adapters.evaluate(dataset.path, classifier.path, evaluation.path, label)
