"""Layers shared by the networks, written once for every Keras backend."""

import math
from typing import Any

from augstudy.backend import keras
from augstudy.config import Augmentation

ops = keras.ops


@keras.saving.register_keras_serializable(package="augstudy")
class RandomAffine(keras.layers.Layer):
    """Change each training image at random (see Augmentation), in one bilinear resampling.

    Input and output have shape (batch, height, width, channels); the output is float32 with the
    input's scale, and what is moved in from outside is 0. Outside training it only casts.
    """

    def __init__(self, augmentation: dict[str, Any], seed: int = 0, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.augmentation = Augmentation.model_validate(augmentation)
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        images = ops.cast(images, "float32")
        if not training or not self.augmentation.active:
            return images
        matrices = self._matrices(ops.shape(images)[0], images.shape[1], images.shape[2])
        return ops.image.affine_transform(
            images, matrices, interpolation="bilinear", fill_mode="constant"
        )

    def _matrices(self, n: Any, height: int, width: int) -> Any:
        """One inverse map an image, (n, 8), from output to input coordinates.

        The map mirrors and scales what it has slanted after turning it, about the centre.
        """
        settings = self.augmentation
        angle = self._uniform(n, math.radians(settings.rotation))
        slant = self._uniform(n, settings.shear)
        zoom = 1.0 + self._uniform(n, settings.zoom)
        scale_x = self._sign(n, settings.horizontal_flip) / (
            zoom * (1.0 + self._uniform(n, settings.stretch))
        )
        scale_y = self._sign(n, settings.vertical_flip) / (
            zoom * (1.0 + self._uniform(n, settings.stretch))
        )
        cosine, sine = ops.cos(angle), ops.sin(angle)
        a, b = (cosine + slant * sine) * scale_x, (slant * cosine - sine) * scale_x
        c, d = sine * scale_y, cosine * scale_y
        centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
        shift_x = centre_x - a * centre_x - b * centre_y + self._uniform(n, settings.shift * width)
        shift_y = centre_y - c * centre_x - d * centre_y + self._uniform(n, settings.shift * height)
        zero = ops.zeros_like(a)
        return ops.stack([a, b, shift_x, c, d, shift_y, zero, zero], axis=1)

    def _uniform(self, n: Any, limit: float) -> Any:
        if not limit:
            return ops.zeros((n,))
        return keras.random.uniform((n,), -limit, limit, seed=self.generator)

    def _sign(self, n: Any, active: bool) -> Any:
        if not active:
            return ops.ones((n,))
        return ops.where(keras.random.uniform((n,), seed=self.generator) < 0.5, -1.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("dtype", None)
        return {**config, "augmentation": self.augmentation.model_dump(), "seed": self.seed}
