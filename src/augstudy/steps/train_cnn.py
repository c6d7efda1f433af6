"""Train one classifier per seed on the training set of an arm."""

import contextlib
import io
import json
import logging
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from augstudy.core import artifacts, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import InputError
from augstudy.core.files import write_json
from augstudy.core.rng import check_seeds
from augstudy.data import shares
from augstudy.data.curation import Opinion, TooFewDrawingsError
from augstudy.data.dataset import Split, load_classes, load_spec, load_split
from augstudy.data.mixtures import Drawings, Sources, Synthetic, training_set
from augstudy.models.backend import keras, resolve_precision
from augstudy.settings.arms import Arm
from augstudy.settings.classifier import ClassifierSettings
from augstudy.training import classifier, transfer
from augstudy.training.callbacks import Progress, Watch
from augstudy.training.checkpoints import Keeper
from augstudy.training.predicting import predict_as
from augstudy.training.saving import save_model

RECORD = "training.json"
VALIDATION = "val_predictions.npy"  # class indices (N,) of the validation images
_WIDTH = 88  # columns of the table of layers

logger = logging.getLogger("augstudy")


def run(
    dataset: Path,
    out: Path,
    arm: Arm,
    seeds: Sequence[int],
    settings: ClassifierSettings,
    synthetic: Path | None = None,
    curation: Path | None = None,
) -> Artifact:
    """Train a classifier per seed and publish them as an artifact of kind ``classifier``.

    A seed decides the initial weights, the order of the images, the augmentation, and which real
    images give way in the arms that replace some; equal seeds make arms comparable in pairs.
    Ended early, the next call goes on from the last checkpoint of each seed, and with a cache (see
    :mod:`augstudy.core.cache`) no seed is trained twice, whichever others it is asked for with.

    Raises:
        TooFewDrawingsError: the images that the arm needs are missing or too few.
        TrainingError: the loss of a seed became no finite number.
        InputError: the seeds are wrong, or the synthetic images are of other classes, or others
            than the filter has judged.
    """
    check_seeds(seeds)
    with telemetry.stage("train_cnn", arm.label) as stage:
        inputs = _read(dataset, arm, synthetic, curation)
        config = configuration(arm, seeds, settings)
        if done := artifacts.find(out, "classifier", inputs=inputs, config=config):
            logger.info("%s: already done", stage.title)
            return done
        keepers = {
            seed: Keeper.beside(out, f"seed-{seed}", inputs, {**config, "seeds": [seed]})
            for seed in seeds
        }
        with artifacts.publish(out, "classifier", inputs=inputs, config=config) as folder:
            cell = Cell(inputs, arm, settings)
            records = train_seeds(folder, cell, config, keepers, stage.progress)
            for record in records:
                told = stage.title, record["seed"], record["val_accuracy"]
                logger.info("%s seed %d: validation accuracy %.3f", *told)
            write_json(folder / RECORD, records)
            write_json(folder / "classes.json", cell.classes)
            write_json(folder / "arm.json", arm.record())
        for keeper in keepers.values():
            keeper.clear()
    return artifacts.read(out, "classifier")


def shortage(
    dataset: Path, arm: Arm, synthetic: Path | None = None, curation: Path | None = None
) -> str | None:
    """Why there are too few images for `arm`, as a sentence; None if there are enough."""
    inputs = _read(dataset, arm, synthetic, curation)
    classes = load_classes(inputs["dataset"])
    try:
        training_set(arm, _load_sources(arm, inputs, classes), classes=len(classes), seed=0)
    except TooFewDrawingsError as error:
        return str(error)
    return None


def _read(
    dataset: Path, arm: Arm, synthetic: Path | None, curation: Path | None
) -> dict[str, Artifact]:
    """The inputs that `arm` depends on, and no others: they decide whether it is made again."""
    inputs = {"dataset": artifacts.read(dataset, "dataset")}
    if arm.kind.synthetic and synthetic is not None:
        inputs["synthetic"] = artifacts.read(synthetic, "synthetic")
    if arm.kind.filtered and curation is not None:
        inputs["curation"] = artifacts.read(curation, "curation")
    return inputs


def configuration(arm: Arm, seeds: Sequence[int], settings: ClassifierSettings) -> dict[str, Any]:
    """What the classifiers of a cell depend on, beside its inputs."""
    return {
        "arm": arm.record(),
        "seeds": list(seeds),
        "settings": settings.model_dump(mode="json"),
        "precision": resolve_precision(settings.precision),
        **transfer.contents(settings),
    }


def train_seeds(
    folder: Path,
    cell: "Cell",
    config: Mapping[str, Any],
    keepers: Mapping[int, Keeper],
    progress: Progress,
) -> list[dict[str, Any]]:
    """Train `cell` with the seeds of the `keepers`, each into ``seed-<n>`` in `folder`.

    What the cache holds, or what is in `folder` already, is not trained again.

    Args:
        folder: inside a draft of an artifact.
        cell: what is trained on what.
        config: of :func:`configuration`.
        keepers: of the checkpoints, by seed.
        progress: told epochs done and to do, of all seeds, and how it goes.

    Returns:
        A record of each training.
    """
    records: list[dict[str, Any]] = []
    for index, (seed, keeper) in enumerate(keepers.items()):

        def tell(done: int, total: int, text: str, index: int = index) -> None:
            prefix = f"seed {index + 1} of {len(keepers)}  "
            progress(index * total + done, len(keepers) * total, prefix + text)

        train = partial(cell.train, seed=seed, progress=tell, keeper=keeper)
        target, own = folder / f"seed-{seed}", {**config, "seeds": [seed]}
        if not target.exists():
            artifacts.part(target, "seed", train, inputs=cell.inputs, config=own)
        records.append(json.loads((target / RECORD).read_text(encoding="utf-8")))
    return records


class Cell:
    """The data of an arm, and the training of one seed on it."""

    def __init__(
        self, inputs: Mapping[str, Artifact], arm: Arm, settings: ClassifierSettings
    ) -> None:
        self.inputs = inputs
        self.classes, self._spec = load_classes(inputs["dataset"]), load_spec(inputs["dataset"])
        self._arm = arm
        self._sources = _load_sources(arm, inputs, self.classes)
        self._validation = load_split(inputs["dataset"], "val")
        self._settings = arm.settings_in(settings)
        self._trainers: dict[int, classifier.Trainer] = {}

    def train(
        self,
        folder: Path,
        *,
        seed: int,
        progress: Progress,
        keeper: Keeper,
        watch: Watch | None = None,
    ) -> None:
        """Train one seed; its model, history, summary and record go into `folder`."""
        settings = self._settings
        mixture = training_set(self._arm, self._sources, classes=len(self.classes), seed=seed)
        before, told = None, progress
        if mixture.before is not None:
            first = keeper.within("before")
            before = self._trained(mixture.before, seed, keeper=first, progress=_half(progress, 0))
            first.write()
            before.history.to_csv(folder / "history_before.csv", index=False)
            told = _half(progress, 1)
        trained = self._trained(
            mixture, seed, keeper=keeper, progress=told, watch=watch, start=before
        )
        keeper.write()  # a seed that is done need not be trained again if the next one is cut short
        save_model(trained.model, folder / "model.keras")
        trained.history.to_csv(folder / "history.csv", index=False)
        (folder / "architecture.txt").write_text(_summary(trained.model), encoding="utf-8")
        seen = self._predicted(trained.model, self._validation)
        np.save(folder / VALIDATION, seen.astype(np.int16), allow_pickle=False)
        right = seen == self._validation.labels
        record = {
            "seed": seed,
            "epochs": len(trained.history),
            "best_epoch": trained.best_epoch,
            "steps": trained.steps + (before.steps if before else 0),
            "images": len(mixture) + len(mixture.before or ()),
            "budget": settings.budget,
            "train_accuracy": float(
                np.mean(self._predicted(trained.model, mixture) == mixture.labels)
            ),
            "val_accuracy": float(np.mean(right)),
            "val_balanced_accuracy": _balanced(right, self._validation.labels),
            "parameters": trained.model.count_params(),
        }
        write_json(folder / RECORD, record)

    def _trained(
        self,
        mixture: Drawings,
        seed: int,
        *,
        start: classifier.Trained | None = None,
        **told: Any,
    ) -> classifier.Trained:
        """Train on a mixture, perhaps from where a training before has ended."""
        count = len(mixture)
        if count not in self._trainers:  # every seed's mixture has as many images
            self._trainers[count] = classifier.Trainer(
                with_budget(self._settings, self._arm, len(self._sources.real), count),
                self._spec,
                classes=len(self.classes),
                images=count,
            )
        return self._trainers[count].train(
            (mixture.images, mixture.labels),
            (self._validation.images, self._validation.labels),
            seed=seed,
            weights=mixture.weights,
            in_epoch=(lambda epoch: mixture.in_epoch(epoch, seed)) if mixture.pool else None,
            start=start.model if start else None,
            **told,
        )

    def _predicted(self, model: keras.Model, source: Drawings | Split) -> npt.NDArray[np.intp]:
        found = predict_as(self._settings, model, source.images, self._spec)
        return np.asarray(found.argmax(axis=1))


def _half(progress: Progress, done: int) -> Progress:
    """Of a training in two parts, the progress of the first (0) or of the second (1)."""
    return lambda epoch, total, text: progress(epoch + done * total, 2 * total, text)


def with_budget(
    settings: ClassifierSettings, arm: Arm, real: int, images: int
) -> ClassifierSettings:
    """The settings with the epochs over `images` that the arm may make.

    With the budget ``steps``, as many as make the gradient steps of the arm ``real``: otherwise an
    arm that adds images would also train longer, and "more images help" could not be told from
    "more steps help". With the budget ``epochs`` every arm makes as many passes. An arm that is
    ``longer`` makes, with either, the steps that full epochs take with its share added. One that
    trains on its synthetic images ``first`` makes as many on either part, twice those of `real`.

    Args:
        settings: of the classifier.
        arm: the arm.
        real: real images of the level.
        images: in the training set of the arm.
    """
    size = settings.batch_size
    wanted = shares.steps(arm, real, images, size, settings.budget == "epochs")
    epochs = max(1, round(settings.epochs * wanted / -(-images // size)))
    return settings.model_copy(update={"epochs": epochs})


def _load_sources(arm: Arm, inputs: Mapping[str, Artifact], classes: Sequence[str]) -> Sources:
    """What `arm` may choose from, and nothing else: ``extra`` is read for arms that need it."""
    real, extra = load_split(inputs["dataset"], "train"), None
    if arm.kind.extra:
        beyond = load_split(inputs["dataset"], "extra")
        extra = Drawings(beyond.images, beyond.labels)
    synthetic, curation = inputs.get("synthetic"), inputs.get("curation")
    if (
        synthetic
        and curation
        and curation.manifest.inputs.get("synthetic") != synthetic.content_hash
    ):
        raise InputError(
            f"{curation.path} is about other images than those of {synthetic.path}: run "
            "'augstudy curate' on them."
        )
    rules = curation.manifest.config["curation"] if curation else {}
    return Sources(
        real=Drawings(real.images, real.labels),
        extra=extra,
        synthetic=_load_synthetic(synthetic, classes) if synthetic else None,
        synthetic_opinion=_load_opinion(curation, "synthetic"),
        real_opinion=_load_opinion(curation, "real"),
        balance=bool(rules.get("balance", True)),
        folds=int(rules.get("folds", 0)),
    )


def _load_synthetic(artifact: Artifact, classes: Sequence[str]) -> Synthetic:
    if artifact.json("classes.json") != list(classes):
        raise InputError(f"{artifact.path} was made for other classes than the dataset's.")
    images, labels = (
        np.load(artifact.file(f"{name}.npy"), allow_pickle=False) for name in ("images", "labels")
    )
    if "fault_rows.npy" in artifact.manifest.files:
        fault = images[np.load(artifact.file("fault_rows.npy"), allow_pickle=False)]
    else:
        fault = np.load(artifact.file("fault_images.npy"), allow_pickle=False)
    return Synthetic(Drawings(images, labels), Drawings(fault, labels))


def _load_opinion(curation: Artifact | None, what: str) -> Opinion | None:
    if curation is None or f"{what}.npz" not in curation.manifest.files:
        return None
    with np.load(curation.file(f"{what}.npz"), allow_pickle=False) as stored:
        return Opinion(stored["confidence"], stored["kept"])


def _summary(model: keras.Model) -> str:
    """The layers as a table, the same in a pod as in any terminal, whose width Keras asks for.

    So it does for the encoding: other lines are drawn where that is not UTF-8.
    """
    lines: list[str] = []
    utf8 = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(_WIDTH)
    try:
        with contextlib.redirect_stdout(utf8):
            model.summary(print_fn=lines.append, line_length=_WIDTH)
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before
    return "\n".join(lines) + "\n"


def _balanced(right: npt.NDArray[np.bool_], labels: npt.NDArray[np.integer[Any]]) -> float:
    """The mean over classes of the share of their images (N,) that are got right."""
    counts = np.bincount(labels)
    return float((np.bincount(labels, right)[counts > 0] / counts[counts > 0]).mean())
