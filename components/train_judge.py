"""Component: train the judge of synthetic images."""

from augstudy.dags.components.image import IMAGE
from kfp import dsl
from kfp.dsl import Dataset, Input, Model, Output


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train_judge(
    dataset: Input[Dataset],
    judge: Output[Model],
    judge_settings: dict,
    arms: list[dict],
):
    """Train the classifier that measures synthetic images; skipped if no arm uses any."""
    from augstudy.steps import adapters

    adapters.train_judge(locals())
