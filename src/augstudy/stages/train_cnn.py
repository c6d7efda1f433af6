"""Train one classifier a seed on the training set of an arm."""

import json
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from augstudy import artifacts, telemetry
from augstudy.artifacts import Artifact
from augstudy.backend import keras, resolve_precision
from augstudy.config import Arm, ClassifierSettings
from augstudy.data.dataset import Split, load_classes, load_split
from augstudy.data.mixtures import Drawings, Synthetic, training_set
from augstudy.errors import InputError
from augstudy.files import write_json
from augstudy.training import classifier
from augstudy.training.callbacks import Progress
from augstudy.training.checkpoints import Keeper
from augstudy.training.saving import save_model

RECORD = "training.json"

logger = logging.getLogger("augstudy")


def run(
    dataset: Path,
    out: Path,
    arm: Arm,
    seeds: Sequence[int],
    settings: ClassifierSettings,
    synthetic: Path | None = None,
) -> Artifact:
    """Train a classifier a seed and publish them as an artifact of kind ``classifier``.

    A seed decides the initial weights, the order of the images, the augmentation, and which real
    drawings give way in the arms that replace some; equal seeds make arms comparable in pairs.
    Ended early, the next call goes on from the last checkpoint of each seed, and with a cache (see
    :mod:`augstudy.cache`) no seed is trained twice, whichever others it is asked for with.

    Raises:
        InputError: no seed, a seed twice, or synthetic drawings missing, too few or of other
            classes.
    """
    if not seeds or len(set(seeds)) != len(seeds):
        raise InputError(f"Seeds must be distinct and at least one, not {list(seeds)}.")
    with telemetry.stage("train_cnn", arm.label) as stage:
        inputs = {"dataset": artifacts.read(dataset, "dataset")}
        if arm.share is not None and synthetic is not None:
            inputs["synthetic"] = artifacts.read(synthetic, "synthetic")
        config = {
            "arm": arm.model_dump(),
            "seeds": list(seeds),
            "settings": settings.model_dump(mode="json"),
            "precision": resolve_precision(settings.precision),
        }
        if done := artifacts.find(out, "classifier", inputs=inputs, config=config):
            logger.info("%s: already done", stage.title)
            return done
        keepers = {
            seed: Keeper.beside(out, f"seed-{seed}", inputs, {**config, "seeds": [seed]})
            for seed in seeds
        }
        with artifacts.publish(out, "classifier", inputs=inputs, config=config) as folder:
            _train_seeds(folder, inputs, config, arm, settings, keepers, stage)
        for keeper in keepers.values():
            keeper.clear()
    return artifacts.read(out, "classifier")


def _train_seeds(
    folder: Path,
    inputs: dict[str, Artifact],
    config: Mapping[str, Any],
    arm: Arm,
    settings: ClassifierSettings,
    keepers: Mapping[int, Keeper],
    stage: telemetry.Stage,
) -> None:
    cell = _Cell(inputs, arm, settings)
    records: list[dict[str, Any]] = []
    for index, (seed, keeper) in enumerate(keepers.items()):

        def progress(done: int, total: int, text: str, index: int = index) -> None:
            prefix = f"seed {index + 1} of {len(keepers)}  "
            stage.progress(index * total + done, len(keepers) * total, prefix + text)

        train = partial(cell.train, seed=seed, progress=progress, keeper=keeper)
        target = folder / f"seed-{seed}"
        artifacts.part(target, "seed", train, inputs=inputs, config={**config, "seeds": [seed]})
        records.append(json.loads((target / RECORD).read_text()))
        logger.info(
            "%s seed %d: validation accuracy %.3f", stage.title, seed, records[-1]["val_accuracy"]
        )
    write_json(folder / RECORD, records)
    write_json(folder / "classes.json", cell.classes)
    write_json(folder / "arm.json", {**arm.model_dump(), "label": arm.label})


class _Cell:
    """The data of an arm, and the training of one seed on it."""

    def __init__(
        self, inputs: Mapping[str, Artifact], arm: Arm, settings: ClassifierSettings
    ) -> None:
        self.classes = load_classes(inputs["dataset"])
        real, self._validation = (load_split(inputs["dataset"], name) for name in ("train", "val"))
        self._real = Drawings(real.images, real.labels)
        self._synthetic = (
            _load_synthetic(inputs["synthetic"], self.classes) if "synthetic" in inputs else None
        )
        self._arm = arm
        self._settings = settings.model_copy(update={"augmentation": settings.augmentation_of(arm)})
        self._trainer: classifier.Trainer | None = None

    def train(self, folder: Path, *, seed: int, progress: Progress, keeper: Keeper) -> None:
        """Train one seed; its model, history, summary and record go into `folder`."""
        mixture = training_set(
            self._arm, self._real, self._synthetic, classes=len(self.classes), seed=seed
        )
        if self._trainer is None:  # every seed's mixture has as many images
            self._trainer = classifier.Trainer(
                with_equal_steps(self._settings, len(self._real.images), len(mixture.images)),
                classes=len(self.classes),
                images=len(mixture.images),
            )
        trained = self._trainer.train(
            (mixture.images, mixture.labels),
            (self._validation.images, self._validation.labels),
            seed=seed,
            progress=progress,
            keeper=keeper,
        )
        keeper.write()  # a seed that is done need not be trained again if the next one is cut short
        save_model(trained.model, folder / "model.keras")
        trained.history.to_csv(folder / "history.csv", index=False)
        (folder / "architecture.txt").write_text(_summary(trained.model))
        record = {
            "seed": seed,
            "epochs": len(trained.history),
            "best_epoch": trained.best_epoch,
            "steps": trained.steps,
            "images": len(mixture.images),
            "train_accuracy": _accuracy(trained.model, mixture, self._settings.mirror),
            "val_accuracy": _accuracy(trained.model, self._validation, self._settings.mirror),
            "parameters": trained.model.count_params(),
        }
        write_json(folder / RECORD, record)


def with_equal_steps(settings: ClassifierSettings, real: int, images: int) -> ClassifierSettings:
    """The settings with so many epochs over `images` as make the same steps as over `real`.

    Otherwise an arm that adds images would also train longer, and "more images help" could not be
    told from "more steps help".
    """
    wanted, an_epoch = (-(-count // settings.batch_size) for count in (real, images))
    epochs = max(1, round(settings.epochs * wanted / an_epoch))
    return settings.model_copy(update={"epochs": epochs})


def _load_synthetic(artifact: Artifact, classes: Sequence[str]) -> Synthetic:
    if artifact.json("classes.json") != list(classes):
        raise InputError(f"{artifact.path} was made for other classes than the dataset's.")
    images, fault, labels = (
        np.load(artifact.file(f"{name}.npy"), allow_pickle=False)
        for name in ("images", "fault_images", "labels")
    )
    return Synthetic(Drawings(images, labels), Drawings(fault, labels))


def _accuracy(model: keras.Model, drawings: Drawings | Split, mirror: bool) -> float:
    predicted = classifier.predict(model, drawings.images, mirror=mirror).argmax(axis=1)
    return float(np.mean(predicted == drawings.labels))


def _summary(model: keras.Model) -> str:
    lines: list[str] = []
    model.summary(print_fn=lines.append, line_length=88)
    return "\n".join(lines) + "\n"
