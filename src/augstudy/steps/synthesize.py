"""Let a GAN draw labelled images, and the control with the student report's labelling fault."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from augstudy.core import artifacts, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import InputError
from augstudy.core.files import write_json
from augstudy.core.rng import check_seed
from augstudy.data.dataset import load_classes, load_spec, save_spec
from augstudy.data.mixtures import Drawings
from augstudy.explain.sheet import draw_sheet
from augstudy.settings.sets import Copies
from augstudy.settings.spec import ImageSpec
from augstudy.training import copying
from augstudy.training.drawing import generate, load_generator
from augstudy.training.inspection import Inspection

logger = logging.getLogger("augstudy")

KIND = "synthetic"
SHEET_COLUMNS = 10


def run(
    gan: Path,
    out: Path,
    per_class: int | Sequence[int],
    seed: int = 0,
    dataset: Path | None = None,
    judge: Path | None = None,
    name: str = "",
    copies: Copies = "drop",
) -> Artifact:
    """Draw `per_class` images, one number or one per class, and publish them as kind ``synthetic``.

    ``fault_images`` repeats the fault of the student report: the same labels, but every image is
    drawn as one of the last class. With a `dataset` and a `judge`, ``quality.json`` measures the
    images; so that figures rest on equal numbers, images are drawn for measuring alone where
    those are too few. ``copies.json`` says which images are near copies of real ones; of validation
    and test images `copies` says what happens to them: others are drawn instead of those that are
    dropped. The step is shown with the `name` of the set.

    Raises:
        InputError: `per_class` is less than 1, there is no such seed, or no GAN.
    """
    wanted = [per_class] if isinstance(per_class, int) else list(per_class)
    if max(wanted) < 1:
        raise InputError(f"Cannot draw {max(wanted)} images per class: ask for at least 1.")
    check_seed(seed)
    with telemetry.stage("synthesize", name) as stage:
        inputs = {"gan": artifacts.read(gan, "gan")}
        if dataset is not None and judge is not None:
            inputs["dataset"] = artifacts.read(dataset, "dataset")
            inputs["judge"] = artifacts.read(judge, "judge")
        if len(set(wanted)) == 1:
            wanted = wanted[:1] * len(load_classes(inputs["gan"]))
        equal = len(set(wanted)) == 1
        config: dict[str, Any] = {"per_class": wanted[0] if equal else wanted, "seed": seed}
        if "dataset" in inputs:
            config["copies"] = copies
        if done := artifacts.find(out, KIND, inputs=inputs, config=config):
            logger.info("%s: already done", stage.title)
            return done
        with artifacts.publish(out, KIND, inputs=inputs, config=config, seed=seed) as folder:
            _draw(folder, inputs, np.array(wanted), seed, stage, copies)
    return artifacts.read(out, KIND)


def _draw(
    folder: Path,
    inputs: Mapping[str, Artifact],
    counts: npt.NDArray[np.int64],
    seed: int,
    stage: telemetry.Stage,
    copies: Copies,
) -> None:
    classes = load_classes(inputs["gan"])
    generator = load_generator(inputs["gan"])

    def draw(counts: npt.NDArray[np.int64], seed: int) -> Drawings:
        labels = np.repeat(np.arange(len(classes), dtype=np.int32), counts)
        return Drawings(generate(generator, labels, seed), labels)

    stage.progress(0, 1, "drawing")
    drawn = draw(counts, seed)
    fault = generate(generator, np.full_like(drawn.labels, len(classes) - 1), seed)
    if "dataset" in inputs:
        stage.progress(0, 1, "looking for copies")
        check = copying.check_of(inputs)
        found = check.copies(drawn.images)
        stays = copying.kept(found, copies, stage.label)
        copying.write(folder, check, drawn.images, found, copies, int((~stays).sum()))
        if not stays.all():
            drawn, fault = drawn.at(np.flatnonzero(stays)), fault[stays]
            others = draw(counts - drawn.counts(len(classes)), seed + 2)
            right = np.flatnonzero(copying.kept(check.copies(others.images), copies, stage.label))
            drawn = drawn + others.at(right)
            last = np.full(len(right), len(classes) - 1, np.int32)
            fault = np.concatenate([fault, generate(generator, last, seed + 2)])
    write(folder, drawn, classes, load_spec(inputs["gan"]), "Drawn by the generator")
    np.save(folder / "fault_images.npy", fault, allow_pickle=False)
    quality: dict[str, Any] = {"metrics": {}, "per_class": {}}
    if "judge" in inputs:
        inspection = Inspection(inputs["dataset"], inputs["judge"])
        missing = np.maximum(np.array(inspection.counts) - drawn.counts(len(classes)), 0)
        sets = [drawn, draw(missing, seed + 1)] if missing.any() else [drawn]
        quality = inspection.inspect(sets, stage.progress)
    write_json(folder / "quality.json", {"n": len(drawn.labels), **quality})


def write(
    folder: Path, drawings: Drawings, classes: Sequence[str], spec: ImageSpec, title: str
) -> None:
    """Write the images of a set, their labels, what they are like and a sheet of the first."""
    np.save(folder / "images.npy", drawings.images, allow_pickle=False)
    np.save(folder / "labels.npy", drawings.labels, allow_pickle=False)
    rows = [
        drawings.images[drawings.labels == label][:SHEET_COLUMNS] for label in range(len(classes))
    ]
    draw_sheet(folder / "sheet.png", rows, classes, title, spec)
    write_json(folder / "classes.json", list(classes))
    save_spec(folder, spec)
