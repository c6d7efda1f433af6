"""Train one classifier: recipe and data in, best weights and history out."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from augstudy.core import rng
from augstudy.core.arrays import Images, Labels
from augstudy.core.stopping import saved_when_terminated
from augstudy.models import classifiers
from augstudy.models.backend import keras, prepare, resolve_precision
from augstudy.models.colours import RandomColours
from augstudy.models.layers import RandomAffine
from augstudy.settings.classifier import ClassifierSettings, OptimizerSettings
from augstudy.settings.spec import ImageSpec, with_channels
from augstudy.training import transfer
from augstudy.training.callbacks import (
    Checkpointer,
    EarlyStopping,
    Progress,
    Recorder,
    ReduceOnPlateau,
    Validator,
    Watch,
    Watcher,
    training_variables,
)
from augstudy.training.checkpoints import Keeper

_CURVE_IMAGES = 500
_MOST_TOGETHER = 12  # SIGTERM waits for them, and a pod that has to go has 30 s


@dataclass(frozen=True)
class Trained:
    """A trained classifier with the weights of its best epoch, or of the last: see ``keep``."""

    model: keras.Model
    history: pd.DataFrame
    best_epoch: int
    steps: int


class Trainer:
    """Trains a classifier from one seed after another, and traces its training step only once.

    Tracing and compiling take some seconds of a CPU, as long as many a small training. So every
    seed's freshly built model only lends its variables to the one that has been compiled, and
    gets the trained weights back: the result is the same, bit for bit.

    Args:
        settings: architecture and recipe.
        spec: what images are like.
        classes: number of classes.
        images: number of training images; the learning-rate schedule depends on it.
    """

    def __init__(
        self, settings: ClassifierSettings, spec: ImageSpec, *, classes: int, images: int
    ) -> None:
        self._settings = settings
        self._spec = spec
        self._classes = classes
        self._images = images
        self._steps_per_epoch = -(-images // settings.batch_size)
        self._compiled: keras.Model | None = None

    def train(
        self,
        training: tuple[Images, Labels],
        validation: tuple[Images, Labels],
        *,
        seed: int,
        progress: Progress | None = None,
        keeper: Keeper | None = None,
        watch: Watch | None = None,
        weights: npt.NDArray[np.float32] | None = None,
        in_epoch: Callable[[int], Images] | None = None,
        start: keras.Model | None = None,
    ) -> Trained:
        """Train on uint8 images (N, height, width[, 3]) with integer labels (N,).

        ``weights`` (N,) are those of the images in the loss. ``in_epoch`` gives other images of the
        same labels for each epoch. A classifier to `start` from lends its weights.

        Augmentation runs in the training graph, ahead of the classifier, and is not part of the
        model that is returned. With a `keeper`, training goes on from the checkpoint that it has,
        if any. `watch` is shown every row of the history, and ends the training by an exception.

        Raises:
            ValueError: another number of images than announced.
            Terminated: SIGTERM came; the newest checkpoint has been written.
        """
        images, labels = training
        if len(images) != self._images:
            raise ValueError(f"expected {self._images} training images, not {len(images)}")
        settings = self._settings
        fresh = self._build(seed)
        if self._compiled is None:
            self._compiled = self._build(seed)
        trainer = self._compiled
        if start is not None:
            fresh.layers[-1].set_weights(start.get_weights())
        _copy(fresh, trainer)
        stopper, recorder = EarlyStopping(settings), Recorder(settings.epochs, progress)
        parts: dict[str, Any] = {"early_stopping": stopper, "history": recorder}
        if settings.reduce_on_plateau:
            parts["reduce_on_plateau"] = ReduceOnPlateau(settings)
        seen = seen_each_epoch(settings, len(validation[0]))
        validator = Validator(validation[0][seen], one_hot(validation[1][seen], self._classes))
        saver = Checkpointer(keeper, parts)
        watchers = [Watcher(recorder, watch)] if watch else []
        done = saver.resume(trainer, settings.epochs)
        targets = one_hot(labels, self._classes)
        with saved_when_terminated(keeper.write if keeper else None):
            trainer.fit(
                batches(
                    in_epoch or (lambda _: images),
                    targets,
                    settings.batch_size,
                    seed,
                    done,
                    weights,
                ),
                steps_per_epoch=self._steps_per_epoch,
                initial_epoch=done,
                epochs=settings.epochs,
                shuffle=False,
                callbacks=[validator, *parts.values(), saver, *watchers],
                verbose=0,
            )
        history = recorder.frame()
        _copy(trainer, fresh)
        return Trained(
            model=fresh.layers[-1],
            history=history,
            best_epoch=stopper.best_epoch + 1 if settings.keep == "best" else len(history),
            steps=self._steps_per_epoch * len(history),
        )

    def _build(self, seed: int) -> keras.Model:
        """Augmentation and classifier in one compiled model, as `seed` starts them."""
        keras.backend.clear_session()  # layer names count up otherwise, and end up in the file
        prepare(seed)
        settings = self._settings
        keras.mixed_precision.set_global_policy(resolve_precision(settings.precision))
        changes = settings.augmentation.model_dump(), seed, self._spec.background
        trainer = keras.Sequential(
            [
                keras.Input(self._spec.shape, dtype="uint8"),
                RandomAffine(*changes),
                *([RandomColours(*changes)] if settings.augmentation.colours else ()),
                self._classifier(),
            ]
        )
        trainer.compile(
            optimizer=optimizer(settings.optimizer, settings.epochs, self._steps_per_epoch),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing),
            metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
            # XLA makes convolutions on a CPU several times slower; JAX compiles by itself.
            jit_compile="auto" if keras.backend.backend() == "jax" else False,
            steps_per_execution=steps_together(self._steps_per_epoch),
        )
        return trainer

    def _classifier(self) -> keras.Model:
        settings = self._settings
        if settings.backbone:
            return transfer.build(settings.backbone, self._classes, self._spec)
        return classifiers.build(settings.architecture, self._classes, self._spec, settings.network)


def steps_together(steps_per_epoch: int) -> int:
    """How many gradient steps run between two returns to Python, which changes no bit.

    Each return takes time, which shows in small networks. An epoch must end with one, so the count
    divides its steps. JAX would compile each of the steps by itself.
    """
    if keras.backend.backend() != "tensorflow":
        return 1
    counts = range(1, min(steps_per_epoch, _MOST_TOGETHER) + 1)
    return max(count for count in counts if steps_per_epoch % count == 0)


def seen_each_epoch(settings: ClassifierSettings, images: int) -> npt.NDArray[np.int64]:
    """Rows of the validation images that every epoch is judged by, evenly spread over the classes.

    All, where that chooses an epoch or a rate. Where it only draws a curve, a sample will do.
    """
    chooses = settings.keep == "best" or settings.early_stopping or settings.reduce_on_plateau
    count = images if chooses else min(images, _CURVE_IMAGES)
    return np.linspace(0, images, count, endpoint=False).astype(np.int64)


def _copy(source: keras.Model, target: keras.Model) -> None:
    """Make `target`'s weights, random generators and optimizer those of `source`."""
    for old, new in zip(training_variables(target), training_variables(source), strict=True):
        old.assign(new)


def train(
    settings: ClassifierSettings,
    training: tuple[Images, Labels],
    validation: tuple[Images, Labels],
    spec: ImageSpec,
    *,
    classes: int,
    seed: int,
    progress: Progress | None = None,
    keeper: Keeper | None = None,
) -> Trained:
    """Train one classifier from one seed: see :meth:`Trainer.train`."""
    trainer = Trainer(settings, spec, classes=classes, images=len(training[0]))
    return trainer.train(training, validation, seed=seed, progress=progress, keeper=keeper)


def batches(
    in_epoch: Callable[[int], Images],
    targets: npt.NDArray[np.float32],
    size: int,
    seed: int,
    first_epoch: int = 0,
    weights: npt.NDArray[np.float32] | None = None,
) -> Iterator[tuple[npt.NDArray[Any], ...]]:
    """Batches without end: all images once an epoch, in an order of `seed` and the epoch alone.

    With `weights` (N,), each batch has those of its images as a third part.

    One generator for all epochs: Keras builds its pipeline for arrays anew every epoch, which on a
    CPU takes as long as a step.
    """
    for epoch in itertools.count(first_epoch):
        images = with_channels(in_epoch(epoch))
        order = rng.generator(seed, epoch).permutation(len(images))
        parts = (images, targets) if weights is None else (images, targets, weights)
        for start in range(0, len(order), size):
            chosen = order[start : start + size]
            yield tuple(part[chosen] for part in parts)


def one_hot(labels: Labels, classes: int) -> npt.NDArray[np.float32]:
    """Turn labels (N,) into one-hot rows (N, classes)."""
    return np.eye(classes, dtype=np.float32)[labels]


def optimizer(
    settings: OptimizerSettings, epochs: int, steps_per_epoch: int
) -> keras.optimizers.Optimizer:
    """Build the optimizer, with its learning-rate schedule in steps."""
    rate = _learning_rate(settings, epochs * steps_per_epoch, steps_per_epoch)
    adam = {"beta_1": settings.beta_1, "beta_2": settings.beta_2}
    build: Mapping[str, Callable[[], keras.optimizers.Optimizer]] = {
        "sgd": lambda: keras.optimizers.SGD(rate, momentum=settings.momentum),
        "rmsprop": lambda: keras.optimizers.RMSprop(rate, momentum=settings.momentum),
        "adam": lambda: keras.optimizers.Adam(rate, **adam),
        "adamw": lambda: keras.optimizers.AdamW(rate, weight_decay=settings.weight_decay, **adam),
    }
    return build[settings.name]()


def _learning_rate(settings: OptimizerSettings, steps: int, steps_per_epoch: int) -> Any:
    if settings.schedule == "constant":
        return settings.learning_rate
    warmup = min(int(settings.warmup_epochs * steps_per_epoch), steps - 1)
    if not warmup:
        return keras.optimizers.schedules.CosineDecay(settings.learning_rate, steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=settings.learning_rate, warmup_steps=warmup
    )
