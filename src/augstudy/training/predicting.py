"""What a trained classifier predicts, from one look at an image or from several."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from augstudy.core import rng
from augstudy.core.arrays import Images, Probabilities
from augstudy.models.backend import keras
from augstudy.models.layers import CHANGES, inverse_maps
from augstudy.settings.augmentation import Augmentation
from augstudy.settings.classifier import ClassifierSettings

_BATCH = 256


def predict(model: keras.Model, images: npt.NDArray[np.generic]) -> Probabilities:
    """Class probabilities (N, classes) of images (N, 28, 28) with values 0..255."""
    outputs = [
        keras.ops.convert_to_numpy(model(images[start : start + _BATCH, ..., None], training=False))
        for start in range(0, len(images), _BATCH)
    ]
    return np.concatenate(outputs).astype(np.float32)


def predict_as(settings: ClassifierSettings, model: keras.Model, images: Images) -> Probabilities:
    """Class probabilities (N, classes) of uint8 images (N, 28, 28), as `settings` predict them.

    With ``views``, the mean over each image and copies of it; with ``mirror``, over these and their
    mirror images. What is predicted for an image does not depend on the images beside it.
    """
    seen = [
        predict(model, side)
        for view in views(images, settings.augmentation, settings.views)
        for side in ((view, view[:, :, ::-1]) if settings.mirror else (view,))
    ]
    mean: Probabilities = np.mean(seen, axis=0, dtype=np.float32)
    return mean


def views(
    images: Images, augmentation: Augmentation, count: int
) -> Iterator[npt.NDArray[np.generic]]:
    """The images (N, 28, 28) themselves and ``count - 1`` copies, each changed in its own way.

    The changes are the same for every image and in every call, half as large as those of
    training may be, and come in opposite pairs: their mean is the image as it is. If training
    changes nothing there are no copies.
    """
    yield images
    halved = augmentation.halved()
    if not halved.active:
        return
    height, width = images.shape[1:]
    directions = rng.generator(0).uniform(-1, 1, (count // 2, CHANGES))
    for direction in np.stack([directions, -directions], axis=1).reshape(-1, CHANGES)[: count - 1]:
        matrix = inverse_maps(halved, [part[None] for part in direction], height, width)
        changed = keras.ops.image.affine_transform(
            keras.ops.cast(images[..., None], "float32"),
            keras.ops.cast(keras.ops.repeat(matrix, len(images), axis=0), "float32"),
            interpolation="bilinear",
            fill_mode="constant",
        )
        yield keras.ops.convert_to_numpy(changed)[..., 0]
