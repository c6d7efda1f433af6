"""Component: evaluate the classifiers of a cell on the test split."""

from augstudy.dags.components.image import IMAGE
from kfp import dsl
from kfp.dsl import Artifact, ClassificationMetrics, Dataset, Input, Model, Output


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def evaluate(
    dataset: Input[Dataset],
    classifier: Input[Model],
    evaluation: Output[Artifact],
    maps: Output[Artifact],
    curves: Output[ClassificationMetrics],
    label: str = "",
    explain: bool = False,
    looks: list[int] = [],  # noqa: B006
    gathered: Input[Artifact] = None,
):
    """Evaluate every classifier of the cell on the test images, once, and explain the first."""
    from augstudy.steps import cells

    found = cells.evaluate(locals())
    curves.metadata["display_name"] = found["title"]
    curves.log_roc_curve(*found["roc"])
    if found["confusion"]:
        curves.log_confusion_matrix(found["classes"], found["confusion"])
