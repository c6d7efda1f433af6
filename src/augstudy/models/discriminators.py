"""Discriminators by name: images (N, 28, 28, 1) in 0-255 -> [source logit (N, 1), class logits].

Every layer's name starts with ``discriminator_``: the optimizer tells the two networks by it.
"""

from collections.abc import Callable
from typing import Any

from augstudy.backend import keras
from augstudy.errors import InputError
from augstudy.models.spectral import SpectralConv2D, SpectralDense

layers = keras.layers
PREFIX = "discriminator"


def build(name: str, classes: int) -> keras.Model:
    """Build the discriminator called `name`.

    Raises:
        InputError: there is no such discriminator.
    """
    if name not in DISCRIMINATORS:
        known = ", ".join(sorted(DISCRIMINATORS))
        raise InputError(f"There is no GAN architecture {name!r}; choose one of: {known}.")
    images = keras.Input((28, 28, 1), name="images")
    source, logits = DISCRIMINATORS[name](images, classes)
    outputs = [
        layers.Activation("linear", dtype="float32", name=_named("source_logit"))(source),
        layers.Activation("linear", dtype="float32", name=_named("class_logits"))(logits),
    ]
    return keras.Model(images, outputs, name=PREFIX)


def _named(name: str) -> str:
    return f"{PREFIX}_{name}"


def _report(images: Any, classes: int) -> tuple[Any, Any]:
    """The best discriminator of the student report (1.20 M parameters)."""
    x = layers.Rescaling(1 / 255, name=_named("rescale"))(images)
    kernels = (15, 15, 10, 10, 5, 5, 5, 3, 3)
    filters = iter((32, 64, 128, 128, 256))
    for index, kernel in enumerate(kernels, 1):
        shared = {"padding": "same", "name": _named(f"conv_{index}")}
        if index % 2:
            x = layers.Conv2D(next(filters), kernel, 2, **shared)(x)
        else:
            x = layers.DepthwiseConv2D(kernel, **shared)(x)
        x = layers.BatchNormalization(momentum=0.8, name=_named(f"norm_{index}"))(x)
        x = layers.LeakyReLU(0.2, name=_named(f"leaky_{index}"))(x)
        if index % 2 == 0:
            x = layers.Dropout(0.25, name=_named(f"dropout_{index}"))(x)
    x = layers.Flatten(name=_named("flatten"))(x)
    for index in (1, 2):
        x = layers.Dense(128, name=_named(f"dense_{index}"))(x)
        x = layers.LeakyReLU(0.2, name=_named(f"dense_leaky_{index}"))(x)
    return layers.Dense(1, name=_named("source"))(x), layers.Dense(classes, name=_named("class"))(x)


def _compact(images: Any, classes: int) -> tuple[Any, Any]:
    """Four spectrally normalised convolutions."""
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name=_named("rescale"))(images)
    for index, (filters, kernel, stride) in enumerate(
        ((32, 4, 2), (64, 4, 2), (80, 3, 1), (112, 3, 2)), 1
    ):
        x = SpectralConv2D(filters, kernel, stride, name=_named(f"conv_{index}"))(x)
        x = layers.LeakyReLU(0.1, name=_named(f"leaky_{index}"))(x)
    x = layers.Flatten(name=_named("flatten"))(x)
    return (
        SpectralDense(1, name=_named("source"))(x),
        layers.Dense(classes, name=_named("class"))(x),
    )


DISCRIMINATORS: dict[str, Callable[[Any, int], tuple[Any, Any]]] = {
    "report": _report,
    "compact": _compact,
}
