"""Component: class activation maps of a cell."""

from augstudy.dags.components.image import IMAGE
from kfp import dsl
from kfp.dsl import Artifact, Input, Model, Output


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def cam(
    classifier: Input[Model],
    evaluation: Input[Artifact],
    maps: Output[Artifact],
):
    """Show which parts of an image the classifier looks at, for right and wrong answers."""
    from augstudy.steps import cells

    cells.cam(locals())
