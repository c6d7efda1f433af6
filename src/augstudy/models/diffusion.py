"""A class-conditional diffusion model: one Keras model that plain ``fit`` trains, on every backend.

Noise is mixed in by an angle: ``x = cos(angle) * image + sin(angle) * noise``, with images of mean
0 and variance 1, from the image at 0 to nothing but noise at pi / 2 (Ho et al. 2020,
arXiv:2006.11239; angles drawn evenly are the cosine schedule of Nichol and Dhariwal 2021,
arXiv:2102.09672). The network predicts the velocity ``cos(angle) * noise - sin(angle) * image``
(Salimans and Ho 2022, arXiv:2202.00512), which for such images is also the preconditioning of
Karras et al. 2022 (arXiv:2206.00364): well scaled at every angle, so that few steps are enough.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from augstudy.models import augment, denoiser
from augstudy.models.averages import follow
from augstudy.models.backend import keras
from augstudy.settings.generators import DiffusionSettings
from augstudy.settings.spec import DRAWING

ops = keras.ops
_QUARTER_TURN = math.pi / 2


def sample(predict: Callable[[Any, float], Any], noise: Any, steps: int) -> Any:
    """Turn noise into images with `steps` calls of a denoiser, the same ones for the same noise.

    Each step rotates noise away as DDIM does (Song et al. 2021, arXiv:2010.02502), towards what
    the denoiser should expect at the middle of the step, extrapolated from its last two answers:
    a multistep exponential integrator (Zhang and Chen 2023, arXiv:2204.13902; Lu et al. 2022,
    arXiv:2211.01095). Steps are shorter where less noise is left.

    Args:
        predict: gives the expected images for noisy ones at an angle, ``predict(x, angle)``.
        noise: standard normal, of any shape.
        steps: how many.
    """
    x, last, before = noise, None, 0.0
    angles = [_QUARTER_TURN * (1 - step / steps) ** 1.5 for step in range(steps + 1)]
    for angle, target in itertools.pairwise(angles):
        now = predict(x, angle)
        ahead = now
        if last is not None:
            ahead = now + 0.5 * (angle - target) / (before - angle) * (now - last)
        kept = math.sin(target) / math.sin(angle)
        x = kept * x + (math.cos(target) - kept * math.cos(angle)) * ahead
        last, before = now, angle
    return x


@keras.saving.register_keras_serializable(package="augstudy")
class DiffusionSampler(keras.layers.Layer):
    """Draws with a denoiser: [noise (N, H * W * C), labels int (N,)] -> images (N, H, W, C) in 0-1.

    Classifier-free guidance (Ho and Salimans 2022, arXiv:2207.12598): predictions go `guidance`
    times beyond what knowing the class changes.
    """

    def __init__(
        self,
        classes: int,
        width: int,
        mean: float,
        spread: float,
        guidance: float,
        steps: int,
        precision: str,
        shape: Sequence[int] = DRAWING.shape,  # of those that were saved without one
        **kwargs: Any,
    ) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.classes, self.width, self.precision = classes, width, precision
        self.mean, self.spread = mean, spread
        self.guidance, self.steps = guidance, steps
        height, wide, channels = shape
        self.shape = (height, wide, channels)
        self.denoiser = denoiser.build(classes, self.shape, width, precision)

    def call(self, inputs: list[Any]) -> Any:
        """Draw one image for each row of noise and label."""
        noise, labels = inputs
        images = ops.reshape(noise, (-1, *self.shape))

        def predict(x: Any, angle: float) -> Any:
            return self._expected(x, angle, ops.cast(labels, "int32"))

        drawn = sample(predict, images, self.steps)
        return ops.clip(drawn * self.spread + self.mean, 0.0, 1.0)

    def _expected(self, x: Any, angle: float, labels: Any) -> Any:
        """The images expected behind noisy `x`, within what pixels can be."""
        both = self.guidance > 0
        given = ops.concatenate([x, x]) if both else x
        asked = ops.concatenate([labels, ops.full_like(labels, self.classes)]) if both else labels
        count = ops.shape(given)[0]
        angles, changes = ops.full((count,), angle), ops.zeros((count, denoiser.CHANGES))
        velocity = self.denoiser([given, angles, asked, changes], training=False)
        if both:
            known, unknown = ops.split(velocity, 2)
            velocity = known + self.guidance * (known - unknown)
        images = math.cos(angle) * x - math.sin(angle) * velocity
        return ops.clip(images, -self.mean / self.spread, (1.0 - self.mean) / self.spread)

    def compute_output_shape(self, input_shape: list[tuple[Any, ...]]) -> tuple[Any, ...]:
        """Spares Keras a trace of all steps."""
        return (input_shape[0][0], *self.shape)

    def get_config(self) -> dict[str, Any]:
        """What :meth:`from_config` needs."""
        names = ("classes", "width", "mean", "spread", "guidance", "steps", "precision")
        own = {name: getattr(self, name) for name in names}
        if self.shape != DRAWING.shape:
            own["shape"] = list(self.shape)
        return {**super().get_config(), **own, "dtype": "float32"}


class Diffusion(keras.Model):
    """A denoiser that learns, and a generator that draws with its running average.

    Feed ``fit`` with batches of ``{"images": uint8 (N, H, W, C), "labels": int32 (N,)}``.
    The network is told how an image was changed (Karras et al. 2022, section 5), so changes teach
    without showing in what is drawn.
    """

    METRICS = ("denoising_loss", "shape_loss", "stroke_loss")

    def __init__(
        self,
        sampler: DiffusionSampler,
        settings: DiffusionSettings,
        background: int | None,
        seed: int = 0,
    ) -> None:
        super().__init__(name="diffusion")
        self.sampler = sampler
        self._background = None if background is None else background / 255
        self.denoiser = denoiser.build(
            sampler.classes, sampler.shape, sampler.width, sampler.precision
        )
        sampler.denoiser.set_weights(self.denoiser.get_weights())
        noise = keras.Input((math.prod(sampler.shape),), name="noise")
        labels = keras.Input((), dtype="int32", name="labels")
        self.average = keras.Model([noise, labels], sampler([noise, labels]), name="generator")
        self.average.trainable = False
        self.settings = settings
        self.random = keras.random.SeedGenerator(seed)
        self.seen = self.add_weight(
            shape=(), dtype="int32", initializer="zeros", trainable=False, name="seen"
        )
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.METRICS}
        self.built = True

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """How wrong the denoiser is about each image at an angle of its own: (angles, losses)."""
        labels = ops.cast(inputs["labels"], "int32")
        images, changes = self._changed(inputs["images"])
        count = ops.shape(labels)[0]
        angles = self._angles(count)
        noise = keras.random.normal(ops.shape(images), seed=self.random)
        near, far = ops.cos(angles)[:, None, None, None], ops.sin(angles)[:, None, None, None]
        hidden = keras.random.uniform((count,), seed=self.random) < self.settings.unlabelled
        told = ops.where(hidden, self.sampler.classes, labels)
        noisy, velocity = near * images + far * noise, near * noise - far * images
        found = self.denoiser([noisy, angles, told, changes], training=training)
        return angles, ops.mean(ops.square(found - velocity), axis=(1, 2, 3))

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The mean loss; also noted by angle, for the large shapes and for the strokes."""
        follow(self.sampler.denoiser, self.denoiser, self.settings.ema, self.seen)
        angles, losses = y_pred
        coarse = ops.cast(angles > _QUARTER_TURN / 2, "float32")
        self.trackers["denoising_loss"].update_state(losses)
        self.trackers["shape_loss"].update_state(losses, sample_weight=coarse)
        self.trackers["stroke_loss"].update_state(losses, sample_weight=1.0 - coarse)
        return ops.mean(losses)

    def _angles(self, count: Any) -> Any:
        """Random angles that cover their range evenly within a batch, (N,)."""
        start = keras.random.uniform((), seed=self.random)
        places = (ops.arange(count, dtype="float32") + start) / ops.cast(count, "float32")
        return _QUARTER_TURN * places

    def _changed(self, images: Any) -> tuple[Any, Any]:
        """Images of mean 0 and variance 1, mirrored and moved at random, and what was done."""
        settings, count = self.settings, ops.shape(images)[0]
        x = ops.cast(images, "float32") / 255.0
        coin = keras.random.uniform((count, 1), seed=self.random)
        mirrored = ops.cast(coin < (0.5 if settings.flip else 0.0), "float32")
        x = ops.where(mirrored[..., None, None] > 0, ops.flip(x, axis=2), x)
        moves = augment.draw_moves(count, settings.shift, settings.zoom, self.random)
        if settings.shift or settings.zoom:
            x = augment.moved(x, moves, self._background)
        unchanged = ops.convert_to_tensor([[0.0, 1.0, 0.0, 1.0]])
        scale = ops.convert_to_tensor(
            [[1.0 / max(settings.shift, 1.0), 1.0 / max(settings.zoom, 0.1)] * 2]
        )
        changes = ops.concatenate([mirrored, (moves - unchanged) * scale], axis=1)
        return (x - self.sampler.mean) / self.sampler.spread, changes
