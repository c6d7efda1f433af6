"""Component: compare the new classifier with the champion."""

from augstudy.dags.components.image import IMAGE
from kfp import dsl
from kfp.dsl import Artifact, Input, Markdown, Metrics, Model, Output


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def promote(
    reference: Input[Artifact],
    classifier: Input[Model],
    challenger: Input[Artifact],
    champion: Input[Artifact],
    decision: Output[Artifact],
    metrics: Output[Metrics],
    verdict: Output[Markdown],
    store: str,
    metric: str,
    margin: float,
):
    """Compare both on the same test images, promote or hold, and say why."""
    from augstudy.steps import retraining

    for name, value in retraining.promote(locals()).items():
        metrics.log_metric(name, value)
