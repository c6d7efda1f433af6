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

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int32]
Progress = Callable[[int, int, str], None]

HISTORY_COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")


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
) -> Trained:
    """Train `settings.architecture` on uint8 images (N, 28, 28) with integer labels (N,).

    Augmentation runs in the training graph, ahead of the classifier, and is not part of the model
    that is returned.
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
    stopper, recorder = _early_stopping(settings), Recorder(settings.epochs, progress)
    validator = Validator(validation[0], one_hot(validation[1], classes))
    trainer.fit(
        batches(images[..., None], one_hot(labels, classes), settings.batch_size, seed),
        steps_per_epoch=steps_per_epoch,
        epochs=settings.epochs,
        shuffle=False,
        callbacks=[validator, stopper, *_reduce_on_plateau(settings), recorder],
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
    images: npt.NDArray[np.uint8], targets: npt.NDArray[np.float32], size: int, seed: int
) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]]:
    """Batches without end: all images once an epoch, in an order of `seed` and the epoch alone.

    One generator for all epochs: Keras builds its pipeline for arrays anew every epoch, which on a
    CPU takes as long as a step.
    """
    for epoch in itertools.count():
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


def _early_stopping(settings: ClassifierSettings) -> keras.callbacks.EarlyStopping:
    """Early stopping, which restores the best weights even where it never stops anything."""
    stop = settings.early_stopping
    return keras.callbacks.EarlyStopping(
        monitor="val_loss",
        patience=stop.patience if stop else settings.epochs,
        min_delta=stop.min_delta if stop else 0.0,
        restore_best_weights=True,
    )


def _reduce_on_plateau(settings: ClassifierSettings) -> list[keras.callbacks.Callback]:
    plateau = settings.reduce_on_plateau
    if not plateau:
        return []
    return [
        keras.callbacks.ReduceLROnPlateau(
            monitor="val_loss",
            patience=plateau.patience,
            factor=plateau.factor,
            min_lr=plateau.min_learning_rate,
        )
    ]


class Validator(keras.callbacks.Callback):
    """Add ``val_loss`` and ``val_accuracy`` to the logs of an epoch, ahead of those who read them.

    What `validation_data` of `fit` does, less the data pipeline that it builds every epoch: on a
    CPU that takes longer than the predictions of a thousand small images.
    """

    def __init__(self, images: Images, targets: npt.NDArray[np.float32]) -> None:
        super().__init__()
        self._images = images[..., None]
        self._targets = targets

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        starts = range(0, len(self._images), 512)
        batches = [self._images[start : start + 512] for start in starts]
        outputs = np.concatenate([self.model.predict_on_batch(batch) for batch in batches])
        loss = self.model.loss(self._targets, outputs.astype(np.float32))
        right = outputs.argmax(1) == self._targets.argmax(1)
        if logs is not None:
            logs |= {"val_loss": float(loss), "val_accuracy": float(right.mean())}


class Recorder(keras.callbacks.Callback):
    """Collect the history, with the learning rate of every epoch, and report progress."""

    def __init__(self, epochs: int, progress: Progress | None) -> None:
        super().__init__()
        self._epochs = epochs
        self._progress = progress
        self._rows: list[dict[str, float]] = []
        self._rate = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        logs = logs or {}
        row = {name: float(logs[name]) for name in HISTORY_COLUMNS[1:-1]}
        self._rows.append({"epoch": epoch + 1, **row, "learning_rate": self._rate})
        text = f"loss {row['loss']:.3f}  validation accuracy {row['val_accuracy']:.3f}"
        if self._progress:
            self._progress(epoch + 1, self._epochs, text)

    def frame(self) -> pd.DataFrame:
        """One row an epoch."""
        return pd.DataFrame(self._rows, columns=list(HISTORY_COLUMNS))
