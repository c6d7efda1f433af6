"""Every generator of a GAN.

A generator is one function below. From noise (N, latent), integer labels (N,), the number of
classes and what images are like it makes images, float32 (N, height, width, channels) in 0-1. Every
layer's name starts with ``generator_``: the optimizer tells the two networks by it.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from augstudy.core.registry import Registry
from augstudy.models.backend import keras
from augstudy.models.conditional import ConditionalNorm
from augstudy.models.normalisation import fused
from augstudy.models.sizes import check_size, doublings
from augstudy.settings.spec import ImageSpec

layers = keras.layers
PREFIX = "generator"
Network = Callable[[Any, Any, int, ImageSpec], Any]

GENERATORS: Registry[Network] = Registry("generator")

# Filters from the smallest size of the image to the largest, by how often it is doubled.
_COMPACT = {2: (80, 48, 20), 3: (96, 64, 32, 16), 4: (96, 80, 48, 24, 12)}
_RESNET = {2: (64, 32, 16), 3: (80, 48, 24, 12), 4: (80, 64, 40, 20, 10)}


def build(name: str, classes: int, spec: ImageSpec, latent_dim: int) -> keras.Model:
    """Build the generator called `name`.

    Raises:
        InputError: there is no such generator, or it makes no images as small as those.
    """
    noise = keras.Input((latent_dim,), name="noise")
    labels = keras.Input((), dtype="int32", name="labels")
    images = GENERATORS.find(name)(noise, labels, classes, spec)
    return fused(keras.Model([noise, labels], images, name=PREFIX))


def _named(name: str) -> str:
    return f"{PREFIX}_{name}"


@GENERATORS.register()
def report(noise: Any, labels: Any, classes: int, spec: ImageSpec) -> Any:
    """The best generator of the student report (2.38 M parameters)."""
    check_size(spec, "The generator of the student report")
    latent_dim = noise.shape[-1]
    embedding = layers.Embedding(classes, latent_dim, name=_named("embedding"))(labels)
    x = layers.Multiply(name=_named("seed"))([noise, embedding])
    small = _small(spec, 2)
    x = layers.Dense(prod(small) * 128, name=_named("dense"))(x)
    x = _leaky(x, "dense")
    x = layers.Reshape((*small, 128), name=_named("reshape"))(x)
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
    x = layers.Dense(spec.channels, name=_named("ink"))(x)
    return _images(x, spec)


def _block(x: Any, name: str) -> Any:
    x = layers.BatchNormalization(momentum=0.8, name=_named(f"{name}_norm"))(x)
    return _leaky(x, name)


def _leaky(x: Any, name: str) -> Any:
    return layers.LeakyReLU(0.2, name=_named(f"{name}_leaky"))(x)


@GENERATORS.register()
def compact(noise: Any, labels: Any, classes: int, spec: ImageSpec) -> Any:
    """A small generator whose every stage knows the class."""
    filters = _COMPACT[doublings(*spec.plane)]
    code = _code(noise, labels, classes)
    x = _start(code, spec, filters)
    for index, count in enumerate(filters[1:], 1):
        x = _conditional(x, code, f"stage_{index}")
        x = _doubled(x, count, f"up_{index}")
    return _ink(_conditional(x, code, f"stage_{len(filters)}"), spec)


@GENERATORS.register()
def resnet(noise: Any, labels: Any, classes: int, spec: ImageSpec) -> Any:
    """Residual blocks (He et al. 2016) that double the image; every one knows the class."""
    filters = _RESNET[doublings(*spec.plane)]
    code = _code(noise, labels, classes)
    x = _start(code, spec, filters)
    for index, count in enumerate(filters[1:], 1):
        x = _residual(x, code, count, f"block_{index}")
    return _ink(_conditional(x, code, "last"), spec)


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


def _start(code: Any, spec: ImageSpec, filters: Sequence[int]) -> Any:
    """The small image that is doubled for each of the `filters` but the first."""
    small = _small(spec, len(filters) - 1)
    x = layers.Dense(prod(small) * filters[0], use_bias=False, name=_named("dense"))(code)
    return layers.Reshape((*small, filters[0]), name=_named("reshape"))(x)


def _small(spec: ImageSpec, times: int) -> tuple[int, int]:
    """Height and width of what is as large as the images, or larger, when it is doubled."""
    return -(-spec.height >> times), -(-spec.width >> times)


def _doubled(x: Any, filters: int, name: str) -> Any:
    up = layers.Conv2DTranspose(filters, 4, 2, padding="same", use_bias=False, name=_named(name))
    return up(x)


def _ink(x: Any, spec: ImageSpec) -> Any:
    """Images, mostly background at first, or grey where there is none."""
    share = 0.5 if spec.background is None else spec.background / 255
    paper = keras.initializers.Constant(4.0 * share - 2.0)
    conv = layers.Conv2D(
        spec.channels, 5, padding="same", bias_initializer=paper, name=_named("ink")
    )
    return _images(conv(x), spec)


def _images(x: Any, spec: ImageSpec) -> Any:
    """The middle of what is too large, between 0 and 1."""
    beyond = [found - wanted for found, wanted in zip(x.shape[1:3], spec.plane, strict=True)]
    if any(beyond):
        edges = tuple((more // 2, more - more // 2) for more in beyond)
        x = layers.Cropping2D(edges, name=_named("crop"))(x)
    return layers.Activation("sigmoid", dtype="float32", name=_named("images"))(x)


def _conditional(x: Any, code: Any, name: str) -> Any:
    x = ConditionalNorm(name=_named(f"{name}_norm"))([x, code])
    return layers.ReLU(name=_named(f"{name}_relu"))(x)
