"""The callback that watches the training of a generator, and keeps its best generator."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from augstudy.core.arrays import Images, Labels
from augstudy.metrics.gan_training import Reference
from augstudy.models.backend import keras
from augstudy.settings.generators import GeneratorSettings
from augstudy.settings.spec import with_channels
from augstudy.training import checkpoints, stability
from augstudy.training.drawing import generate

Progress = Callable[[int, int, str], None]
Scorer = Callable[[Images, Labels], float]
Warn = Callable[[int, stability.Alarm], None]
Row = dict[str, float]

SIGNALS = (
    "score",
    "spread",
    "diversity",
    "class_fidelity",
    "movement",
    "real_accuracy",
    "held_out_accuracy",
)
MOMENTS = 8
SAMPLES_PER_CLASS = 8
WATCHED_PER_CLASS = 32
SCORED = 1000
_TAKEN = 500
_ROW_STEPS = 25
_FEW = 5

logger = logging.getLogger("augstudy")


class Watcher(checkpoints.Remembering, keras.callbacks.Callback):
    """Collect history and samples, report progress, score the averaged generator and keep the best.

    At each of ``settings.evaluations`` moments it draws with always the same noise and labels,
    takes the signals of :mod:`augstudy.training.stability` and asks the scorer, for which lower
    is better, and tells `warn` the step and each new alarm. A training that failed for good is
    stopped.
    """

    _STATE = (
        "history",
        "sample_steps",
        "samples",
        "best_step",
        "best_score",
        "_best_weights",
        "_last_drawn",
    )

    def __init__(
        self,
        settings: GeneratorSettings,
        reference: Reference,
        classes: int,
        seed: int,
        scorer: Scorer | None = None,
        progress: Progress | None = None,
        warn: Warn | None = None,
    ) -> None:
        super().__init__()
        self.history: list[Row] = []
        self.sample_steps: list[int] = []
        self.samples: list[Images] = []
        self.best_step = 0
        self.best_score = float("inf")
        self._best_weights: list[npt.NDArray[np.float32]] = []
        self._last_drawn: list[Images] = []
        self._settings, self._reference, self._classes = settings, reference, classes
        self._seed, self._scorer, self._progress, self._warn = seed, scorer, progress, warn
        self._row_steps = row_steps(settings.steps)
        if settings.steps > _ROW_STEPS >= _FEW * self._row_steps:
            logger.warning(
                "%d steps can only be taken %d at a time, which is slow: choose a multiple of %d.",
                *(settings.steps, self._row_steps, _ROW_STEPS),
            )
        self._moments = moments(settings.steps, settings.evaluations)
        self._sampled = moments(settings.steps, MOMENTS)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Take a row; an epoch of ``fit`` is one row of the history here."""
        step = (epoch + 1) * self._row_steps
        values = {name: float((logs or {})[name]) for name in self.model.METRICS}
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        row: Row = {"step": step, **values, "learning_rate": rate}
        self.history.append(row)
        if step in self._moments and stability.first_broken([row]) is None:
            self._evaluate(row)
        failed = stability.failure(self.history, self._settings.steps) is not None
        if failed or step in self._sampled:
            self.sample_steps.append(step)
            self.samples.append(self._draw(SAMPLES_PER_CLASS))
        self.model.stop_training = failed
        if self._progress:
            self._progress(step, self._settings.steps, _text(row))

    def _evaluate(self, row: Row) -> None:
        """Add the signals and the score to `row`; remember the generator if it is the best."""
        before = self._alarms().keys()
        drawn = self._draw(max(WATCHED_PER_CLASS, -(-SCORED // self._classes)))
        watched = drawn[:, :WATCHED_PER_CLASS]
        last = self._last_drawn[0] if self._last_drawn else None
        row |= self._reference.signals(watched, last)
        self._last_drawn = [watched]
        if hasattr(self.model, "discriminator"):
            reference = self._reference
            row["real_accuracy"] = self._taken(reference.images, reference.labels)
            row["held_out_accuracy"] = self._taken(reference.held_out, reference.held_out_labels)
        if self._scorer:
            self._score(row, drawn, self._scorer)
        for name, alarm in self._alarms().items():
            if name not in before and self._warn:
                self._warn(int(row["step"]), alarm)

    def _alarms(self) -> dict[str, stability.Alarm]:
        found = stability.alarms(self.history, self._settings.steps)
        return {alarm.signal: alarm for alarm in found}

    def _score(self, row: Row, drawn: Images, scorer: Scorer) -> None:
        labels = np.repeat(np.arange(self._classes, dtype=np.int32), drawn.shape[1])
        row["score"] = float(scorer(drawn.reshape(-1, *drawn.shape[2:]), labels))
        if row["score"] < self.best_score:
            self.best_score, self.best_step = row["score"], int(row["step"])
            weights = self.model.average.weights
            self._best_weights = [np.array(keras.ops.convert_to_numpy(item)) for item in weights]

    def _draw(self, per_class: int) -> Images:
        labels = np.repeat(np.arange(self._classes, dtype=np.int32), per_class)
        drawn = generate(self.model.average, labels, self._seed)
        return drawn.reshape(self._classes, per_class, *drawn.shape[1:])

    def _taken(self, images: Images, labels: npt.NDArray[np.integer[Any]]) -> float:
        """Share of real images that the discriminator takes for real."""
        chosen = np.linspace(0, len(images) - 1, min(_TAKEN, len(images))).astype(int)
        logits = self.model.source_logits(
            with_channels(images[chosen]).astype(np.float32), labels[chosen].astype(np.int32)
        )
        return float(np.mean(keras.ops.convert_to_numpy(logits) > 0))

    def keep_best(self) -> None:
        """Give the averaged generator the weights that scored best, if there are any."""
        if self._best_weights:
            self.model.average.set_weights(self._best_weights)
        elif self.history:
            self.best_step = int(self.history[-1]["step"])

    def final(self) -> Row:
        """The signals of the generator that is kept and of the discriminator at the end."""
        rows = [row for row in self.history if "spread" in row]
        last = rows[-1] if rows else {}
        ends = {name: last[name] for name in SIGNALS[-3:] if name in last}
        told = ("source_loss", "denoising_loss")
        losses = {name: self._recent(name) for name in told if name in (self.history or [{}])[-1]}
        return {**self._reference.signals(self._draw(WATCHED_PER_CLASS)), **losses, **ends}

    def _recent(self, name: str) -> float:
        """Mean of a column over the last quarter of the history."""
        return float(
            np.mean([row[name] for row in self.history[-max(1, len(self.history) // 4) :]])
        )


def row_steps(steps: int) -> int:
    """Steps a row of the history: the largest divisor of `steps` up to 25."""
    return max(size for size in range(1, _ROW_STEPS + 1) if steps % size == 0)


def moments(steps: int, count: int) -> set[int]:
    """So many steps, or fewer, at which a row ends: evenly spread, the last one among them."""
    rows = row_steps(steps)
    return {int(np.ceil(at / rows)) * rows for at in np.linspace(0, steps, count + 1)[1:]}


def _text(row: Mapping[str, float]) -> str:
    score = f"  score {row['score']:.3g}" if "score" in row else ""
    if "denoising_loss" in row:
        return f"loss {row['denoising_loss']:.3f}{score}"
    return (
        f"discriminator {row['discriminator_loss']:.2f}  "
        f"generator {row['generator_loss']:.2f}  class {row['fake_class_accuracy']:.0%}{score}"
    )
