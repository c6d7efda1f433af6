"""What a trained classifier predicts, from one look at an image or from several."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from augstudy.core import rng
from augstudy.core.arrays import Images, Probabilities
from augstudy.models.backend import keras
from augstudy.models.layers import CHANGES, inverse_maps, transformed
from augstudy.settings.augmentation import Augmentation
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.spec import ImageSpec, with_channels

_BATCH = 256


def predict(model: keras.Model, images: npt.NDArray[np.generic]) -> Probabilities:
    """Class probabilities (N, classes) of images with values 0..255."""
    pixels = with_channels(images)
    outputs = [
        keras.ops.convert_to_numpy(model(pixels[start : start + _BATCH], training=False))
        for start in range(0, len(images), _BATCH)
    ]
    return np.concatenate(outputs).astype(np.float32)


def predict_as(
    settings: ClassifierSettings, model: keras.Model, images: Images, spec: ImageSpec
) -> Probabilities:
    """Class probabilities (N, classes) of uint8 `images` like `spec`, as `settings` predict them.

    With ``views``, the mean over each image and copies of it; with ``mirror``, over these and their
    mirror images. What is predicted for an image does not depend on the images beside it.
    """
    seen = [
        predict(model, side)
        for view in views(images, settings.augmentation, settings.views, spec)
        for side in ((view, view[:, :, ::-1]) if settings.mirror else (view,))
    ]
    mean: Probabilities = np.mean(seen, axis=0, dtype=np.float32)
    return mean


def views(
    images: Images, augmentation: Augmentation, count: int, spec: ImageSpec
) -> Iterator[npt.NDArray[np.generic]]:
    """The images themselves and ``count - 1`` copies of them, each changed in its own way.

    The changes are the same for every image and in every call, half as large as those of
    training may be, and come in opposite pairs: their mean is the image as it is. If training
    changes nothing there are no copies.
    """
    yield images
    halved = augmentation.halved()
    if not halved.moves:
        return
    directions = rng.generator(0).uniform(-1, 1, (count // 2, CHANGES))
    for direction in np.stack([directions, -directions], axis=1).reshape(-1, CHANGES)[: count - 1]:
        matrix = inverse_maps(halved, [part[None] for part in direction], *spec.plane)
        changed = transformed(
            keras.ops.cast(with_channels(images), "float32"),
            keras.ops.cast(keras.ops.repeat(matrix, len(images), axis=0), "float32"),
            spec.background,
        )
        yield keras.ops.convert_to_numpy(changed).reshape(images.shape)
