"""Grad-CAM of right and of wrong predictions, for every class."""

import logging
import shutil
from pathlib import Path

import numpy as np

from augstudy.core import artifacts, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.core.files import write_arrays
from augstudy.data.dataset import load_spec, save_spec
from augstudy.explain.gradcam import heat_maps
from augstudy.models.backend import prepare
from augstudy.training.saving import load_model

logger = logging.getLogger("augstudy")


def run(classifier: Path, evaluation: Path, out: Path) -> Artifact:
    """Publish heat maps of the example images of `evaluation`, as an artifact of kind ``cam``.

    The classifier is that of the first seed, and the maps speak for the class that it predicted.
    """
    inputs = {
        "classifier": artifacts.read(classifier, "classifier"),
        "evaluation": artifacts.read(evaluation, "evaluation"),
    }
    with telemetry.stage("cam", inputs["evaluation"].json("arm.json")["label"]) as stage:
        if done := artifacts.find(out, "cam", inputs=inputs):
            logger.info("%s: already done", stage.title)
            return done
        with artifacts.publish(out, "cam", inputs=inputs) as folder:
            _explain(folder, inputs)
    return artifacts.read(out, "cam")


def _explain(folder: Path, inputs: dict[str, Artifact]) -> None:
    prepare(seed=0)
    first = inputs["evaluation"].json("training.json")[0]["seed"]
    model = load_model(inputs["classifier"].file(f"seed-{first}/model.keras"))
    with np.load(inputs["evaluation"].file("examples.npz"), allow_pickle=False) as stored:
        examples = {name: stored[name] for name in stored.files}
    heat = heat_maps(model, examples["images"], examples["predicted"])
    write_arrays(folder / "maps.npz", heat=heat, **examples)
    save_spec(folder, load_spec(inputs["evaluation"]))
    for name in ("arm.json", "classes.json"):
        shutil.copyfile(inputs["evaluation"].file(name), folder / name)
