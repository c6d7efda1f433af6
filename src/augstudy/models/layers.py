"""Layers shared by the networks, written once for every Keras backend."""

import math
from collections.abc import Sequence
from typing import Any

from augstudy.models.backend import keras
from augstudy.settings.augmentation import Augmentation

ops = keras.ops
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601)

_ONE_EACH = ("rotation", "shear", "zoom")
_TWO_EACH = ("stretch", "shift")
CHANGES = len(_ONE_EACH) + 2 * len(_TWO_EACH)


def inverse_maps(
    augmentation: Augmentation,
    parts: Sequence[Any],
    height: int,
    width: int,
    signs: tuple[Any, Any] = (1.0, 1.0),
) -> Any:
    """One inverse affine map an image, (n, 8), from output to input coordinates.

    The map mirrors and scales what it has slanted after turning it, about the centre.

    Args:
        augmentation: the largest changes.
        parts: the share of each of them that an image gets, CHANGES arrays (n,) of -1..1: rotation,
            shear, zoom, stretch in x and y, shift in x and y.
        height: of the images.
        width: of the images.
        signs: -1 where an image is mirrored, in x and in y.
    """
    turn, slanted, zoomed, wider, higher, right, down = parts
    angle, slant = turn * math.radians(augmentation.rotation), slanted * augmentation.shear
    zoom = 1.0 + zoomed * augmentation.zoom
    scale_x = signs[0] / (zoom * (1.0 + wider * augmentation.stretch))
    scale_y = signs[1] / (zoom * (1.0 + higher * augmentation.stretch))
    cosine, sine = ops.cos(angle), ops.sin(angle)
    a, b = (cosine + slant * sine) * scale_x, (slant * cosine - sine) * scale_x
    c, d = sine * scale_y, cosine * scale_y
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    shift_x = centre_x - a * centre_x - b * centre_y + right * augmentation.shift * width
    shift_y = centre_y - c * centre_x - d * centre_y + down * augmentation.shift * height
    zero = ops.zeros_like(a)
    return ops.stack([a, b, shift_x, c, d, shift_y, zero, zero], axis=1)


def transformed(images: Any, matrices: Any, background: int | None) -> Any:
    """Resample float32 `images` (n, H, W, C) by inverse affine maps (n, 8), bilinearly.

    What comes in from outside is `background`, or repeats the pixels at the edge if that is None.
    """
    return ops.image.affine_transform(
        images,
        matrices,
        interpolation="bilinear",
        fill_mode="nearest" if background is None else "constant",
        fill_value=background or 0,
    )


@keras.saving.register_keras_serializable(package="augstudy")
class RandomAffine(keras.layers.Layer):
    """Change each training image at random (see Augmentation), in one bilinear resampling.

    Input and output have shape (batch, height, width, channels); the output is float32 with the
    input's scale. What is moved in from outside is the background, or repeats the pixels at the
    edge if there is none. Outside training it only casts.
    """

    def __init__(
        self,
        augmentation: dict[str, Any],
        seed: int = 0,
        background: int | None = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.background = background
        self.augmentation = Augmentation.model_validate(augmentation)
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        images = ops.cast(images, "float32")
        if not training or not self.augmentation.moves:
            return images
        matrices = self._matrices(ops.shape(images)[0], images.shape[1], images.shape[2])
        return transformed(images, matrices, self.background)

    def _matrices(self, n: Any, height: int, width: int) -> Any:
        settings = self.augmentation
        limits = (getattr(settings, name) for name in _ONE_EACH)
        parts = [self._uniform(n, limit) for limit in limits]
        parts += [self._uniform(n, getattr(settings, name)) for name in _TWO_EACH for _ in "xy"]
        signs = self._sign(n, settings.horizontal_flip), self._sign(n, settings.vertical_flip)
        return inverse_maps(settings, parts, height, width, signs)

    def _uniform(self, n: Any, limit: float) -> Any:
        if not limit:
            return ops.zeros((n,))
        return keras.random.uniform((n,), -1.0, 1.0, seed=self.generator)

    def _sign(self, n: Any, active: bool) -> Any:
        if not active:
            return ops.ones((n,))
        return ops.where(keras.random.uniform((n,), seed=self.generator) < 0.5, -1.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("dtype", None)
        own = {"augmentation": self.augmentation.model_dump(), "seed": self.seed}
        return {**config, **own, "background": self.background}


@keras.saving.register_keras_serializable(package="augstudy")
class Fitted(keras.layers.Layer):
    """Resize images (N, H, W, C) for another network, and make colour of grey or grey of colour.

    The output is float32 (N, height, width, channels) with the input's scale.
    """

    def __init__(self, height: int, width: int, channels: int, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.height, self.width, self.channels = height, width, channels

    def call(self, images: Any) -> Any:
        x = ops.cast(images, "float32")
        if x.shape[-1] < self.channels:
            x = ops.repeat(x, self.channels, axis=-1)
        elif x.shape[-1] > self.channels:
            x = ops.sum(x * ops.convert_to_tensor(LUMA), axis=-1, keepdims=True)
        if tuple(x.shape[1:3]) == (self.height, self.width):
            return x
        return ops.image.resize(x, (self.height, self.width), antialias=True)

    def get_config(self) -> dict[str, Any]:
        own = {"height": self.height, "width": self.width, "channels": self.channels}
        return {**super().get_config(), **own, "dtype": "float32"}
