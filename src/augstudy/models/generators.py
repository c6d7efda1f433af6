"""Every generator of a GAN.

A generator is one function below. From noise
(N, latent), integer labels (N,) and the number of classes it makes images, float32 (N, 28, 28, 1)
in 0-1. Every layer's name starts with ``generator_``: the optimizer tells the two networks by it.
"""

from collections.abc import Callable
from math import prod
from typing import Any

from augstudy.core.registry import Registry
from augstudy.models.backend import keras
from augstudy.models.conditional import ConditionalNorm
from augstudy.settings.spec import DRAWING

layers = keras.layers
PREFIX = "generator"
SMALL = (DRAWING.height // 4, DRAWING.width // 4)  # doubled twice
Network = Callable[[Any, Any, int], Any]

GENERATORS: Registry[Network] = Registry("generator")


def build(name: str, classes: int, latent_dim: int) -> keras.Model:
    """Build the generator called `name`.

    Raises:
        InputError: there is no such generator.
    """
    noise = keras.Input((latent_dim,), name="noise")
    labels = keras.Input((), dtype="int32", name="labels")
    images = GENERATORS.find(name)(noise, labels, classes)
    return keras.Model([noise, labels], images, name=PREFIX)


def _named(name: str) -> str:
    return f"{PREFIX}_{name}"


@GENERATORS.register()
def report(noise: Any, labels: Any, classes: int) -> Any:
    """The best generator of the student report (2.38 M parameters)."""
    latent_dim = noise.shape[-1]
    embedding = layers.Embedding(classes, latent_dim, name=_named("embedding"))(labels)
    x = layers.Multiply(name=_named("seed"))([noise, embedding])
    x = layers.Dense(prod(SMALL) * 128, name=_named("dense"))(x)
    x = _leaky(x, "dense")
    x = layers.Reshape((*SMALL, 128), name=_named("reshape"))(x)
    for index, (filters, kernel, upscale) in enumerate(((256, 5, 1), (128, 5, 1), (64, 3, 0)), 1):
        if upscale:
            x = layers.UpSampling2D(name=_named(f"up_{index}"))(x)
        conv = layers.Conv2D(filters, kernel, padding="same", name=_named(f"conv_{index}"))
        x = _block(conv(x), f"conv_{index}")
        depthwise = layers.DepthwiseConv2D(5, padding="same", name=_named(f"depthwise_{index}"))
        x = _block(depthwise(x), f"depthwise_{index}")
        x = layers.Dropout(0.25, name=_named(f"dropout_{index}"))(x)
    x = layers.Conv2D(32, 3, padding="same", activation="tanh", name=_named("conv_4"))(x)
    x = layers.Dense(32, name=_named("mix"))(x)
    x = layers.Dense(1, name=_named("ink"))(x)
    return layers.Activation("sigmoid", dtype="float32", name=_named("images"))(x)


def _block(x: Any, name: str) -> Any:
    x = layers.BatchNormalization(momentum=0.8, name=_named(f"{name}_norm"))(x)
    return _leaky(x, name)


def _leaky(x: Any, name: str) -> Any:
    return layers.LeakyReLU(0.2, name=_named(f"{name}_leaky"))(x)


@GENERATORS.register()
def compact(noise: Any, labels: Any, classes: int) -> Any:
    """A small generator whose every stage knows the class."""
    code = _code(noise, labels, classes)
    x = layers.Dense(prod(SMALL) * 80, use_bias=False, name=_named("dense"))(code)
    x = layers.Reshape((*SMALL, 80), name=_named("reshape"))(x)
    for index, filters in ((1, 48), (2, 20)):
        x = _conditional(x, code, f"stage_{index}")
        x = _doubled(x, filters, f"up_{index}")
    return _ink(_conditional(x, code, "stage_3"))


@GENERATORS.register()
def resnet(noise: Any, labels: Any, classes: int) -> Any:
    """Residual blocks (He et al. 2016) from 7 to 14 to 28 pixels; every one knows the class."""
    code = _code(noise, labels, classes)
    x = layers.Dense(prod(SMALL) * 64, use_bias=False, name=_named("dense"))(code)
    x = layers.Reshape((*SMALL, 64), name=_named("reshape"))(x)
    for index, filters in ((1, 32), (2, 16)):
        x = _residual(x, code, filters, f"block_{index}")
    return _ink(_conditional(x, code, "last"))


def _residual(x: Any, code: Any, filters: int, name: str) -> Any:
    """A residual block that doubles the image."""
    shortcut = layers.Conv2D(filters, 1, use_bias=False, name=_named(f"{name}_shortcut"))(x)
    shortcut = layers.UpSampling2D(name=_named(f"{name}_shortcut_up"))(shortcut)
    x = _doubled(_conditional(x, code, f"{name}_1"), filters, f"{name}_up")
    x = _conditional(x, code, f"{name}_2")
    conv = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=_named(f"{name}_conv"))
    return layers.Add(name=_named(f"{name}_sum"))([conv(x), shortcut])


def _code(noise: Any, labels: Any, classes: int) -> Any:
    """Noise and an embedding of the class side by side."""
    embedding = layers.Embedding(
        classes,
        32,
        embeddings_initializer=keras.initializers.RandomNormal(0.0, 1.0),
        name=_named("embedding"),
    )(labels)
    return layers.Concatenate(name=_named("code"))([noise, embedding])


def _doubled(x: Any, filters: int, name: str) -> Any:
    up = layers.Conv2DTranspose(filters, 4, 2, padding="same", use_bias=False, name=_named(name))
    return up(x)


def _ink(x: Any) -> Any:
    """Images, mostly blank at first."""
    paper = keras.initializers.Constant(-2.0)
    x = layers.Conv2D(1, 5, padding="same", bias_initializer=paper, name=_named("ink"))(x)
    return layers.Activation("sigmoid", dtype="float32", name=_named("images"))(x)


def _conditional(x: Any, code: Any, name: str) -> Any:
    x = ConditionalNorm(name=_named(f"{name}_norm"))([x, code])
    return layers.ReLU(name=_named(f"{name}_relu"))(x)
