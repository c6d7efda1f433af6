"""Choose the best point of a sweep on the validation images."""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from augstudy.core import artifacts, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.core.files import write_json
from augstudy.data.dataset import load_split
from augstudy.settings.arms import Arm
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.comparing import AskedMetric
from augstudy.steps import train_cnn
from augstudy.steps.train_points import MODELS
from augstudy.tuning.points import Trained, best, gather
from augstudy.tuning.sweep import BASE

CHOSEN = "chosen"

logger = logging.getLogger("augstudy")


def run(
    dataset: Path,
    points: Sequence[Path],
    base_out: Path,
    chosen_out: Path,
    metric: AskedMetric = "auto",
) -> str:
    """Publish the classifiers of the base and of the best point, ready to be evaluated.

    The best has the highest mean metric on validation images; the base is among the candidates.

    Returns:
        The point that was chosen.

    Raises:
        InputError: the base was not trained.
    """
    with telemetry.stage("choose") as stage:
        data = artifacts.read(dataset, "dataset")
        read = [artifacts.read(path, "points") for path in points]
        found = gather(read, load_split(data, "val").labels, metric)
        chosen = best(found)
        _publish(base_out, BASE, found[0], data, read)
        _publish(chosen_out, CHOSEN, chosen, data, read)
        stage.progress(1, 1, chosen.id)
        logger.info("%s: %s", stage.title, chosen.id)
    return chosen.id


def _publish(
    out: Path, name: str, point: Trained, dataset: Artifact, workers: Sequence[Artifact]
) -> None:
    """Publish one point as an artifact of kind ``classifier``."""
    arm, settings = Arm(arm="real", name=name), ClassifierSettings.model_validate(point.settings)
    config = train_cnn.configuration(arm, point.seeds, settings)
    source = next(item for item in workers if (item.path / MODELS / point.id).is_dir())
    with artifacts.publish(out, "classifier", inputs={"dataset": dataset}, config=config) as folder:
        shutil.copytree(source.path / MODELS / point.id, folder, dirs_exist_ok=True)
        shutil.copyfile(source.file("classes.json"), folder / "classes.json")
        write_json(folder / train_cnn.RECORD, point.training)
        write_json(folder / "arm.json", arm.record() | {"point": point.id})
