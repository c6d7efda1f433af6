"""Train the generators of a sweep that one worker was dealt, and measure what each draws."""

import json
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from augstudy.core import artifacts, cache, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.core.files import write_arrays, write_json
from augstudy.core.rng import check_seeds
from augstudy.data.dataset import load_classes, load_spec, load_split
from augstudy.data.mixtures import Drawings
from augstudy.metrics.measuring import first_of_each
from augstudy.models.backend import resolve_precision
from augstudy.steps import train_gan
from augstudy.training import gan
from augstudy.training.callbacks import Progress
from augstudy.training.checkpoints import Keeper
from augstudy.training.drawing import generate
from augstudy.training.inspection import Inspection
from augstudy.training.judge import load as load_judge
from augstudy.training.saving import save_model
from augstudy.training.scoring import scorer
from augstudy.tuning.gan_points import KIND, SAMPLES, SHOWN, value_of
from augstudy.tuning.kept import Kept
from augstudy.tuning.points import HISTORY, Trial

RUN = "run.json"
GENERATOR = "generator.keras"
MODELS = "generators"

logger = logging.getLogger("augstudy")


def run(
    dataset: Path,
    judge: Path,
    out: Path,
    trials: Sequence[Trial],
    seeds: Sequence[int],
    label: str = "",
) -> Artifact:
    """Train the `trials` one after the other and publish them, as kind ``gan_points``.

    It holds the stability verdict of every training run, the quality of what it draws as the
    `judge` sees it beside validation images, some of its images, its history, and the
    generators of the best point. A run that failed is a result and ends nothing: nothing is drawn
    with it. With a cache no run is trained twice.

    Raises:
        InputError: the seeds are wrong, or no such architecture.
    """
    check_seeds(seeds)
    with telemetry.stage("train_gan_points", label) as stage:
        inputs = {"dataset": artifacts.read(dataset, "dataset")}
        inputs["judge"] = artifacts.read(judge, "judge")
        config = {
            "points": {item.point.id: item.settings.model_dump(mode="json") for item in trials},
            "seeds": list(seeds),
        }
        studio, kept, keepers = _Studio(inputs), Kept(), list[Keeper]()
        spent: dict[str, Any] = {"points": kept.costs}
        with artifacts.publish(out, KIND, inputs=inputs, config=config, provenance=spent) as folder:
            for index, trial in enumerate(trials):
                where = f"point {index + 1} of {len(trials)}, {trial.point.id}"
                told = partial(_tell, stage, index, len(trials), where)
                job = _Job(folder, out, studio, trial, seeds)
                keepers += job.train(kept, told)
                verdicts = [item["stability"]["verdict"] for item in kept.records[-1]["runs"]]
                logger.info("%s: %s: %s", stage.title, where, ", ".join(verdicts))
            kept.write(folder, studio.classes, SAMPLES)
        for keeper in keepers:
            keeper.clear()
    return artifacts.read(out, KIND)


class _Studio:
    """What all points share: the images, the judge, and how images are measured."""

    def __init__(self, inputs: dict[str, Artifact]) -> None:
        self.inputs = inputs
        self.classes, self.spec = load_classes(inputs["dataset"]), load_spec(inputs["dataset"])
        self.training = load_split(inputs["dataset"], "train")
        self.validation = load_split(inputs["dataset"], "val")
        self.score = scorer(load_judge(inputs["judge"]), self.validation)
        self.inspection = Inspection(inputs["dataset"], inputs["judge"])

    def train(
        self, folder: Path, *, trial: Trial, seed: int, progress: Progress, keeper: Keeper
    ) -> None:
        """Train one run of a point into `folder`, and measure what it draws unless it failed."""
        trained = gan.train(
            trial.settings,
            self.training.images,
            self.training.labels,
            self.spec,
            classes=len(self.classes),
            seed=seed,
            held_out=(self.validation.images, self.validation.labels),
            scorer=self.score,
            progress=progress,
            warn=train_gan.warn,
            keeper=keeper,
        )
        keeper.write()  # it need not be trained again if it is cut short while it is measured
        columns = gan.history_columns(trained.history)
        history = pd.DataFrame(trained.history, columns=columns)
        history.to_csv(folder / HISTORY, index=False, float_format="%.6g")
        stability = trained.stability.as_dict()
        record: dict[str, Any] = {"seed": seed, "stability": stability, "metrics": {}}
        record["best_step"] = trained.best_step
        record["parameters"] = trained.generator.count_params()
        grid = np.zeros((len(self.classes), 0, *self.spec.stored), np.uint8)
        if stability["verdict"] != "failed":
            drawn = self._draw(trained.generator, seed)
            record["metrics"] = self.inspection.inspect([drawn], progress)["metrics"]
            shown = first_of_each(drawn.labels, [SHOWN] * len(self.classes))
            grid = drawn.images[shown].reshape(len(self.classes), SHOWN, *drawn.images.shape[1:])
        save_model(trained.generator, folder / GENERATOR)
        write_arrays(folder / SAMPLES, images=grid)
        write_json(folder / RUN, record)

    def _draw(self, generator: Any, seed: int) -> Drawings:
        counts = np.maximum(SHOWN, self.inspection.counts)
        labels = np.repeat(np.arange(len(self.classes), dtype=np.int32), counts)
        return Drawings(generate(generator, labels, seed), labels)


@dataclass(frozen=True)
class _Job:
    """One point, to be trained into the draft `folder` of the artifact `out`."""

    folder: Path
    out: Path
    studio: _Studio
    trial: Trial
    seeds: Sequence[int]

    def train(self, kept: Kept, progress: Any) -> list[Keeper]:
        """Train all seeds and add them to what is `kept`; the keepers that still hold something."""
        name, inputs, settings = self.trial.point.id, self.studio.inputs, self.trial.settings
        config = {"settings": settings.model_dump(mode="json")}
        config["precision"] = resolve_precision(settings.precision)
        before, keepers, runs = artifacts.cost(), list[Keeper](), []
        for turn, seed in enumerate(self.seeds):
            own = {**config, "seed": seed}
            keeper = Keeper.beside(self.out, f"{name}-seed-{seed}", inputs, own)
            told = partial(progress, turn, len(self.seeds))
            target = self.folder / MODELS / name / f"seed-{seed}"
            make = partial(
                self.studio.train, trial=self.trial, seed=seed, progress=told, keeper=keeper
            )
            artifacts.part(target, "gan_run", make, inputs=inputs, config=own)
            runs.append(json.loads((target / RUN).read_text(encoding="utf-8")))
            with np.load(target / SAMPLES, allow_pickle=False) as stored:
                kept.arrays[f"{name}/{seed}"] = stored["images"]
            kept.histories.append(pd.read_csv(target / HISTORY).assign(point=name, seed=seed))
            keepers.append(keeper)
            if cache.active():
                keeper.clear()  # the cache has the run now
        kept.costs[name] = artifacts.cost(since=before)
        kept.records.append({**self.trial.record(), "seeds": list(self.seeds), "runs": runs})
        value = value_of(runs)
        kept.rank(self.folder / MODELS, name, -math.inf if value is None else -value)
        return [] if cache.active() else keepers


def _tell(
    stage: telemetry.Stage,
    index: int,
    count: int,
    where: str,
    turn: int,
    turns: int,
    done: int,
    total: int,
    text: str,
) -> None:
    """Progress of a run; `partial` fills in all but the last three."""
    part = (turn + done / max(1, total)) / turns
    stage.progress(round(100 * (index + part)), 100 * count, f"{where}, run {turn + 1}  {text}")
