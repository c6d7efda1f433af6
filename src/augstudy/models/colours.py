"""Random changes of the colours of training images."""

from typing import Any

from augstudy.models import augment
from augstudy.models.backend import keras
from augstudy.models.layers import LUMA
from augstudy.settings.augmentation import Augmentation

ops = keras.ops

GREY = 127.5


class RandomColours(keras.layers.Layer):
    """Change brightness, contrast and saturation of each training image, and blank a square of it.

    Input and output are float32 (N, H, W, C) in 0-255. The square has the background's value, or
    is grey where there is none. Outside training nothing happens.
    """

    def __init__(
        self, augmentation: dict[str, Any], seed: int, background: int | None, **kwargs: Any
    ) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.augmentation = Augmentation.model_validate(augmentation)
        self.blank = GREY if background is None else float(background)
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        """Change each of the `images` in its own way."""
        if not training:
            return images
        settings, x = self.augmentation, images
        if settings.saturation and x.shape[-1] == len(LUMA):
            grey = ops.sum(x * ops.convert_to_tensor(LUMA), axis=-1, keepdims=True)
            x = grey + (x - grey) * (1.0 + self._uniform(x, settings.saturation))
        if settings.contrast:
            mean = ops.mean(x, axis=(1, 2, 3), keepdims=True)
            x = mean + (x - mean) * (1.0 + self._uniform(x, settings.contrast))
        if settings.brightness:
            x = x + 255.0 * self._uniform(x, settings.brightness)
        x = ops.clip(x, 0.0, 255.0)
        if settings.cutout:
            x = augment.cutout(x, settings.cutout, self.generator, self.blank)
        return x

    def _uniform(self, images: Any, limit: float) -> Any:
        shape = (ops.shape(images)[0], 1, 1, 1)
        return keras.random.uniform(shape, -limit, limit, seed=self.generator)
