"""Component: compare new data with the champion's."""

from augstudy.dags.components.image import IMAGE
from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model, Output


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def validate(
    dataset: Input[Dataset],
    champion: Output[Model],
    reference: Output[Artifact],
    store: str,
    max_drift: float,
    max_shrink: float,
):
    """Fetch the champion, and fail if the new data differs from the data that it learnt from."""
    from augstudy.steps import retraining

    retraining.validate(locals())
