"""Evaluate the classifiers of a cell on the test split: the only step that reads it."""

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from augstudy.core import artifacts, telemetry
from augstudy.core.arrays import Probabilities
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import InputError
from augstudy.core.files import write_arrays, write_json
from augstudy.data.dataset import (
    KIND,
    Split,
    load_classes,
    load_spec,
    load_split,
    save_spec,
)
from augstudy.data.parts import Layout, Part, layout_of
from augstudy.metrics.classification import evaluate_predictions
from augstudy.metrics.label_noise import find_label_noise
from augstudy.models.backend import keras, prepare
from augstudy.settings.arms import Arm, spelled
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.spec import ImageSpec
from augstudy.training.predicting import predict, predict_as
from augstudy.training.saving import load_model

EXAMPLES_PER_CLASS = 4
SUSPECTS = 24
_GAN = "gan_"  # and the name of a set, among the inputs

logger = logging.getLogger("augstudy")


@dataclass(frozen=True)
class _Tested:
    """What is evaluated on the same test images: the classifiers of a part, and discriminators."""

    test: Split
    classifier: Artifact
    gans: dict[str, Artifact]


def run(
    dataset: Path,
    classifier: Path | Sequence[Path],
    out: Path,
    label: str = "",
    gans: Mapping[str, Path | Sequence[Path]] | None = None,
    keep: bool = False,
) -> Artifact:
    """Publish predictions, metrics with 95 % intervals and example images of a cell.

    The artifact, of kind ``evaluation``, also carries the histories of its seeds, so that nothing
    later needs the models again, and the test images whose labels are probably wrong. The step is
    shown with `label`, by default that of the arm. For each of the `gans` by name whose
    discriminator names classes, ``discriminator-<name>.json`` says how good it is at that on the
    same images.

    Of a dataset with folds, the test images of all folds are evaluated together, each by the
    classifiers of its fold; those of all draws are evaluated on the same images, one draw after the
    other. `classifier` and each of the `gans` are then lists of one per part of the dataset.
    ``fold`` in ``predictions.npz`` says which images belong to which fold, and ``draw`` which seeds
    to which draw. Discriminators are those of the first draw.

    To `keep` what the trainings left in a store of checkpoints is to name it in the evaluation, for
    who reads that: a later round of the study takes it up.

    Raises:
        InputError: classifier and dataset have different classes, or not as many parts.
    """
    source = artifacts.read(dataset, KIND)
    classifiers = _read(classifier, "classifier")
    generators = {name: _read(given, "gan") for name, given in (gans or {}).items()}
    layout = layout_of(dataset)
    count = len(layout.parts)
    for found in (classifiers, *generators.values()):
        if len(found) != count:
            raise InputError(
                f"{dataset} has {count} part{'s' if count > 1 else ''} (draws and folds), but what "
                f"is evaluated, such as {found[0].path}, is of {len(found)}: give what was trained "
                "on each."
            )
    inputs = {"dataset": source, **_named("classifier", classifiers, layout)}
    for name, found in generators.items():
        inputs |= _named(f"{_GAN}{name}", found, layout)
    label = label or spelled(classifiers[0].json("arm.json")["label"])
    with telemetry.stage("evaluate", label) as stage:
        classes = load_classes(source)
        if any(item.json("classes.json") != list(classes) for item in classifiers):
            raise InputError(
                f"{classifiers[0].path} was trained on other classes than {dataset} holds."
            )
        if done := artifacts.find(out, "evaluation", inputs=inputs):
            logger.info("%s: already done", stage.title)
            return done
        datasets = [source]
        datasets += [artifacts.read(layout.place(dataset, it), KIND) for it in layout.parts[1:]]
        if layout.several:
            _check_unseen(datasets, classifiers, layout)
        tested = [
            _Tested(
                load_split(datasets[number], "test"),
                classifiers[number],
                {name: found[number] for name, found in generators.items()},
            )
            for number in range(count)
        ]
        if keep:
            for item in classifiers:
                stage.checkpoints += item.manifest.provenance.get(artifacts.CHECKPOINTS, ())
        with artifacts.publish(out, "evaluation", inputs=inputs) as folder:
            _evaluate(folder, tested, layout, load_spec(source), list(classes), stage)
    return artifacts.read(out, "evaluation")


def _read(given: Path | Sequence[Path], kind: str) -> list[Artifact]:
    paths = [given] if isinstance(given, Path) else given
    return [artifacts.read(path, kind) for path in paths]


def _named(name: str, found: Sequence[Artifact], layout: Layout) -> dict[str, Artifact]:
    """Those of the parts by name, as inputs."""
    first, *others = found
    places = zip(layout.parts[1:], others, strict=True)
    return {name: first} | {f"{name}-{layout.name(part)}": item for part, item in places}


def _check_unseen(
    datasets: Sequence[Artifact], classifiers: Sequence[Artifact], layout: Layout
) -> None:
    """Refuse classifiers of another part than their place: they have seen its test images."""
    for part, dataset, classifier in zip(layout.parts, datasets, classifiers, strict=True):
        if classifier.manifest.inputs.get("dataset") != dataset.content_hash:
            raise InputError(
                f"{classifier.path} was not trained on {layout.name(part)} of {datasets[0].path}: "
                "give the classifiers in the order of draws and folds."
            )


def _evaluate(
    folder: Path,
    tested: Sequence[_Tested],
    layout: Layout,
    spec: ImageSpec,
    classes: list[str],
    stage: telemetry.Stage,
) -> None:
    prepare(seed=0)
    training = _training(tested, layout)
    outputs: list[Probabilities] = []
    histories: list[pd.DataFrame] = []
    for part, item in zip(layout.parts, tested, strict=True):
        settings, of_part = _settings(item.classifier), []
        for seed in _seeds(item):
            done = len(histories)
            stage.progress(done, len(training), f"seed {done + 1} of {len(training)}")
            model = load_model(item.classifier.file(f"seed-{seed}/model.keras"))
            of_part.append(predict_as(settings, model, item.test.images, spec))
            history = pd.read_csv(item.classifier.file(f"seed-{seed}/history.csv"))
            history.insert(0, "seed", seed)
            for place, number in reversed(_place(part, layout).items()):
                history.insert(1, place, number)
            histories.append(history)
        outputs.append(np.stack(of_part))
    folds = range(0, len(tested), layout.folds)  # where those of each draw begin
    probabilities = np.concatenate(
        [np.concatenate(outputs[at : at + layout.folds], axis=1) for at in folds]
    )
    first = tested[: layout.folds]
    test, own = _joined([item.test for item in first]), _numbers(first)
    by_draw = [_seeds(tested[at]) for at in folds]
    seeds = [seed for of_draw in by_draw for seed in of_draw]
    draw = np.repeat(np.arange(layout.draws, dtype=np.int16), [len(it) for it in by_draw])
    write_arrays(
        folder / "predictions.npz",
        probabilities=probabilities,
        labels=test.labels,
        rows=test.rows,
        seeds=np.array(seeds, np.int64),
        **({"draw": draw} if layout.draws > 1 else {}),
        **own,
    )
    save_spec(folder, spec)
    metrics = evaluate_predictions(probabilities, test.labels, classes, seeds, draws=draw)
    write_json(folder / "metrics.json", metrics)
    pd.concat(histories).to_csv(folder / "history.csv", index=False)
    arrays: dict[str, Any] = examples(test, probabilities[0], len(classes), **own)
    write_arrays(folder / "examples.npz", **arrays)
    write_arrays(folder / "label_noise.npz", **suspects(test, probabilities.mean(axis=0)))
    for name in first[0].gans:
        target = folder / f"discriminator-{name}.json"
        _evaluate_discriminator(target, [(it.gans[name], it.test) for it in first], classes)
    write_json(folder / "training.json", training)
    for name in ("arm.json", "classes.json"):
        shutil.copyfile(first[0].classifier.file(name), folder / name)


def _training(tested: Sequence[_Tested], layout: Layout) -> list[dict[str, Any]]:
    """The records of all trainings; with draws and folds, they say of which."""
    return [
        record | _place(part, layout)
        for part, item in zip(layout.parts, tested, strict=True)
        for record in item.classifier.json("training.json")
    ]


def _place(part: Part, layout: Layout) -> dict[str, int]:
    """Which draw and which fold a part is, as far as there are several."""
    found = {"draw": part.draw} if layout.draws > 1 else {}
    return found | ({"fold": part.fold} if layout.folds > 1 else {})


def _seeds(item: _Tested) -> list[int]:
    return [int(record["seed"]) for record in item.classifier.json("training.json")]


def _numbers(folds: Sequence[_Tested]) -> dict[str, npt.NDArray[np.int16]]:
    """The ``fold`` of each test image (N,); nothing without folds."""
    if len(folds) == 1:
        return {}
    sizes = [len(item.test) for item in folds]
    return {"fold": np.repeat(np.arange(len(folds), dtype=np.int16), sizes)}


def _joined(parts: Sequence[Split]) -> Split:
    """The images of several test splits as one."""
    if len(parts) == 1:
        return parts[0]
    names = ("images", "labels", "rows")
    return Split(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _settings(classifier: Artifact) -> ClassifierSettings:
    """Those of the training: an image is looked at changed as the arm's training changed some."""
    recipe = ClassifierSettings.model_validate(classifier.manifest.config["settings"])
    return Arm.recorded(classifier.json("arm.json")).settings_in(recipe)


def _evaluate_discriminator(
    target: Path, gans: Sequence[tuple[Artifact, Split]], classes: list[str]
) -> None:
    """Write `target`, if the GAN of each fold has a discriminator that names classes.

    That of a training that failed may predict nothing at all: then there is none to evaluate.
    """
    parts = []
    for gan, test in gans:
        if "discriminator.keras" not in gan.manifest.files or load_classes(gan) != classes:
            return
        discriminator = load_model(gan.file("discriminator.keras"))
        found = class_probabilities(discriminator, test.images, len(classes))
        if found is None:
            return
        if not np.isfinite(found).all():
            logger.warning("The discriminator of a failed training is not evaluated.")
            return
        parts.append(found)
    labels = np.concatenate([test.labels for _, test in gans])
    seeds = [gans[0][0].manifest.seed or 0]
    write_json(target, evaluate_predictions(np.concatenate(parts)[None], labels, classes, seeds))


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
    test: Split,
    probabilities: npt.NDArray[np.float32],
    classes: int,
    **more: npt.NDArray[Any],
) -> dict[str, npt.NDArray[Any]]:
    """For each class the surest right and the surest wrong predictions of the first seed.

    Returns images (K, height, width), labels, predicted and confidence (K,): at most
    :data:`EXAMPLES_PER_CLASS` of either sort a class. What there is `more` to say of each test
    image (N,) is said of these, too.
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
        **{name: values[rows] for name, values in more.items()},
    }
