"""Toy images of any size that every network must take; run as a script, it prints findings as JSON.

    python sizes_toy.py NAME ...

NAME is a recipe of a classifier or of a GAN.
"""

import json
import sys

import numpy as np

from augstudy.models import classifiers
from augstudy.models.backend import keras
from augstudy.models.gan_recipes import gan_recipe
from augstudy.models.recipes import classifier_recipe
from augstudy.settings.spec import DRAWING, ImageSpec
from augstudy.training import classifier, gan
from augstudy.training.drawing import generate
from augstudy.training.predicting import predict_as

SPECS = (DRAWING, ImageSpec(32, 32, 3), ImageSpec(48, 64, 3))
# XLA takes half a minute of a core to compile a GAN.
GAN_SPECS = SPECS[-1:] if keras.backend.backend() == "jax" else SPECS[1:]


def bars(spec: ImageSpec, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Class 0: an upright bar; class 1: one that lies, on paper or on a ground of any colour."""
    random = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int32) % 2
    images = np.zeros((count, *spec.shape), np.uint8)
    thick = min(spec.plane) // 7
    for image, label in zip(images, labels, strict=True):
        if not spec.is_drawing:
            image[:] = random.integers(40, 120, spec.channels)
            image += random.integers(0, 30, spec.shape).astype(np.uint8)
        upright = image if label == 0 else image.swapaxes(0, 1)
        length, width = upright.shape[:2]
        left = random.integers(width // 5, 4 * width // 5 - thick)
        upright[length // 5 : 4 * length // 5, left : left + thick] = random.integers(180, 256)
    return images.reshape(count, *spec.stored), labels


def accuracy(name: str, spec: ImageSpec) -> float:
    """Of a classifier that learnt from 64 images, on others."""
    few = {
        "epochs": 8,
        "batch_size": 16,
        "precision": "float32",
        "label_smoothing": 0.0,
        "views": 1,
    }
    # Turned and slanted bars are harder to tell than eight epochs allow.
    settings = classifier_recipe(name, {**few, "augmentation": {"rotation": 0, "shear": 0}})
    trained = classifier.train(
        settings, bars(spec, 64, 1), bars(spec, 32, 2), spec, classes=2, seed=0
    )
    images, labels = bars(spec, 64, 3)
    found = predict_as(settings, trained.model, images, spec).argmax(axis=1)
    return float(np.mean(found == labels))


def stepped(name: str, spec: ImageSpec) -> dict[str, object]:
    """Two steps of a GAN: are its losses finite, and is what it draws like the images?"""
    few = {"steps": 2, "batch_size": 4, "evaluations": 1, "precision": "float32"}
    few |= {"sampling_steps": 2} if name == "diffusion" else {}
    images, labels = bars(spec, 8, 1)
    trained = gan.train(gan_recipe(name, few), images, labels, spec, classes=2, seed=0)
    losses = [row[key] for row in trained.history for key in row if key.endswith("_loss")]
    drawn = generate(trained.generator, [0, 1, 1], seed=1)
    return {"finite": bool(np.isfinite(losses).all()), "shape": list(drawn.shape)}


def findings(names: list[str]) -> dict[str, dict[str, object]]:
    """What every network does with images of each size, by name and size.

    What GANs do with drawings, and how well they learn, is in gan_toy.py.
    """
    return {
        name: {str(spec.shape): accuracy(name, spec) for spec in SPECS}
        if name in classifiers.ARCHITECTURES
        else {str(spec.shape): stepped(name, spec) for spec in GAN_SPECS}
        for name in names
    }


if __name__ == "__main__":
    json.dump({"backend": keras.backend.backend(), **findings(sys.argv[1:])}, sys.stdout)
