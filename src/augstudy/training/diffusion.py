"""The diffusion model, ready to be trained."""

import numpy as np
import numpy.typing as npt

from augstudy.models.backend import keras, resolve_precision
from augstudy.models.diffusion import Diffusion, DiffusionSampler
from augstudy.settings.generators import DiffusionSettings
from augstudy.settings.spec import ImageSpec
from augstudy.training.schedules import learning_rate


def build(
    settings: DiffusionSettings,
    images: npt.NDArray[np.uint8],
    spec: ImageSpec,
    classes: int,
    seed: int,
) -> Diffusion:
    """Build the compiled, untrained model for uint8 `images` like those, which are like `spec`."""
    keras.mixed_precision.set_global_policy("float32")  # the denoiser alone computes in less
    pixels = images / 255.0
    sampler = DiffusionSampler(
        classes=classes,
        width=settings.width,
        mean=round(float(pixels.mean()), 4),
        spread=max(round(float(pixels.std()), 4), 0.01),
        guidance=settings.guidance,
        steps=settings.sampling_steps,
        precision=resolve_precision(settings.precision),
        shape=spec.shape,
        name="sampler",
    )
    model = Diffusion(sampler, settings, spec.background, seed)
    model.compile(
        optimizer=keras.optimizers.Adam(
            learning_rate(settings), beta_2=settings.beta_2, global_clipnorm=1.0
        ),
        # XLA makes convolutions on a CPU several times slower; JAX compiles by itself.
        jit_compile="auto" if keras.backend.backend() == "jax" else False,
    )
    model.optimizer.build(model.trainable_variables)  # else the first step is traced twice
    return model
