"""Train a generator: labelled drawings in, networks, history and samples over time out."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from augstudy.backend import keras, prepare, resolve_precision
from augstudy.config import DiffusionSettings, GanSettings, GeneratorSettings
from augstudy.errors import InputError
from augstudy.models import discriminators, generators
from augstudy.models.acgan import ACGAN, TwoRateAdam
from augstudy.training import checkpoints, diffusion
from augstudy.training.callbacks import Checkpointer
from augstudy.training.checkpoints import Keeper, written_when_terminated
from augstudy.training.schedules import learning_rate
from augstudy.training.stability import first_broken

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int32]
Progress = Callable[[int, int, str], None]
Row = dict[str, float]

MOMENTS = 8
SAMPLES_PER_CLASS = 8
_ROW_STEPS = 25
_GENERATION_BATCH = 256


@dataclass(frozen=True)
class Trained:
    """A trained GAN, or a diffusion model, which has no discriminator.

    ``samples`` is uint8 (T, C, K, 28, 28): the same noise drawn by the averaged generator after
    each of the ``sample_steps`` (T,).
    """

    generator: keras.Model
    discriminator: keras.Model | None
    history: list[Row]
    sample_steps: npt.NDArray[np.int64]
    samples: Images


def train(
    settings: GeneratorSettings,
    images: Images,
    labels: Labels,
    *,
    classes: int,
    seed: int,
    progress: Progress | None = None,
    keeper: Keeper | None = None,
) -> Trained:
    """Train for ``settings.steps`` steps on uint8 images (N, 28, 28) with labels (N,).

    With a `keeper`, training goes on from the checkpoint that it has, if any.

    Raises:
        InputError: unknown architecture, or the training diverged.
        Terminated: SIGTERM came; the newest checkpoint has been written.
    """
    keras.backend.clear_session()  # layer names count up otherwise, and end up in the file
    prepare(seed)
    model = _build(settings, images, classes, seed)
    rows = row_steps(settings.steps)
    watcher = Watcher(settings, classes, seed, progress)
    saver = Checkpointer(keeper, {"watcher": watcher})
    done = saver.resume(model, settings.steps // rows)
    with written_when_terminated(keeper):
        model.fit(
            batches(images, labels, settings.batch_size, seed, skip=done * rows),
            initial_epoch=done,
            epochs=settings.steps // rows,
            steps_per_epoch=rows,
            callbacks=[watcher, saver],
            shuffle=False,
            verbose=0,
        )
    watcher.raise_if_diverged()
    return Trained(
        generator=model.average,
        discriminator=getattr(model, "discriminator", None),
        history=watcher.history,
        sample_steps=np.array(watcher.sample_steps, dtype=np.int64),
        samples=np.stack(watcher.samples),
    )


def _build(settings: GeneratorSettings, images: Images, classes: int, seed: int) -> keras.Model:
    if isinstance(settings, DiffusionSettings):
        return diffusion.build(settings, images, classes, seed)
    assert isinstance(settings, GanSettings)
    return build(settings, classes, seed)


def build(settings: GanSettings, classes: int, seed: int) -> ACGAN:
    """Build the compiled, untrained AC-GAN."""
    keras.mixed_precision.set_global_policy(resolve_precision(settings.precision))
    model = ACGAN(
        generators.build(settings.architecture, classes, settings.latent_dim),
        discriminators.build(settings.architecture, classes),
        loss=settings.loss,
        class_weight=settings.class_weight,
        projection=settings.projection,
        variety=settings.variety,
        ema=settings.ema,
        flip=settings.flip,
        shift=settings.shift,
        zoom=settings.zoom,
        seed=seed,
    )
    model.compile(
        optimizer=TwoRateAdam(
            learning_rate(settings),
            beta_1=settings.beta_1,
            beta_2=settings.beta_2,
            prefix=discriminators.PREFIX,
            ratio=settings.discriminator_rate,
        ),
        # XLA makes convolutions on a CPU several times slower; JAX compiles by itself.
        jit_compile="auto" if keras.backend.backend() == "jax" else False,
    )
    return model


def row_steps(steps: int) -> int:
    """Steps a row of the history: the largest divisor of `steps` up to 25."""
    return max(size for size in range(1, _ROW_STEPS + 1) if steps % size == 0)


def batches(
    images: Images, labels: Labels, batch_size: int, seed: int, skip: int = 0
) -> Iterator[tuple[dict[str, Any]]]:
    """Yield batches for ``fit`` without end; the second half shows the classes of the first.

    Every image comes once before any comes again (but for one of a class of odd size). The first
    `skip` batches are left out.
    """
    random = np.random.default_rng(seed)
    half = batch_size // 2
    pairs = np.empty((0, 2), dtype=np.int64)
    for number in itertools.count():
        while len(pairs) < half:
            pairs = np.concatenate([pairs, _pairs(labels, random)])
        batch, pairs = pairs[:half].T.ravel(), pairs[half:]
        if number < skip:
            continue
        yield ({"images": images[batch][..., None], "labels": labels[batch].astype(np.int32)},)


def _pairs(labels: Labels, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Indices of all images in random pairs of one class, (P, 2), in random order."""
    found = []
    for label in np.unique(labels):
        own = random.permutation(np.flatnonzero(labels == label))
        own = own if len(own) > 1 else np.repeat(own, 2)
        found.append(own[: len(own) // 2 * 2].reshape(-1, 2))
    return random.permutation(np.concatenate(found))


def generate(generator: keras.Model, labels: npt.ArrayLike, seed: int) -> Images:
    """Draw one image a label: uint8 (N, 28, 28). Equal seeds give equal noise."""
    wanted = np.asarray(labels, dtype=np.int32)
    latent_dim = generator.inputs[0].shape[-1]
    noise = np.random.default_rng(seed).standard_normal((len(wanted), latent_dim), dtype=np.float32)
    drawn = np.zeros((len(wanted), 28, 28), dtype=np.uint8)
    for start in range(0, len(wanted), _GENERATION_BATCH):
        part = slice(start, start + _GENERATION_BATCH)
        images = generator([noise[part], wanted[part]], training=False)
        pixels = keras.ops.convert_to_numpy(images)[..., 0].astype(np.float32)
        drawn[part] = np.rint(np.clip(pixels, 0.0, 1.0) * 255.0).astype(np.uint8)
    return drawn


def generate_grid(generator: keras.Model, classes: int, per_class: int, seed: int) -> Images:
    """Draw `per_class` images of every class: uint8 (C, K, 28, 28)."""
    labels = np.repeat(np.arange(classes, dtype=np.int32), per_class)
    return generate(generator, labels, seed).reshape(classes, per_class, 28, 28)


class Watcher(keras.callbacks.Callback):
    """Collect history and samples, report progress, and stop a training that diverged."""

    _STATE = ("history", "sample_steps", "samples")

    def __init__(
        self, settings: GeneratorSettings, classes: int, seed: int, progress: Progress | None
    ) -> None:
        super().__init__()
        self.history: list[Row] = []
        self.sample_steps: list[int] = []
        self.samples: list[Images] = []
        self._settings, self._classes, self._seed = settings, classes, seed
        self._progress = progress
        self._row_steps = row_steps(settings.steps)
        moments = np.linspace(0, settings.steps, MOMENTS + 1)[1:]
        self._due = {int(np.ceil(moment / self._row_steps)) * self._row_steps for moment in moments}

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Take a row; an epoch of ``fit`` is one row of the history here."""
        step = (epoch + 1) * self._row_steps
        values = {name: float((logs or {})[name]) for name in self.model.METRICS}
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.history.append({"step": step, **values, "learning_rate": rate})
        if first_broken(self.history[-1:]) is not None:
            self.model.stop_training = True
            return
        if step in self._due:
            self.sample_steps.append(step)
            self.samples.append(
                generate_grid(self.model.average, self._classes, SAMPLES_PER_CLASS, self._seed)
            )
        if self._progress:
            self._progress(step, self._settings.steps, _text(values))

    def state(self) -> checkpoints.Snapshot:
        """History and samples so far."""
        return checkpoints.attributes(self, self._STATE)

    def restore(self, state: checkpoints.Snapshot) -> None:
        """Take up a state again."""
        checkpoints.set_attributes(self, state)

    def raise_if_diverged(self) -> None:
        """Turn a stopped training into a sentence.

        Raises:
            InputError: a loss was not finite.
        """
        step = first_broken(self.history)
        if step is not None:
            rate = self._settings.learning_rate
            raise InputError(
                f"The generator diverged at step {step} of {self._settings.steps} (a loss is no "
                f"finite number): lower learning_rate, now {rate:g}, or use precision float32."
            )


def _text(values: Mapping[str, float]) -> str:
    if "denoising_loss" in values:
        return f"loss {values['denoising_loss']:.3f}"
    return (
        f"discriminator {values['discriminator_loss']:.2f}  "
        f"generator {values['generator_loss']:.2f}  class {values['fake_class_accuracy']:.0%}"
    )
