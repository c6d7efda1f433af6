"""The judge: a frozen classifier of real images through whose eyes synthetic ones are measured.

Inception, the usual eye, has never seen strokes. The judge has learnt to tell the very classes of
the study apart from real images alone, and is never one of the classifiers that are compared.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from augstudy.core.arrays import Images
from augstudy.core.artifacts import Artifact
from augstudy.models.backend import keras
from augstudy.models.recipes import classifier_recipe
from augstudy.settings.base import parse
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.judging import JudgeSettings
from augstudy.settings.spec import with_channels
from augstudy.training.saving import load_model

Features = npt.NDArray[np.float64]

KIND = "judge"
_BATCH = 256
_LEAST_SPREAD = 0.01


@dataclass(frozen=True)
class Judge:
    """A trained judge; `model` gives the penultimate activations and the class probabilities.

    ``mean`` and ``scale`` (D,) standardise the activations; ``accuracy`` is that on the validation
    images, which chose its epoch.
    """

    model: keras.Model
    mean: Features
    scale: Features
    mirror: bool
    accuracy: float
    settings: JudgeSettings

    def features(self, images: Images) -> Features:
        """What the judge sees in uint8 images (N, height, width[, 3]): float64 (N, D).

        Each of the D penultimate activations is shifted and scaled to mean 0 and standard
        deviation 1 over the images that the judge learnt from. What it sees in an image does
        not depend on the images beside it.
        """
        return (_forward(self.model, images, 0).astype(np.float64) - self.mean) / self.scale

    def probabilities(self, images: Images) -> npt.NDArray[np.float32]:
        """The classes that the judge sees in uint8 images (N, height, width[, 3]): (N, C)."""
        seen = _forward(self.model, images, 1)
        if self.mirror:
            seen = (seen + _forward(self.model, images[:, :, ::-1], 1)) / np.float32(2)
        return seen


def load(artifact: Artifact) -> Judge:
    """The judge of an artifact of kind ``judge``.

    Raises:
        DataError: its model cannot be read.
    """
    described = artifact.json("judge.json")
    with np.load(artifact.file("standardisation.npz"), allow_pickle=False) as stored:
        mean, scale = stored["mean"], stored["scale"]
    settings = parse(JudgeSettings, artifact.manifest.config["settings"], f"{artifact.path}")
    return Judge(
        model=with_features(load_model(artifact.file("model.keras"))),
        mean=mean,
        scale=scale,
        mirror=recipe(settings, 1, 1).mirror,
        accuracy=float(described["val_accuracy"]),
        settings=settings,
    )


def recipe(settings: JudgeSettings, steps: int, images: int) -> ClassifierSettings:
    """The recipe of the judge for about `steps` gradient steps over so many `images`.

    In float32 whatever the machine: an instrument shall not lose digits where it can be helped.
    """
    chosen = classifier_recipe(settings.classifier, {"precision": "float32"})
    epochs = max(1, round(steps / -(-images // chosen.batch_size)))
    return chosen.model_copy(update={"epochs": epochs})


def with_features(model: keras.Model) -> keras.Model:
    """`model`, a classifier, with the input of its last dense layer as a first output."""
    last = next(layer for layer in model.layers[::-1] if isinstance(layer, keras.layers.Dense))
    return keras.Model(model.inputs[0], [last.input, model.outputs[0]])


def standardisation(model: keras.Model, images: Images) -> tuple[Features, Features]:
    """Mean and scale (D,) of the penultimate activations of a classifier over `images`."""
    seen = _forward(with_features(model), images, 0).astype(np.float64)
    spread = seen.std(axis=0)
    # An activation that real images hardly move would otherwise outweigh all others.
    return seen.mean(axis=0), np.maximum(spread, _LEAST_SPREAD * max(float(spread.max()), 1e-9))


def _forward(model: keras.Model, images: Images, output: int) -> npt.NDArray[np.float32]:
    """One of the outputs for each image; all batches are of one size, the last one filled up."""
    parts = []
    for start in range(0, len(images), _BATCH):
        batch = with_channels(images[start : start + _BATCH])
        filled = np.concatenate(
            [batch, np.zeros((_BATCH - len(batch), *batch.shape[1:]), np.uint8)]
        )
        seen = keras.ops.convert_to_numpy(model(filled, training=False)[output])
        parts.append(seen[: len(batch)])
    return np.concatenate(parts).astype(np.float32)
