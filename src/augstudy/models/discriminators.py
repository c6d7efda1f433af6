"""Every discriminator of a GAN.

A discriminator is one function below. From images (N, height, width, channels) in 0-255 it makes
features, with the layers of a :class:`Kit`. Every layer's name starts with ``discriminator_``: the
optimizer tells the two networks by it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from augstudy.core.registry import Registry
from augstudy.models.backend import keras
from augstudy.models.normalisation import fused
from augstudy.models.sizes import check_size, doublings
from augstudy.models.spectral import SpectralConv2D, SpectralDense, SpectralDepthwiseConv2D
from augstudy.settings.spec import ImageSpec

layers = keras.layers
PREFIX = "discriminator"
Network = Callable[[Any, "Kit"], Any]

DISCRIMINATORS: Registry[Network] = Registry("discriminator")


@dataclass(frozen=True)
class Kit:
    """The layers a discriminator is made of, with or without spectral normalisation.

    With a `filter_size` every filter has sides of so many pixels, but for those of one pixel.
    """

    spectral: bool
    filter_size: int = 0

    def conv(self, x: Any, filters: int, kernel: int, strides: int, name: str) -> Any:
        """A convolution, same padding."""
        kernel = self._side(kernel)
        if self.spectral:
            return SpectralConv2D(filters, kernel, strides, name=_named(name))(x)
        return layers.Conv2D(filters, kernel, strides, padding="same", name=_named(name))(x)

    def depthwise(self, x: Any, kernel: int, name: str) -> Any:
        """A depthwise convolution, same padding."""
        kernel = self._side(kernel)
        if self.spectral:
            return SpectralDepthwiseConv2D(kernel, name=_named(name))(x)
        return layers.DepthwiseConv2D(kernel, padding="same", name=_named(name))(x)

    def dense(self, x: Any, units: int, name: str) -> Any:
        """A dense layer."""
        return (SpectralDense if self.spectral else layers.Dense)(units, name=_named(name))(x)

    def norm(self, x: Any, name: str) -> Any:
        """Batch normalisation; with spectral normalisation, which it would undo, nothing."""
        return x if self.spectral else layers.BatchNormalization(momentum=0.8, name=_named(name))(x)

    def _side(self, usual: int) -> int:
        return self.filter_size if self.filter_size and usual > 1 else usual

    def leaky(self, x: Any, slope: float, name: str) -> Any:
        """A leaky ReLU."""
        return layers.LeakyReLU(slope, name=_named(name))(x)


def build(
    name: str, logits: int, spec: ImageSpec, *, spectral: bool, filter_size: int = 0
) -> keras.Model:
    """Build the discriminator called `name`: images -> [source logit (N, 1), class `logits`].

    `filter_size` takes the place of the sides of its filters, unless it is 0.

    Raises:
        InputError: there is no such discriminator, or it takes no images as small as those.
    """
    images = keras.Input(spec.shape, name="images")
    kit = Kit(spectral, filter_size)
    features = DISCRIMINATORS.find(name)(images, kit)
    heads = {
        "source_logit": kit.dense(features, 1, "source"),
        # Class logits must be free to grow: a bounded classifier is never sure.
        "class_logits": layers.Dense(logits, name=_named("class"))(features),
    }
    outputs = [
        layers.Activation("linear", dtype="float32", name=_named(key))(head)
        for key, head in heads.items()
    ]
    return fused(keras.Model(images, outputs, name=PREFIX))


def _named(name: str) -> str:
    return f"{PREFIX}_{name}"


@DISCRIMINATORS.register()
def report(images: Any, kit: Kit) -> Any:
    """The best discriminator of the student report (1.20 M parameters)."""
    check_size(ImageSpec(*images.shape[1:]), "The discriminator of the student report")
    x = layers.Rescaling(1 / 255, name=_named("rescale"))(images)
    kernels = (15, 15, 10, 10, 5, 5, 5, 3, 3)
    filters = iter((32, 64, 128, 128, 256))
    for index, kernel in enumerate(kernels, 1):
        if index % 2:
            x = kit.conv(x, next(filters), kernel, 2, f"conv_{index}")
        else:
            x = kit.depthwise(x, kernel, f"conv_{index}")
        x = kit.norm(x, f"norm_{index}")
        x = kit.leaky(x, 0.2, f"leaky_{index}")
        if index % 2 == 0:
            x = layers.Dropout(0.25, name=_named(f"dropout_{index}"))(x)
    x = layers.Flatten(name=_named("flatten"))(x)
    for index in (1, 2):
        x = kit.dense(x, 128, f"dense_{index}")
        x = kit.leaky(x, 0.2, f"dense_leaky_{index}")
    return x


@DISCRIMINATORS.register()
def compact(images: Any, kit: Kit) -> Any:
    """Four convolutions, and more for large images."""
    first = ((24, 4, 2),) * (doublings(*images.shape[1:3]) - 2)
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name=_named("rescale"))(images)
    for index, (filters, kernel, stride) in enumerate(
        (*first, (32, 4, 2), (64, 4, 2), (80, 3, 1), (112, 3, 2)), 1
    ):
        x = kit.conv(x, filters, kernel, stride, f"conv_{index}")
        x = kit.leaky(x, 0.1, f"leaky_{index}")
    return layers.Flatten(name=_named("flatten"))(x)


@DISCRIMINATORS.register()
def resnet(images: Any, kit: Kit) -> Any:
    """A strided stem, then residual blocks (He et al. 2016) that halve the image."""
    first = (32,) * (doublings(*images.shape[1:3]) - 2)
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name=_named("rescale"))(images)
    x = kit.conv(x, 32, 4, 2, "stem")
    for index, filters in enumerate((*first, 64, 112), 1):
        x = _residual(x, kit, filters, f"block_{index}")
    x = kit.leaky(x, 0.1, "leaky")
    return layers.Flatten(name=_named("flatten"))(x)


def _residual(x: Any, kit: Kit, filters: int, name: str) -> Any:
    """A residual block that halves the image; its activations come first (He et al. 2016b)."""
    shortcut = layers.AveragePooling2D(2, padding="same", name=_named(f"{name}_pool"))(x)
    shortcut = kit.conv(shortcut, filters, 1, 1, f"{name}_shortcut")
    x = kit.leaky(x, 0.1, f"{name}_leaky_1")
    x = kit.conv(x, x.shape[-1], 3, 1, f"{name}_conv_1")
    x = kit.leaky(x, 0.1, f"{name}_leaky_2")
    x = kit.conv(x, filters, 3, 2, f"{name}_conv_2")
    return layers.Add(name=_named(f"{name}_sum"))([x, shortcut])
