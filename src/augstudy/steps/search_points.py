"""One worker's share of a search: try points with one seed, train the best with all seeds."""

import csv
import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from augstudy.core import artifacts, cache, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import InputError, TrainingError
from augstudy.core.files import write_json
from augstudy.core.rng import check_seeds
from augstudy.data.dataset import load_classes, load_split
from augstudy.settings.comparing import AskedMetric
from augstudy.stats.balance import metric_of
from augstudy.stats.codes import Metric
from augstudy.steps import train_cnn
from augstudy.steps.train_points import Job, scaled
from augstudy.training.callbacks import Progress
from augstudy.training.checkpoints import Keeper
from augstudy.tuning.kept import Kept
from augstudy.tuning.points import KIND, PREDICTIONS, Trial, reached, settings_of
from augstudy.tuning.search import TRIALS, Proposal, Pruned, Searcher, Tried
from augstudy.tuning.sweep import Point, Sweep, expand

_TRYING = "trying"
_OUTCOME = "outcome.json"
_SEED = "seed"

logger = logging.getLogger("augstudy")


@dataclass(frozen=True)
class Task:
    """A share of a search: that of `worker`, a place from 0, among so many `workers`."""

    sweep: Sweep
    recipe: str
    overrides: Mapping[str, Any]
    worker: int
    workers: int

    def trial(self, number: int, point: Point) -> Trial:
        """A point with its settings.

        Raises:
            InputError: they make no classifier.
        """
        return Trial(number, point, settings_of(point, self.recipe, self.overrides))

    def epochs(self, point: Point) -> int:
        """How many a point is trained at most; 0 if its values do not go together."""
        try:
            return int(self.trial(0, point).settings.epochs)
        except InputError:
            return 0

    def record(self) -> dict[str, Any]:
        """As JSON."""
        base = {"recipe": self.recipe, "overrides": dict(self.overrides)}
        return {"sweep": self.sweep.model_dump(mode="json"), **base} | {
            "worker": self.worker,
            "workers": self.workers,
        }


def run(
    dataset: Path,
    out: Path,
    task: Task,
    seeds: Sequence[int],
    label: str = "",
    asked: AskedMetric = "auto",
) -> Artifact:
    """Search, and publish what :func:`augstudy.steps.train_points.run` does, of the finalists.

    Every trial is trained with the first of the `seeds`, unless it is cut short; the finalists,
    and the base where this worker has it, with the others as well. The artifact also holds what
    became of each trial. Ended early, the next call asks for the same points again, and takes
    what was found of them from the cache or from checkpoints.

    Raises:
        InputError: the seeds are wrong, or a value that makes no classifier by itself.
    """
    check_seeds(seeds)
    for point in expand(task.sweep):
        task.trial(0, point)
    with telemetry.stage("search_points", label) as stage:
        inputs = {"dataset": artifacts.read(dataset, "dataset")}
        metric = metric_of(asked, load_split(inputs["dataset"], "val").labels)
        config = {**task.record(), "seeds": list(seeds), "metric": metric}
        search = _Search(task, inputs, out, seeds, stage, metric)
        spent: dict[str, Any] = {"points": search.kept.costs, "trials": search.costs}
        with artifacts.publish(out, KIND, inputs=inputs, config=config, provenance=spent) as folder:
            search.run(folder)
        for keeper in search.keepers:
            keeper.clear()
    return artifacts.read(out, KIND)


class _Search:
    """The trials of a worker, and what is kept of them."""

    def __init__(
        self,
        task: Task,
        inputs: Mapping[str, Artifact],
        out: Path,
        seeds: Sequence[int],
        stage: telemetry.Stage,
        metric: Metric,
    ) -> None:
        self._task, self._inputs, self._out, self._seeds = task, inputs, out, seeds
        self._stage, self._metric = stage, metric
        self._searcher = Searcher(task.sweep, task.worker, task.workers)
        self.kept, self.keepers = Kept(), list[Keeper]()
        self.costs: dict[str, Any] = {}

    def run(self, folder: Path) -> None:
        """Try points, train the finalists, and write it all into the draft `folder`."""
        jobs: dict[str, Job] = {}
        while proposal := self._searcher.propose(self._task.epochs):
            trial = self._task.trial(proposal.number, proposal.point)
            where = folder, self._out, self._inputs
            jobs[proposal.point.id] = Job(*where, trial, self._seeds, self._metric)
            self._try(proposal, jobs[proposal.point.id])
            self._drop(jobs)
        shutil.rmtree(folder / _TRYING, ignore_errors=True)
        if len(self._searcher.tried) < self._searcher.count:
            logger.warning("%s: nothing new was found to try", self._stage.title)
        finalists = self._searcher.finalists()
        for index, tried in enumerate(finalists):
            self._train(index, tried, jobs[tried.id])
        self.kept.write(folder, load_classes(self._inputs["dataset"]), PREDICTIONS)
        chosen = {tried.number for tried in finalists}
        records = [
            replace(item, finalist=item.number in chosen).record() for item in self._searcher.tried
        ]
        write_json(folder / TRIALS, records)

    def _try(self, proposal: Proposal, job: Job) -> None:
        """Train the first seed, if it is worth it."""
        turn, seed, before = len(self._searcher.tried), self._seeds[0], artifacts.cost()
        where = f"trial {turn + 1} of {self._searcher.count}, {job.id}"
        progress = scaled(self._stage, turn, self._parts, where)
        keeper = job.keeper(seed)
        target = job.folder / _TRYING / str(proposal.number)
        own = job.config([seed])

        def make(folder: Path) -> None:
            accuracy = _train(folder / _SEED, job, seed, proposal, keeper, progress)
            write_json(folder / _OUTCOME, proposal.outcome(accuracy))

        config = {**own, "search": self._searcher.identity(), "metric": self._metric}
        artifacts.part(target, "trial", make, inputs=self._inputs, config=config)
        outcome = json.loads((target / _OUTCOME).read_text(encoding="utf-8"))
        tried = proposal.tell(outcome, artifacts.cost(since=before))
        self.costs[str(tried.number)] = tried.cost
        if tried.state == "complete":
            job.models.mkdir(parents=True)
            (target / _SEED).rename(job.models / f"seed-{seed}")
        if cache.active():
            keeper.clear()  # the cache has the trial now
        else:
            self.keepers.append(keeper)
        found = self._stage.title, where, tried.state, self._title, tried.accuracy
        logger.info("%s: %s: %s, validation %s %.3f", *found)

    def _train(self, index: int, tried: Tried, job: Job) -> None:
        """Train the other seeds of a finalist."""
        where = f"finalist {index + 1}, {tried.id}"
        turn = self._searcher.count + index
        self.keepers += job.train(self.kept, scaled(self._stage, turn, self._parts, where))
        costs = self.kept.costs[tried.id]
        for name, value in tried.cost.items():
            costs[name] = round(costs.get(name, 0.0) + value, 3)
        found = self._stage.title, where, self._title, job.reached(self.kept)
        logger.info("%s: %s: validation %s %.3f", *found)

    @property
    def _title(self) -> str:
        return self._metric.replace("_", " ")

    @property
    def _parts(self) -> int:
        """Of the work, for the bar that shows progress."""
        assert self._task.sweep.search is not None
        return self._searcher.count + self._task.sweep.search.finalists + 1

    def _drop(self, jobs: Mapping[str, Job]) -> None:
        """Remove the models of points that are no finalists any more."""
        ahead = {item.id for item in self._searcher.finalists()}
        for name, job in jobs.items():
            if name not in ahead:
                shutil.rmtree(job.models, ignore_errors=True)


def _train(
    folder: Path, job: Job, seed: int, proposal: Proposal, keeper: Keeper, progress: Progress
) -> float | None:
    """What a trial reached on validation images; None, and no folder, if it was pruned or broke."""

    def train(target: Path) -> None:
        job.cell().train(target, seed=seed, progress=progress, keeper=keeper, watch=proposal.watch)

    try:
        artifacts.part(folder, "seed", train, inputs=job.inputs, config=job.config([seed]))
        with (folder / "history.csv").open(newline="", encoding="utf-8") as stream:
            proposal.replay([float(row["val_accuracy"]) for row in csv.DictReader(stream)])
    except (Pruned, TrainingError) as error:
        if isinstance(error, TrainingError):  # no reason to give up the other trials
            logger.warning("%s: %s", job.id, error)
        keeper.write()
        shutil.rmtree(folder, ignore_errors=True)
        return None
    record = json.loads((folder / train_cnn.RECORD).read_text(encoding="utf-8"))
    return reached(record, job.metric)
