"""Images from a generator."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from augstudy.core import rng
from augstudy.core.arrays import Images
from augstudy.core.artifacts import Artifact
from augstudy.core.registry import Registry
from augstudy.models.backend import keras
from augstudy.settings.spec import ImageSpec
from augstudy.training.saving import load_model

_BATCH = 256

# What Keras must know before it loads a generator, by the architecture of its settings.
LAYERS: Registry[Callable[[], None]] = Registry("architecture")


@LAYERS.register()
def diffusion() -> None:
    """The sampler of the diffusion model registers itself."""
    from augstudy.models import diffusion  # noqa: F401


def load_generator(gan: Artifact) -> keras.Model:
    """The generator of an artifact of kind ``gan``.

    Raises:
        DataError: it cannot be read.
    """
    architecture = gan.manifest.config.get("settings", {}).get("architecture")
    if architecture in LAYERS:
        LAYERS[architecture]()
    return load_model(gan.file("generator.keras"))


def generate(generator: keras.Model, labels: npt.ArrayLike, seed: int) -> Images:
    """Draw one image a label: uint8 (N, height, width[, 3]). Equal seeds give equal noise."""
    wanted = np.asarray(labels, dtype=np.int32)
    latent_dim = generator.inputs[0].shape[-1]
    noise = rng.generator(seed).standard_normal((len(wanted), latent_dim), dtype=np.float32)
    spec = ImageSpec(*generator.outputs[0].shape[1:])
    drawn = np.zeros((len(wanted), *spec.stored), dtype=np.uint8)
    for start in range(0, len(wanted), _BATCH):
        part = slice(start, start + _BATCH)
        images = generator([noise[part], wanted[part]], training=False)
        pixels = keras.ops.convert_to_numpy(images).reshape(-1, *spec.stored).astype(np.float32)
        inked = np.nan_to_num(pixels)  # of a training that failed
        drawn[part] = np.rint(np.clip(inked, 0.0, 1.0) * 255.0).astype(np.uint8)
    return drawn
