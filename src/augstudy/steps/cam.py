"""Grad-CAM of right and of wrong predictions, for every class."""

import logging
import shutil
from collections.abc import Sequence
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


def run(classifier: Path | Sequence[Path], evaluation: Path, out: Path) -> Artifact:
    """Publish heat maps of the example images of `evaluation`, as an artifact of kind ``cam``.

    The classifier is that of the first seed, with folds the one that has not seen the image, of a
    list of one artifact per fold of the first draw. The maps speak for the class that it predicted.
    """
    paths = [classifier] if isinstance(classifier, Path) else classifier
    classifiers = [artifacts.read(path, "classifier") for path in paths]
    found = artifacts.read(evaluation, "evaluation")
    inputs = {
        f"classifier-fold-{at}" if at else "classifier": it for at, it in enumerate(classifiers)
    }
    inputs["evaluation"] = found
    with telemetry.stage("cam", found.json("arm.json")["label"]) as stage:
        if done := artifacts.find(out, "cam", inputs=inputs):
            logger.info("%s: already done", stage.title)
            return done
        with artifacts.publish(out, "cam", inputs=inputs) as folder:
            _explain(folder, classifiers, found)
    return artifacts.read(out, "cam")


def _explain(folder: Path, classifiers: Sequence[Artifact], evaluation: Artifact) -> None:
    prepare(seed=0)
    first = evaluation.json("training.json")[0]["seed"]
    with np.load(evaluation.file("examples.npz"), allow_pickle=False) as stored:
        examples = {name: stored[name] for name in stored.files}
    fold = examples.get("fold", np.zeros(len(examples["images"]), np.int16))
    heat = np.zeros(examples["images"].shape[:3], np.float16)
    for number, classifier in enumerate(classifiers):
        own = fold == number
        if own.any():
            model = load_model(classifier.file(f"seed-{first}/model.keras"))
            heat[own] = heat_maps(model, examples["images"][own], examples["predicted"][own])
    write_arrays(folder / "maps.npz", heat=heat, **examples)
    save_spec(folder, load_spec(evaluation))
    for name in ("arm.json", "classes.json"):
        shutil.copyfile(evaluation.file(name), folder / name)
