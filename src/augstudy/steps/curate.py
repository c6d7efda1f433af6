"""Judge images with a classifier of the level's training split, for the arms that are filtered.

Validation chooses the classifier's epoch and the thresholds; nothing here reads the test split.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from augstudy.core import artifacts, telemetry
from augstudy.core.arrays import Probabilities
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import InputError
from augstudy.core.files import write_arrays, write_json
from augstudy.core.rng import check_seed, named_generator
from augstudy.data.curation import Opinion, fold_shortage, opinion_of
from augstudy.data.dataset import Split, load_classes, load_spec, load_split
from augstudy.explain.sheet import draw_sheet
from augstudy.metrics.label_noise import self_confidence
from augstudy.models.backend import resolve_precision
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.judging import CurationSettings
from augstudy.settings.spec import ImageSpec
from augstudy.training import classifier, transfer
from augstudy.training.checkpoints import Keeper
from augstudy.training.predicting import predict_as

logger = logging.getLogger("augstudy")

KIND = "curation"
SHEET_COLUMNS = 6

Thresholds = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Filter:
    """A trained filter: its thresholds (C,), and how right it is about validation images."""

    probabilities: Callable[[npt.NDArray[np.uint8]], Probabilities]
    thresholds: Thresholds
    val_accuracy: float


def run(
    dataset: Path,
    out: Path,
    settings: CurationSettings,
    recipe: ClassifierSettings,
    seed: int = 0,
    synthetic: Path | None = None,
    real: bool = False,
    known: dict[str, _Filter] | None = None,
) -> Artifact:
    """Publish which images the filter lets through, as an artifact of kind ``curation``.

    ``synthetic.npz`` judges the rightly labelled synthetic images with a classifier trained on
    all training images. ``real.npz`` judges the training images themselves, each with a
    classifier that was trained without it (cross-fitting). Both hold ``confidence`` and ``kept``,
    see :class:`augstudy.data.curation.Opinion`.

    Args:
        dataset: whose training split the filter learns, and whose validation split chooses.
        out: folder of the artifact.
        settings: how strict the filter is.
        recipe: of the filter's classifier.
        seed: of the filter's training, which is not that of any arm with the same seed.
        synthetic: the images to judge.
        real: whether to judge the training images, too.
        known: the filter of all training images, if an earlier call with the same dataset, recipe
            and seed has put it here.

    Raises:
        InputError: there is nothing to judge, no such seed, the synthetic images are of other
            classes, or a class has fewer training images than there are folds.
    """
    if synthetic is None and not real:
        raise InputError("There is nothing to filter: give --synthetic, --real or both.")
    check_seed(seed)
    with telemetry.stage("curate") as stage:
        inputs = {"dataset": artifacts.read(dataset, "dataset")}
        if synthetic is not None:
            inputs["synthetic"] = artifacts.read(synthetic, "synthetic")
        config = {
            "curation": settings.model_dump(mode="json"),
            "settings": recipe.model_dump(mode="json"),
            "precision": resolve_precision(recipe.precision),
            "seed": seed,
            "real": real,
            **transfer.contents(recipe),
        }
        if done := artifacts.find(out, KIND, inputs=inputs, config=config):
            logger.info("%s: already done", stage.title)
            return done
        trainer = _Trainer(inputs, out, config, settings, recipe, stage)
        with artifacts.publish(out, KIND, inputs=inputs, config=config, seed=seed) as folder:
            _write(folder, inputs, trainer, real, {} if known is None else known)
        trainer.clear()
    return artifacts.read(out, KIND)


class _Trainer:
    """Trains filters on parts of the training split, each from its own checkpoint."""

    def __init__(
        self,
        inputs: Mapping[str, Artifact],
        out: Path,
        config: Mapping[str, Any],
        settings: CurationSettings,
        recipe: ClassifierSettings,
        stage: telemetry.Stage,
    ) -> None:
        self.settings = settings
        self.classes, self.spec = load_classes(inputs["dataset"]), load_spec(inputs["dataset"])
        self.train, self.val = (load_split(inputs["dataset"], name) for name in ("train", "val"))
        self.seed = int(config["seed"])
        self._inputs, self._out, self._config = inputs, out, config
        self._recipe, self._stage = recipe, stage
        self._trainings = (1 if "synthetic" in inputs else 0) + (
            settings.folds if config["real"] else 0
        )
        self._keepers: list[Keeper] = []

    def filter(self, name: str, rows: npt.NDArray[np.intp]) -> _Filter:
        """Train on the training images at `rows`."""
        index, count = len(self._keepers), self._trainings

        def progress(done: int, total: int, text: str) -> None:
            prefix = f"filter {index + 1} of {count}  "
            self._stage.progress(index * total + done, count * total, prefix + text)

        keeper = Keeper.beside(self._out, name, self._inputs, self._config)
        self._keepers.append(keeper)
        trained = classifier.train(
            self._recipe,
            (self.train.images[rows], self.train.labels[rows]),
            (self.val.images, self.val.labels),
            self.spec,
            classes=len(self.classes),
            seed=int(named_generator(self.seed, "filter", name).integers(2**31)),
            progress=progress,
            keeper=keeper,
        )
        keeper.write()

        def probabilities(images: npt.NDArray[np.uint8]) -> Probabilities:
            return predict_as(self._recipe, trained.model, images, self.spec)

        found = probabilities(self.val.images)
        return _Filter(
            probabilities,
            self.settings.strictness * self_confidence(found, self.val.labels),
            float(np.mean(found.argmax(axis=1) == self.val.labels)),
        )

    def clear(self) -> None:
        """Remove the checkpoints."""
        for keeper in self._keepers:
            keeper.clear()


def _write(
    folder: Path,
    inputs: Mapping[str, Artifact],
    trainer: _Trainer,
    real: bool,
    known: dict[str, _Filter],
) -> None:
    record: dict[str, Any] = {"classes": trainer.classes}
    if "synthetic" in inputs:
        record["synthetic"] = _judge_synthetic(folder, inputs["synthetic"], trainer, known)
    if real:
        record["real"] = _judge_real(folder, trainer)
    write_json(folder / "classes.json", trainer.classes)
    write_json(folder / "curation.json", record)


def _judge_synthetic(
    folder: Path, synthetic: Artifact, trainer: _Trainer, known: dict[str, _Filter]
) -> dict[str, Any]:
    if load_classes(synthetic) != trainer.classes:
        raise InputError(f"{synthetic.path} was made for other classes than the dataset's.")
    images, labels = (
        np.load(synthetic.file(f"{name}.npy"), allow_pickle=False) for name in ("images", "labels")
    )
    if "filter" not in known:
        known["filter"] = trainer.filter("filter", np.arange(len(trainer.train)))
    chosen = known["filter"]
    judged = opinion_of(chosen.probabilities(images), labels, chosen.thresholds)
    _save(folder, "synthetic", images, labels, judged, trainer.classes, trainer.spec)
    return _record(labels, judged, trainer.classes, [chosen])


def _judge_real(folder: Path, trainer: _Trainer) -> dict[str, Any]:
    """Judge each training image with a filter that has not learnt from it."""
    train, folds = trainer.train, trainer.settings.folds
    fold_of = _folds(train, folds, trainer.seed)
    confidence = np.zeros(len(train), np.float32)
    kept = np.zeros(len(train), bool)
    filters = []
    for fold in range(folds):
        held_out = fold_of == fold
        chosen = trainer.filter(f"fold-{fold}", np.flatnonzero(~held_out))
        found = opinion_of(
            chosen.probabilities(train.images[held_out]), train.labels[held_out], chosen.thresholds
        )
        confidence[held_out], kept[held_out] = found.confidence, found.kept
        filters.append(chosen)
    judged = Opinion(confidence, kept)
    _save(folder, "real", train.images, train.labels, judged, trainer.classes, trainer.spec)
    return _record(train.labels, judged, trainer.classes, filters)


def _folds(train: Split, folds: int, seed: int) -> npt.NDArray[np.intp]:
    """The fold of each training image: in every class as many of each, give or take one."""
    if short := fold_shortage(train.labels, folds):
        advice = "lower curation_settings.folds, or leave out real_filtered"
        raise InputError(f"{short[0].upper()}{short[1:]}: {advice}.")
    fold_of = np.zeros(len(train), np.intp)
    for label in np.unique(train.labels):
        rows = np.flatnonzero(train.labels == label)
        shuffled = named_generator(seed, "folds", int(label)).permutation(rows)
        fold_of[shuffled] = np.arange(len(rows)) % folds
    return fold_of


def _record(
    labels: npt.NDArray[np.int32], judged: Opinion, classes: list[str], filters: list[_Filter]
) -> dict[str, Any]:
    """What was kept, in all and by class; thresholds are means over the filters."""
    thresholds = np.mean([item.thresholds for item in filters], axis=0)
    kept = np.bincount(labels[judged.kept], minlength=len(classes))
    total = np.bincount(labels, minlength=len(classes))
    return {
        "judged": len(labels),
        "kept": int(judged.kept.sum()),
        "filters": len(filters),
        "filter_val_accuracy": float(np.mean([item.val_accuracy for item in filters])),
        "by_class": {
            name: {
                "judged": int(total[index]),
                "kept": int(kept[index]),
                "threshold": float(thresholds[index]),
            }
            for index, name in enumerate(classes)
        },
    }


def _save(
    folder: Path,
    what: str,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int32],
    judged: Opinion,
    classes: list[str],
    spec: ImageSpec,
) -> None:
    write_arrays(folder / f"{what}.npz", confidence=judged.confidence, kept=judged.kept)
    title = f"{what.capitalize()} images that were kept (left) and dropped (right)"
    rows = _sheet(images, labels, judged, len(classes))
    draw_sheet(folder / f"{what}.png", rows, classes, title, spec)


def _sheet(
    images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int32], judged: Opinion, classes: int
) -> list[list[npt.NDArray[np.uint8] | None]]:
    """Of each class the first images that were kept, a gap, and the first that were dropped."""

    def first(label: int, kept: bool) -> list[npt.NDArray[np.uint8] | None]:
        rows = np.flatnonzero((labels == label) & (judged.kept == kept))[:SHEET_COLUMNS]
        return [*images[rows], *[None] * (SHEET_COLUMNS - len(rows))]

    return [[*first(label, True), None, *first(label, False)] for label in range(classes)]
