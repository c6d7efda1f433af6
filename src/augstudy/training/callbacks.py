"""Callbacks of a classifier's training; their state goes into checkpoints."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from augstudy.core.arrays import Images
from augstudy.core.errors import TrainingError
from augstudy.models.backend import keras
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.spec import with_channels
from augstudy.training import checkpoints

Progress = Callable[[int, int, str], None]
Watch = Callable[[Mapping[str, float]], None]

HISTORY_COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")


class EarlyStopping(checkpoints.Remembering, keras.callbacks.EarlyStopping):
    """Early stopping on the validation loss, with the weights that `settings` keep at the end."""

    _STATE = ("wait", "stopped_epoch", "best", "best_epoch", "best_weights")

    def __init__(self, settings: ClassifierSettings) -> None:
        stop = settings.early_stopping
        super().__init__(
            monitor="val_loss",
            patience=stop.patience if stop else settings.epochs,
            min_delta=stop.min_delta if stop else 0.0,
            restore_best_weights=settings.keep == "best",
        )


class ReduceOnPlateau(checkpoints.Remembering, keras.callbacks.ReduceLROnPlateau):
    """Lower the learning rate when the validation loss has stopped falling."""

    _STATE = ("wait", "cooldown_counter", "best")

    def __init__(self, settings: ClassifierSettings) -> None:
        assert settings.reduce_on_plateau is not None
        super().__init__(
            monitor="val_loss",
            patience=settings.reduce_on_plateau.patience,
            factor=settings.reduce_on_plateau.factor,
            min_lr=settings.reduce_on_plateau.min_learning_rate,
        )


class Validator(keras.callbacks.Callback):
    """Add ``val_loss`` and ``val_accuracy`` to the logs of an epoch, ahead of those who read them.

    What `validation_data` of `fit` does, less the data pipeline that it builds every epoch: on a
    CPU that takes longer than the predictions of a thousand small images.
    """

    def __init__(self, images: Images, targets: npt.NDArray[np.float32]) -> None:
        super().__init__()
        self._images = with_channels(images)
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
    """Collect the history, with the learning rate of every epoch, and report progress.

    A loss that is no finite number ends the training with a TrainingError: nothing can come of it.
    """

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
        if not np.isfinite(list(row.values())).all():
            raise TrainingError(
                f"The training broke in epoch {epoch + 1}: its loss is no finite number. Lower the "
                f"learning rate, optimizer.learning_rate ({self._rate:g})."
            )
        self._rows.append({"epoch": epoch + 1, **row, "learning_rate": self._rate})
        text = f"loss {row['loss']:.3f}  validation accuracy {row['val_accuracy']:.3f}"
        if self._progress:
            self._progress(epoch + 1, self._epochs, text)

    @property
    def rows(self) -> Sequence[Mapping[str, float]]:
        """The epochs so far."""
        return self._rows

    def state(self) -> checkpoints.Snapshot:
        """All rows so far."""
        return {"rows": list(self._rows)}

    def restore(self, state: checkpoints.Snapshot) -> None:
        """Take up a state again."""
        self._rows = list(state["rows"])

    def frame(self) -> pd.DataFrame:
        """One row an epoch."""
        return pd.DataFrame(self._rows, columns=list(HISTORY_COLUMNS))


class Watcher(keras.callbacks.Callback):
    """Show every epoch to someone who may end the training by raising an exception.

    Comes after the checkpointer: what is ended can be taken up again, and the epochs of a
    checkpoint are shown as well.
    """

    def __init__(self, recorder: Recorder, watch: Watch) -> None:
        super().__init__()
        self._recorder = recorder
        self._watch = watch

    def on_train_begin(self, logs: Any = None) -> None:
        for row in self._recorder.rows:
            self._watch(row)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._watch(self._recorder.rows[-1])


class Checkpointer(keras.callbacks.Callback):
    """Offer the state of training to a keeper after every epoch, and take up where one ended.

    Comes after all that it keeps, so that it sees what they made of the epoch, and restores them
    after their own start.
    """

    def __init__(
        self,
        keeper: checkpoints.Keeper | None,
        parts: Mapping[str, checkpoints.Stateful],
    ) -> None:
        super().__init__()
        self._keeper = keeper
        self._parts = parts
        self._found: checkpoints.Snapshot | None = None

    def resume(self, model: keras.Model, epochs: int) -> int:
        """Load the newest checkpoint into a built and compiled model.

        Returns the epochs that are behind it: all `epochs` if it had been stopped for good.
        """
        found = self._keeper.latest() if self._keeper else None
        if found is None:
            return 0
        epoch, self._found = found
        variables = training_variables(model)
        for variable, value in zip(variables, self._found["variables"], strict=True):
            variable.assign(value)
        return epochs if self._found["stopped"] else epoch

    def on_train_begin(self, logs: Any = None) -> None:
        if self._found is None:
            return
        for name, part in self._parts.items():
            part.restore(self._found[name])

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._keeper is None:
            return
        arrays = [
            np.array(keras.ops.convert_to_numpy(item)) for item in training_variables(self.model)
        ]
        state = {name: part.state() for name, part in self._parts.items()}
        stopped = bool(self.model.stop_training)
        self._keeper.offer(epoch + 1, {"variables": arrays, "stopped": stopped, **state})


def training_variables(model: keras.Model) -> list[Any]:
    """All that a step of training changes: weights, random generators, the optimizer's moments."""
    model.optimizer.build(model.trainable_variables)
    metrics = {id(item) for metric in model.metrics for item in metric.variables}
    own = [item for item in model.variables if id(item) not in metrics]
    return [*own, *model.optimizer.variables]
