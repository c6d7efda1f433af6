"""Let a GAN draw labelled images, and the control with the student report's labelling fault."""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from augstudy import artifacts, telemetry
from augstudy.artifacts import Artifact
from augstudy.data.dataset import load_classes
from augstudy.errors import InputError
from augstudy.files import write_json
from augstudy.models import conditional, spectral  # noqa: F401  registers the layers
from augstudy.training.drawing import generate
from augstudy.training.gan import Images, Labels
from augstudy.training.saving import load_model
from augstudy.training.sheet import draw_sheet
from augstudy.training.signals import mean_distance

logger = logging.getLogger("augstudy")

KIND = "synthetic"
SHEET_COLUMNS = 10
_DIVERSITY_IMAGES = 200


def run(
    gan: Path,
    out: Path,
    per_class: int,
    seed: int = 0,
    dataset: Path | None = None,
    judge: Path | None = None,
) -> Artifact:
    """Draw `per_class` images of every class and publish them as kind ``synthetic``.

    ``fault_images`` repeats the fault of the student report: the same labels, but every image is
    drawn as one of the last class.

    Raises:
        InputError: `per_class` is less than 1, or there is no GAN.
    """
    if per_class < 1:
        raise InputError(f"Cannot draw {per_class} images a class: ask for at least 1.")
    with telemetry.stage("synthesize") as stage:
        source = artifacts.read(gan, "gan")
        inputs = {"gan": source}
        if dataset is not None and judge is not None:
            inputs["dataset"] = artifacts.read(dataset, "dataset")
            inputs["judge"] = artifacts.read(judge, "judge")
        config = {"per_class": per_class, "seed": seed}
        if done := artifacts.find(out, KIND, inputs=inputs, config=config):
            logger.info("%s: already done", stage.title)
            return done
        classes = load_classes(source)
        generator = load_model(source.file("generator.keras"))
        labels = np.repeat(np.arange(len(classes), dtype=np.int32), per_class)
        stage.progress(0, 2, "drawing")
        images = generate(generator, labels, seed)
        stage.progress(1, 2, "drawing the control")
        fault = generate(generator, np.full_like(labels, len(classes) - 1), seed)
        with artifacts.publish(out, KIND, inputs=inputs, config=config, seed=seed) as folder:
            for name, array in (("images", images), ("labels", labels), ("fault_images", fault)):
                np.save(folder / f"{name}.npy", array, allow_pickle=False)
            write_json(folder / "classes.json", classes)
            write_json(folder / "quality.json", _quality(images, labels, classes))
            columns = min(SHEET_COLUMNS, per_class)
            grid = images.reshape(len(classes), per_class, 28, 28)[:, :columns]
            draw_sheet(folder / "sheet.png", grid, classes, "Drawn by the GAN")
        stage.progress(2, 2, "done")
    return artifacts.read(out, KIND)


def _quality(images: Images, labels: Labels, classes: list[str]) -> dict[str, Any]:
    """Cheap figures a class: how much its images vary, and their mean ink (share of full ink)."""
    by_class = {}
    for index, name in enumerate(classes):
        own = images[labels == index]
        by_class[name] = {
            "diversity": round(mean_distance(own[:_DIVERSITY_IMAGES]), 4),
            "ink": round(float(own.mean()) / 255, 4),
        }
    mixed = np.random.default_rng(0).permutation(len(images))[:_DIVERSITY_IMAGES]
    return {
        "n": len(images),
        "per_class": by_class,
        "diversity_within_class": _mean(by_class, "diversity"),
        "diversity_overall": round(mean_distance(images[mixed]), 4),
        "ink": _mean(by_class, "ink"),
    }


def _mean(by_class: dict[str, dict[str, float]], figure: str) -> float:
    return round(float(np.mean([values[figure] for values in by_class.values()])), 4)
