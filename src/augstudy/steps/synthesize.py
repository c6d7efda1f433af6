"""Let a GAN draw labelled images, and the control with the student report's labelling fault."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from augstudy.core import artifacts, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import InputError
from augstudy.core.files import write_json
from augstudy.core.rng import check_seed
from augstudy.data.dataset import load_classes
from augstudy.data.mixtures import Drawings
from augstudy.explain.sheet import draw_sheet
from augstudy.training.drawing import generate, load_generator
from augstudy.training.inspection import Inspection

logger = logging.getLogger("augstudy")

KIND = "synthetic"
SHEET_COLUMNS = 10


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
    drawn as one of the last class. With a `dataset` and a `judge`, ``quality.json`` measures the
    images; so that figures rest on equal numbers, images are drawn for measuring alone where
    `per_class` is too small.

    Raises:
        InputError: `per_class` is less than 1, there is no such seed, or no GAN.
    """
    if per_class < 1:
        raise InputError(f"Cannot draw {per_class} images per class: ask for at least 1.")
    check_seed(seed)
    with telemetry.stage("synthesize") as stage:
        inputs = {"gan": artifacts.read(gan, "gan")}
        if dataset is not None and judge is not None:
            inputs["dataset"] = artifacts.read(dataset, "dataset")
            inputs["judge"] = artifacts.read(judge, "judge")
        config = {"per_class": per_class, "seed": seed}
        if done := artifacts.find(out, KIND, inputs=inputs, config=config):
            logger.info("%s: already done", stage.title)
            return done
        with artifacts.publish(out, KIND, inputs=inputs, config=config, seed=seed) as folder:
            _draw(folder, inputs, per_class, seed, stage)
    return artifacts.read(out, KIND)


def _draw(
    folder: Path,
    inputs: Mapping[str, Artifact],
    per_class: int,
    seed: int,
    stage: telemetry.Stage,
) -> None:
    classes = load_classes(inputs["gan"])
    generator = load_generator(inputs["gan"])

    def draw(count: int, seed: int) -> Drawings:
        labels = np.repeat(np.arange(len(classes), dtype=np.int32), count)
        return Drawings(generate(generator, labels, seed), labels)

    stage.progress(0, 1, "drawing")
    drawn = draw(per_class, seed)
    fault = generate(generator, np.full_like(drawn.labels, len(classes) - 1), seed)
    for name, array in (
        ("images", drawn.images),
        ("labels", drawn.labels),
        ("fault_images", fault),
    ):
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    grid = drawn.images.reshape(len(classes), per_class, *drawn.images.shape[1:])[:, :SHEET_COLUMNS]
    draw_sheet(folder / "sheet.png", grid, classes, "Drawn by the GAN")
    write_json(folder / "classes.json", classes)
    quality: dict[str, Any] = {"metrics": {}, "per_class": {}}
    if "judge" in inputs:
        inspection = Inspection(inputs["dataset"], inputs["judge"])
        missing = inspection.per_class - per_class
        sets = [drawn, draw(missing, seed + 1)] if missing > 0 else [drawn]
        quality = inspection.inspect(sets, stage.progress)
    write_json(folder / "quality.json", {"n": len(drawn.labels), **quality})
