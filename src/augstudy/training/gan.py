"""Train a generator: labelled images in, networks, history and samples over time out."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from augstudy.core import rng
from augstudy.core.arrays import Images, Labels
from augstudy.core.errors import InputError
from augstudy.core.registry import Registry
from augstudy.core.stopping import saved_when_terminated
from augstudy.metrics.gan_training import Reference
from augstudy.models import discriminators, generators
from augstudy.models.acgan import ACGAN, TwoRateAdam
from augstudy.models.backend import keras, prepare, resolve_precision
from augstudy.settings.generators import DiffusionSettings, GanSettings, GeneratorSettings
from augstudy.settings.spec import ImageSpec, with_channels
from augstudy.training.callbacks import Checkpointer
from augstudy.training.checkpoints import Keeper
from augstudy.training.schedules import learning_rate
from augstudy.training.stability import Stability, assess
from augstudy.training.watching import SIGNALS, Progress, Row, Scorer, Warn, Watcher, row_steps

# What is no AC-GAN, by the architecture that settings name.
OTHERS: Registry[Callable[..., keras.Model]] = Registry("model")


@dataclass(frozen=True)
class Trained:
    """A trained GAN, or a diffusion model, which has no discriminator.

    ``generator`` is the averaged one, of the step ``best_step``, where the scorer liked it best
    (the last one without a scorer). ``samples`` is uint8 (T, C, K, height, width[, 3]): the
    same noise drawn by it after each of the ``sample_steps`` (T,).
    """

    generator: keras.Model
    discriminator: keras.Model | None
    history: list[Row]
    sample_steps: npt.NDArray[np.int64]
    samples: Images
    best_step: int
    stability: Stability


def train(
    settings: GeneratorSettings,
    images: Images,
    labels: Labels,
    spec: ImageSpec,
    *,
    classes: int,
    seed: int,
    held_out: tuple[Images, Labels] | None = None,
    scorer: Scorer | None = None,
    progress: Progress | None = None,
    warn: Warn | None = None,
    keeper: Keeper | None = None,
) -> Trained:
    """Train for ``settings.steps`` steps on uint8 images with labels (N,).

    A training that failed for good ends early; ``stability`` of what is returned says so.

    Args:
        settings: of the networks and their training.
        images: real images.
        labels: their classes.
        spec: what images are like.
        classes: how many there are.
        seed: of weights, batches and noise.
        held_out: real images and labels that are not trained on, to tell whether the
            discriminator knows its images by heart; `images` in their absence, which can't.
        scorer: given generated images and their labels, how bad they are; the best generator is
            kept. It must return the same for the same images.
        progress: told step, steps and how it goes.
        warn: told the step and the alarm, when one is raised.
        keeper: training goes on from the checkpoint that it has, if any.

    Raises:
        InputError: unknown architecture, or a class without images.
        Terminated: SIGTERM came; the newest checkpoint has been written.
    """
    missing = sorted(set(range(classes)) - set(labels.tolist()))
    if missing:
        raise InputError(
            f"Class number {missing[0]} has no image to train a GAN on: leave the class out, or "
            "add images of it."
        )
    keras.backend.clear_session()  # layer names count up otherwise, and end up in the file
    prepare(seed)
    model = _build(settings, images, spec, classes, seed)
    reference = Reference(images, labels, *(held_out or (images, labels)))
    watcher = Watcher(settings, reference, classes, seed, scorer, progress, warn)
    saver = Checkpointer(keeper, {"watcher": watcher})
    rows = row_steps(settings.steps)
    done = saver.resume(model, settings.steps // rows)
    with saved_when_terminated(keeper.write if keeper else None):
        model.fit(
            batches(images, labels, settings.batch_size, seed, skip=done * rows),
            initial_epoch=done,
            epochs=settings.steps // rows,
            steps_per_epoch=rows,
            callbacks=[watcher, saver],
            shuffle=False,
            verbose=0,
        )
    watcher.keep_best()
    return Trained(
        generator=model.average,
        discriminator=getattr(model, "discriminator", None),
        history=watcher.history,
        sample_steps=np.array(watcher.sample_steps, dtype=np.int64),
        samples=np.stack(watcher.samples),
        best_step=watcher.best_step,
        stability=assess(watcher.history, watcher.final(), settings.steps),
    )


def history_columns(history: Sequence[Row]) -> list[str]:
    """The columns of ``history.csv``: what every row has, then the signals of some moments."""
    always = [name for name in history[0] if name not in SIGNALS]
    return [*always, *SIGNALS]


@OTHERS.register()
def diffusion(
    settings: DiffusionSettings, images: Images, spec: ImageSpec, classes: int, seed: int
) -> keras.Model:
    """The diffusion model."""
    from augstudy.training.diffusion import build

    return build(settings, images, spec, classes, seed)


def _build(
    settings: GeneratorSettings, images: Images, spec: ImageSpec, classes: int, seed: int
) -> keras.Model:
    if settings.architecture in OTHERS:
        return OTHERS[settings.architecture](settings, images, spec, classes, seed)
    assert isinstance(settings, GanSettings)
    return build(settings, spec, classes, seed)


def build(settings: GanSettings, spec: ImageSpec, classes: int, seed: int) -> ACGAN:
    """Build the compiled, untrained AC-GAN for images like `spec`."""
    keras.mixed_precision.set_global_policy(resolve_precision(settings.precision))
    logits = 2 * classes if settings.class_loss == "adc" else classes
    model = ACGAN(
        generators.build(settings.architecture, classes, spec, settings.latent_dim),
        discriminators.build(
            settings.discriminator or settings.architecture,
            logits,
            spec,
            spectral=settings.spectral_norm,
            filter_size=settings.filter_size,
        ),
        settings,
        spec.background,
        seed,
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
    model.optimizer.build(model.trainable_variables)  # else the first step is traced twice
    return model


def batches(
    images: Images, labels: Labels, batch_size: int, seed: int, skip: int = 0
) -> Iterator[tuple[dict[str, Any]]]:
    """Yield batches for ``fit`` without end; the second half shows the classes of the first.

    Every image comes once before any comes again (but for one of a class of odd size). The first
    `skip` batches are left out.
    """
    random = rng.generator(seed)
    half = batch_size // 2
    pairs = np.empty((0, 2), dtype=np.int64)
    for number in itertools.count():
        while len(pairs) < half:
            pairs = np.concatenate([pairs, _pairs(labels, random)])
        batch, pairs = pairs[:half].T.ravel(), pairs[half:]
        if number < skip:
            continue
        yield ({"images": with_channels(images[batch]), "labels": labels[batch].astype(np.int32)},)


def _pairs(labels: Labels, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Indices of all images in random pairs of one class, (P, 2), in random order."""
    found = []
    for label in np.unique(labels):
        own = random.permutation(np.flatnonzero(labels == label))
        own = own if len(own) > 1 else np.repeat(own, 2)
        found.append(own[: len(own) // 2 * 2].reshape(-1, 2))
    return random.permutation(np.concatenate(found))
