"""Images from a generator."""

import numpy as np
import numpy.typing as npt

from augstudy.core import rng
from augstudy.core.arrays import Images
from augstudy.models.backend import keras

_BATCH = 256


def generate(generator: keras.Model, labels: npt.ArrayLike, seed: int) -> Images:
    """Draw one image a label: uint8 (N, 28, 28). Equal seeds give equal noise."""
    wanted = np.asarray(labels, dtype=np.int32)
    latent_dim = generator.inputs[0].shape[-1]
    noise = rng.generator(seed).standard_normal((len(wanted), latent_dim), dtype=np.float32)
    height, width = generator.outputs[0].shape[1:3]
    drawn = np.zeros((len(wanted), height, width), dtype=np.uint8)
    for start in range(0, len(wanted), _BATCH):
        part = slice(start, start + _BATCH)
        images = generator([noise[part], wanted[part]], training=False)
        pixels = keras.ops.convert_to_numpy(images)[..., 0].astype(np.float32)
        inked = np.nan_to_num(pixels)  # of a training that failed
        drawn[part] = np.rint(np.clip(inked, 0.0, 1.0) * 255.0).astype(np.uint8)
    return drawn
