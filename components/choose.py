"""Component: choose the best point of a sweep on the validation images."""

from augstudy.dags.components.image import IMAGE
from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model, Output


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def choose(
    dataset: Input[Dataset],
    points: Input[list[Artifact]],
    base: Output[Model],
    chosen: Output[Model],
    metric: str = "auto",
):
    """Hand on the classifiers of the base and of the best point; test images are not read."""
    from augstudy.steps import tuning

    tuning.choose(locals())
