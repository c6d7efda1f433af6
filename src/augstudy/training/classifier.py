"""Train one classifier: recipe and data in, best weights and history out."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from augstudy.backend import keras, prepare, resolve_precision
from augstudy.config import ClassifierSettings, OptimizerSettings
from augstudy.models import classifiers
from augstudy.models.layers import RandomAffine
from augstudy.training.callbacks import (
    Checkpointer,
    EarlyStopping,
    Images,
    Progress,
    Recorder,
    ReduceOnPlateau,
    Validator,
)
from augstudy.training.checkpoints import Keeper, written_when_terminated

Labels = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Trained:
    """A trained classifier with the weights of its best epoch (lowest validation loss)."""

    model: keras.Model
    history: pd.DataFrame
    best_epoch: int
    steps: int


def train(
    settings: ClassifierSettings,
    training: tuple[Images, Labels],
    validation: tuple[Images, Labels],
    *,
    classes: int,
    seed: int,
    progress: Progress | None = None,
    keeper: Keeper | None = None,
) -> Trained:
    """Train `settings.architecture` on uint8 images (N, 28, 28) with integer labels (N,).

    Augmentation runs in the training graph, ahead of the classifier, and is not part of the model
    that is returned. With a `keeper`, training goes on from the checkpoint that it has, if any.

    Raises:
        Terminated: SIGTERM came; the newest checkpoint has been written.
    """
    keras.backend.clear_session()  # layer names count up otherwise, and end up in the file
    prepare(seed)
    keras.mixed_precision.set_global_policy(resolve_precision(settings.precision))
    model = classifiers.build(settings.architecture, classes)
    images, labels = training
    steps_per_epoch = -(-len(images) // settings.batch_size)
    trainer = keras.Sequential(
        [
            keras.Input(classifiers.IMAGE_SHAPE, dtype="uint8"),
            RandomAffine(settings.augmentation.model_dump(), seed=seed),
            model,
        ]
    )
    trainer.compile(
        optimizer=optimizer(settings.optimizer, settings.epochs, steps_per_epoch),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        # XLA makes convolutions on a CPU several times slower; JAX compiles by itself.
        jit_compile="auto" if keras.backend.backend() == "jax" else False,
    )
    stopper, recorder = EarlyStopping(settings), Recorder(settings.epochs, progress)
    parts: dict[str, Any] = {"early_stopping": stopper, "history": recorder}
    if settings.reduce_on_plateau:
        parts["reduce_on_plateau"] = ReduceOnPlateau(settings)
    validator = Validator(validation[0], one_hot(validation[1], classes))
    saver = Checkpointer(keeper, parts)
    done = saver.resume(trainer, settings.epochs)
    with written_when_terminated(keeper):
        trainer.fit(
            batches(images[..., None], one_hot(labels, classes), settings.batch_size, seed, done),
            steps_per_epoch=steps_per_epoch,
            initial_epoch=done,
            epochs=settings.epochs,
            shuffle=False,
            callbacks=[validator, *parts.values(), saver],
            verbose=0,
        )
    history = recorder.frame()
    return Trained(
        model=model,
        history=history,
        best_epoch=stopper.best_epoch + 1,
        steps=steps_per_epoch * len(history),
    )


def batches(
    images: npt.NDArray[np.uint8],
    targets: npt.NDArray[np.float32],
    size: int,
    seed: int,
    first_epoch: int = 0,
) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]]:
    """Batches without end: all images once an epoch, in an order of `seed` and the epoch alone.

    One generator for all epochs: Keras builds its pipeline for arrays anew every epoch, which on a
    CPU takes as long as a step.
    """
    for epoch in itertools.count(first_epoch):
        order = np.random.default_rng([seed, epoch]).permutation(len(images))
        for start in range(0, len(order), size):
            chosen = order[start : start + size]
            yield images[chosen], targets[chosen]


def one_hot(labels: Labels, classes: int) -> npt.NDArray[np.float32]:
    """Turn labels (N,) into one-hot rows (N, classes)."""
    return np.eye(classes, dtype=np.float32)[labels]


def predict(model: keras.Model, images: Images, *, mirror: bool = False) -> npt.NDArray[np.float32]:
    """Class probabilities (N, classes) of uint8 images (N, 28, 28).

    With `mirror`, the mean of those of each image and of its mirror image.
    """
    if mirror:
        return (predict(model, images) + predict(model, images[:, :, ::-1])) / np.float32(2)
    outputs = [
        keras.ops.convert_to_numpy(model(images[start : start + 256, ..., None], training=False))
        for start in range(0, len(images), 256)
    ]
    return np.concatenate(outputs).astype(np.float32)


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
