"""Evaluate the classifiers of a cell on the test split: the only step that reads it."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from augstudy.core import artifacts, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import InputError
from augstudy.core.files import write_arrays, write_json
from augstudy.data.dataset import Split, load_classes, load_spec, load_split, save_spec
from augstudy.metrics.classification import evaluate_predictions
from augstudy.metrics.label_noise import find_label_noise
from augstudy.models.backend import keras, prepare
from augstudy.settings.arms import Arm, spelled
from augstudy.settings.classifier import ClassifierSettings
from augstudy.training.predicting import predict, predict_as
from augstudy.training.saving import load_model

EXAMPLES_PER_CLASS = 4
SUSPECTS = 24
_GAN = "gan_"  # and the name of a set, among the inputs

logger = logging.getLogger("augstudy")


def run(
    dataset: Path,
    classifier: Path,
    out: Path,
    label: str = "",
    gans: Mapping[str, Path] | None = None,
) -> Artifact:
    """Publish predictions, metrics with 95 % intervals and example images of a cell.

    The artifact, of kind ``evaluation``, also carries the histories of its seeds, so that nothing
    later needs the models again, and the test images whose labels are probably wrong. The step is
    shown with `label`, by default that of the arm. For each of the `gans` by name whose
    discriminator names classes, ``discriminator-<name>.json`` says how good it is at that on the
    same images.

    Raises:
        InputError: classifier and dataset have different classes.
    """
    inputs = {
        "dataset": artifacts.read(dataset, "dataset"),
        "classifier": artifacts.read(classifier, "classifier"),
    }
    for name, gan in (gans or {}).items():
        inputs[f"{_GAN}{name}"] = artifacts.read(gan, "gan")
    label = label or spelled(inputs["classifier"].json("arm.json")["label"])
    with telemetry.stage("evaluate", label) as stage:
        classes = load_classes(inputs["dataset"])
        if inputs["classifier"].json("classes.json") != list(classes):
            raise InputError(f"{classifier} was trained on other classes than {dataset} holds.")
        if done := artifacts.find(out, "evaluation", inputs=inputs):
            logger.info("%s: already done", stage.title)
            return done
        with artifacts.publish(out, "evaluation", inputs=inputs) as folder:
            _evaluate(folder, inputs, list(classes), stage)
    return artifacts.read(out, "evaluation")


def _evaluate(
    folder: Path, inputs: dict[str, Artifact], classes: list[str], stage: telemetry.Stage
) -> None:
    prepare(seed=0)
    test, spec = load_split(inputs["dataset"], "test"), load_spec(inputs["dataset"])
    training = inputs["classifier"].json("training.json")
    seeds = [int(record["seed"]) for record in training]
    settings = _settings(inputs["classifier"])
    outputs, histories = [], []
    for index, seed in enumerate(seeds):
        stage.progress(index, len(seeds), f"seed {index + 1} of {len(seeds)}")
        model = load_model(inputs["classifier"].file(f"seed-{seed}/model.keras"))
        outputs.append(predict_as(settings, model, test.images, spec))
        history = pd.read_csv(inputs["classifier"].file(f"seed-{seed}/history.csv"))
        histories.append(history.assign(seed=seed))
    probabilities = np.stack(outputs)
    write_arrays(
        folder / "predictions.npz",
        probabilities=probabilities,
        labels=test.labels,
        rows=test.rows,
        seeds=np.array(seeds, np.int64),
    )
    save_spec(folder, spec)
    metrics = evaluate_predictions(probabilities, test.labels, classes, seeds)
    write_json(folder / "metrics.json", metrics)
    history = pd.concat(histories)
    history.insert(0, "seed", history.pop("seed"))
    history.to_csv(folder / "history.csv", index=False)
    arrays: dict[str, Any] = examples(test, probabilities[0], len(classes))
    write_arrays(folder / "examples.npz", **arrays)
    write_arrays(folder / "label_noise.npz", **suspects(test, probabilities.mean(axis=0)))
    for name, artifact in inputs.items():
        if name.startswith(_GAN):
            target = folder / f"discriminator-{name.removeprefix(_GAN)}.json"
            _evaluate_discriminator(target, artifact, test, classes)
    for name in ("arm.json", "training.json", "classes.json"):
        shutil.copyfile(inputs["classifier"].file(name), folder / name)


def _settings(classifier: Artifact) -> ClassifierSettings:
    """Those of the training: an image is looked at changed as the arm's training changed some."""
    recipe = ClassifierSettings.model_validate(classifier.manifest.config["settings"])
    return Arm.recorded(classifier.json("arm.json")).settings_in(recipe)


def _evaluate_discriminator(target: Path, gan: Artifact, test: Split, classes: list[str]) -> None:
    """Write `target`, if the GAN has a discriminator that names classes.

    That of a training that failed may predict nothing at all: then there is none to evaluate.
    """
    if "discriminator.keras" not in gan.manifest.files or load_classes(gan) != classes:
        return
    discriminator = load_model(gan.file("discriminator.keras"))
    found = class_probabilities(discriminator, test.images, len(classes))
    if found is not None and not np.isfinite(found).all():
        logger.warning("The discriminator of a failed training is not evaluated.")
    elif found is not None:
        seeds = [gan.manifest.seed or 0]
        metrics = evaluate_predictions(found[None], test.labels, classes, seeds)
        write_json(target, metrics)


def class_probabilities(
    discriminator: keras.Model, images: npt.NDArray[np.uint8], classes: int
) -> npt.NDArray[np.float32] | None:
    """What a discriminator takes images for: (N, C), or None if it names no class.

    Its last output are the logits of the classes, or those of each class once as real and once
    as generated, which are one class here.
    """
    head = discriminator.outputs[-1]
    if len(discriminator.inputs) != 1 or head.shape[-1] not in (classes, 2 * classes):
        return None
    logits = predict(keras.Model(discriminator.input, head), images).astype(np.float64)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    found: npt.NDArray[np.float32] = odds.reshape(len(images), -1, classes).sum(axis=1, dtype="f4")
    return found


def suspects(test: Split, probabilities: npt.NDArray[np.float32]) -> dict[str, npt.NDArray[Any]]:
    """The test images whose labels are probably wrong, and pictures of the first of them.

    Returns ``suspicious`` (N,), ``noise`` (the estimated share of wrong labels), and for the most
    suspicious :data:`SUSPECTS` images: ``images`` (K, height, width), ``labels``, ``suggested``
    and ``margin`` (K,).
    """
    found = find_label_noise(probabilities, test.labels)
    rows = found.ranked()[:SUSPECTS]
    return {
        "suspicious": found.suspicious,
        "noise": np.array(found.noise),
        "images": test.images[rows],
        "labels": test.labels[rows],
        "suggested": found.suggested[rows].astype(np.int32),
        "margin": found.margin[rows],
    }


def examples(
    test: Split, probabilities: npt.NDArray[np.float32], classes: int
) -> dict[str, npt.NDArray[Any]]:
    """For each class the surest right and the surest wrong predictions of the first seed.

    Returns images (K, height, width), labels, predicted and confidence (K,): at most
    :data:`EXAMPLES_PER_CLASS` of either sort a class.
    """
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    chosen: list[int] = []
    for label in range(classes):
        for right in (True, False):
            rows = np.flatnonzero((test.labels == label) & ((predicted == label) == right))
            surest = rows[np.argsort(-confidence[rows], kind="stable")]
            chosen.extend(surest[:EXAMPLES_PER_CLASS].tolist())
    rows = np.array(chosen, np.int64)
    return {
        "images": test.images[rows],
        "labels": test.labels[rows],
        "predicted": predicted[rows].astype(np.int32),
        "confidence": confidence[rows],
    }
