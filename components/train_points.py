"""Component: train one worker's share of the points of a sweep."""

from augstudy.dags.components.image import IMAGE
from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Output


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train_points(
    dataset: Input[Dataset],
    points: Output[Artifact],
    sweep: dict,
    classifier_recipe: str,
    classifier_settings: dict,
    seeds: list[int],
    worker: str,
    metric: str = "auto",
):
    """Train each point with all its seeds, one after the other."""
    from augstudy.steps import tuning

    tuning.train_points(locals())
