"""Train the points of a sweep that one worker was dealt, each with all its seeds."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from augstudy.core import artifacts, cache, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.core.rng import check_seeds
from augstudy.data.dataset import load_classes, load_split
from augstudy.settings.arms import Arm
from augstudy.settings.comparing import AskedMetric
from augstudy.stats.balance import metric_of
from augstudy.stats.codes import Metric
from augstudy.steps import train_cnn
from augstudy.training.callbacks import Progress
from augstudy.training.checkpoints import Keeper
from augstudy.tuning.kept import Kept
from augstudy.tuning.points import KIND, PREDICTIONS, Trial, reached
from augstudy.tuning.sweep import BASE

MODELS = "models"
_ARM = Arm(arm="real")

logger = logging.getLogger("augstudy")


def run(
    dataset: Path,
    out: Path,
    trials: Sequence[Trial],
    seeds: Sequence[int],
    label: str = "",
    asked: AskedMetric = "auto",
) -> Artifact:
    """Train the `trials` one after the other and publish them as an artifact of kind ``points``.

    It holds what each point predicts for the validation images, its histories and its settings;
    of the models only those of the base and of the best point, because no other can be chosen.
    Nothing here opens the test split. With a cache no point is trained twice; without one, what
    was cut short goes on from its checkpoints.

    Raises:
        InputError: the seeds are wrong, or a network that cannot be built.
    """
    check_seeds(seeds)
    with telemetry.stage("train_points", label) as stage:
        inputs = {"dataset": artifacts.read(dataset, "dataset")}
        metric = metric_of(asked, load_split(inputs["dataset"], "val").labels)
        config = {
            "metric": metric,
            "points": {item.point.id: item.settings.model_dump(mode="json") for item in trials},
            "seeds": list(seeds),
        }
        kept, keepers = Kept(), list[Keeper]()
        spent: dict[str, Any] = {"points": kept.costs}
        with artifacts.publish(out, KIND, inputs=inputs, config=config, provenance=spent) as folder:
            for index, trial in enumerate(trials):
                whole = f"point {index + 1} of {len(trials)}, {trial.point.id}"
                progress = scaled(stage, index, len(trials), whole)
                job = Job(folder, out, inputs, trial, seeds, metric)
                keepers += job.train(kept, progress)
                found = stage.title, whole, metric.replace("_", " "), job.reached(kept)
                logger.info("%s: %s, validation %s %.3f", *found)
            kept.write(folder, load_classes(inputs["dataset"]), PREDICTIONS)
        for keeper in keepers:
            keeper.clear()
    return artifacts.read(out, KIND)


@dataclass(frozen=True)
class Job:
    """One point, to be trained into the draft `folder` of the artifact `out`."""

    folder: Path
    out: Path
    inputs: Mapping[str, Artifact]
    trial: Trial
    seeds: Sequence[int]
    metric: Metric = "accuracy"

    @property
    def id(self) -> str:
        """The point's."""
        return self.trial.point.id

    @property
    def models(self) -> Path:
        """Where the models of all seeds go."""
        return self.folder / MODELS / self.id

    def cell(self) -> train_cnn.Cell:
        """What is trained on what."""
        return train_cnn.Cell(self.inputs, _ARM, self.trial.settings)

    def config(self, seeds: Sequence[int]) -> dict[str, Any]:
        """What the classifiers of some seeds depend on, beside the inputs."""
        return train_cnn.configuration(_ARM, seeds, self.trial.settings)

    def keeper(self, seed: int) -> Keeper:
        """Of the checkpoints of one seed."""
        name, own = f"{self.id}-seed-{seed}", self.config([seed])
        return Keeper.beside(self.out, name, self.inputs, own)

    def train(self, kept: Kept, progress: Progress) -> list[Keeper]:
        """Train all seeds and add them to what is `kept`; the keepers that still hold something."""
        keepers = {seed: self.keeper(seed) for seed in self.seeds}
        before, models, config = artifacts.cost(), self.models, self.config(self.seeds)
        records = train_cnn.train_seeds(models, self.cell(), config, keepers, progress)
        kept.costs[self.id] = artifacts.cost(since=before)
        settings = self.trial.settings.model_dump(mode="json")
        kept.records.append(
            {**self.trial.record(), "settings": settings, "seeds": list(self.seeds)}
            | {"training": records}
        )
        folders = [models / f"seed-{seed}" for seed in self.seeds]
        seen = [np.load(item / train_cnn.VALIDATION, allow_pickle=False) for item in folders]
        kept.arrays[self.id] = np.stack(seen)
        for seed, item in zip(self.seeds, folders, strict=True):
            history = pd.read_csv(item / "history.csv")
            kept.histories.append(history.assign(point=self.id, seed=seed))
        kept.rank(self.folder / MODELS, self.id, self.reached(kept), spared=BASE)
        if not cache.active():
            return list(keepers.values())
        for keeper in keepers.values():
            keeper.clear()  # the cache has the seeds now
        return []

    def reached(self, kept: Kept) -> float:
        """Mean metric on validation images of the point trained last."""
        return float(np.mean([reached(it, self.metric) for it in kept.records[-1]["training"]]))


def scaled(stage: telemetry.Stage, index: int, count: int, prefix: str) -> Progress:
    """Progress of the `index`-th of `count` parts of the `stage`."""

    def progress(done: int, total: int, text: str) -> None:
        stage.progress(index * total + done, count * total, f"{prefix}  {text}")

    return progress
