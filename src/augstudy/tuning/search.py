"""A search: which points to try next, which trainings to cut short, and what was tried.

Points come from a tree-structured Parzen estimator (Bergstra et al., Algorithms for
hyper-parameter optimization, 2011), and a training is cut short where its best validation accuracy
so far is below the median of what others had at that epoch (Golovin et al., Google Vizier, 2017).
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from augstudy.core.artifacts import Artifact
from augstudy.core.rng import SEEDS, generator
from augstudy.tuning.sweep import BASE, Point, Sweep, combine, options

TRIALS = "trials.json"
State = Literal["complete", "pruned"]
_TRIES = 8  # proposals in a row that are known or impossible
_DRAWS = 1000  # the same by chance


class Pruned(Exception):  # noqa: N818 (it is no error)
    """The training is not worth going on with."""


@dataclass(frozen=True)
class Tried:
    """A point that was tried with the first seed.

    ``number`` counts all trials of the sweep. ``curve`` has the validation accuracy (a share)
    after each epoch, ``accuracy`` the metric of the weights that were kept: of a trial that was
    pruned, the best of its curve.
    """

    number: int
    id: str
    chosen: dict[str, str]
    changes: dict[str, Any]
    state: State
    accuracy: float
    curve: list[float]
    worker: int = 0
    finalist: bool = False
    cost: dict[str, float] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """All but what it has cost, which is no content."""
        return {name: value for name, value in asdict(self).items() if name != "cost"}


class Searcher:
    """One worker's search.

    Equal sweeps and workers get equal proposals as long as they tell equal outcomes. So a search
    that was cut short is taken up by asking again from the start, with outcomes that are known.

    Args:
        sweep: in mode search.
        worker: place of the worker, from 0; the first one begins with the base.
        workers: how many share the trials.
    """

    def __init__(self, sweep: Sweep, worker: int, workers: int) -> None:
        import optuna

        assert sweep.search is not None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._settings, self._axes, self._worker = sweep.search, sweep.axes, worker
        numbers = range(worker, sweep.search.trials, workers)
        self._numbers, self.count = iter(numbers), len(numbers)
        self._states = optuna.trial.TrialState
        self._study = optuna.create_study(
            direction="maximize",
            sampler=optuna.samplers.TPESampler(
                n_startup_trials=self._settings.startup,
                seed=(self._settings.seed + worker) % SEEDS,
            ),
            pruner=optuna.pruners.MedianPruner(
                n_startup_trials=self._settings.startup, n_warmup_steps=self._settings.prune_after
            ),
        )
        self._version = optuna.__version__
        self._known: set[str] = set()
        if worker == 0:
            self._enqueue([axis.base for axis in self._axes])
        else:
            self._known.add(BASE)
        self.tried: list[Tried] = []

    def propose(self, epochs: Callable[[Point], int]) -> "Proposal | None":
        """What to try next; None if there were enough trials, or nothing new is found.

        Args:
            epochs: how many a combination is trained at most; 0 if it makes no classifier.
        """
        number = next(self._numbers, None)
        if number is None:
            return None
        for _ in range(_TRIES):
            trial, point = self._ask()
            if length := self._length_if_new(point, epochs):
                return Proposal(self, trial, point, number, length)
            self._study.tell(trial, state=self._states.FAIL)  # the sampler passes over it
        chance = generator(self._settings.seed, number)
        for _ in range(_DRAWS):  # the sampler insists on what it knows
            labels = [str(chance.choice(options(axis))) for axis in self._axes]
            if length := self._length_if_new(combine(self._axes, labels), epochs):
                self._enqueue(labels)
                return Proposal(self, *self._ask(), number, length)
        return None

    def _ask(self) -> tuple[Any, Point]:
        trial = self._study.ask()
        labels = [trial.suggest_categorical(axis.name, options(axis)) for axis in self._axes]
        return trial, combine(self._axes, [str(label) for label in labels])

    def _enqueue(self, labels: Sequence[str]) -> None:
        names = [axis.name for axis in self._axes]
        self._study.enqueue_trial(dict(zip(names, labels, strict=True)))

    def _length_if_new(self, point: Point, epochs: Callable[[Point], int]) -> int:
        """Epochs of a point that was not asked for before; else 0."""
        if point.id in self._known:
            return 0
        self._known.add(point.id)
        return epochs(point)

    def identity(self) -> dict[str, Any]:
        """What decides, beside its own curve, whether the next trial is pruned, and when."""
        curves = json.dumps([[item.state, item.curve] for item in self.tried])
        return {
            "optuna": self._version,
            "startup": self._settings.startup,
            "prune_after": self._settings.prune_after,
            "before": hashlib.sha256(curves.encode()).hexdigest(),
        }

    def finalists(self) -> list[Tried]:
        """What deserves all seeds, in the order of trials: the best, and the base if it is here."""
        complete = [item for item in self.tried if item.state == "complete" and item.id != BASE]
        best = sorted(complete, key=lambda item: -item.accuracy)[: self._settings.finalists]
        own = [item for item in self.tried if item.id == BASE]
        return sorted([*own, *best], key=lambda item: item.number)

    def _tell(self, trial: Any, tried: Tried) -> None:
        if tried.state == "complete":
            self._study.tell(trial, tried.accuracy)
        else:
            self._study.tell(trial, state=self._states.PRUNED)
        self.tried.append(tried)

    @property
    def worker(self) -> int:
        """Place of the worker."""
        return self._worker


class Proposal:
    """A point that is to be tried, in a training of at most so many `epochs`."""

    def __init__(
        self, searcher: Searcher, trial: Any, point: Point, number: int, epochs: int
    ) -> None:
        self.number, self.point, self._epochs = number, point, epochs
        self._searcher, self._trial = searcher, trial
        self._curve: list[float] = []

    def watch(self, row: Mapping[str, float]) -> None:
        """See an epoch of the history.

        Raises:
            Pruned: others had done better by then, and it is not the last epoch.
        """
        self._curve.append(float(row["val_accuracy"]))
        self._trial.report(self._curve[-1], len(self._curve))
        if len(self._curve) < self._epochs and self._trial.should_prune():
            raise Pruned

    def replay(self, curve: Sequence[float]) -> None:
        """See the epochs of a training that was not watched, if there was any.

        Raises:
            Pruned: see :meth:`watch`.
        """
        for accuracy in curve[len(self._curve) :]:
            self.watch({"val_accuracy": accuracy})

    def outcome(self, accuracy: float | None) -> dict[str, Any]:
        """What there is to remember, as JSON; `accuracy` is None if the training was pruned."""
        state: State = "pruned" if accuracy is None else "complete"
        reached = max(self._curve, default=0.0) if accuracy is None else accuracy
        return {"state": state, "accuracy": reached, "curve": self._curve}

    def tell(self, outcome: Mapping[str, Any], cost: Mapping[str, float]) -> Tried:
        """Let the search know the :meth:`outcome`, perhaps that of an earlier process."""
        if not self._curve:
            for epoch, accuracy in enumerate(outcome["curve"], 1):
                self._trial.report(accuracy, epoch)
        tried = Tried(
            number=self.number,
            id=self.point.id,
            chosen=dict(self.point.chosen),
            changes=dict(self.point.changes),
            worker=self._searcher.worker,
            cost=dict(cost),
            **outcome,
        )
        self._searcher._tell(self._trial, tried)
        return tried


def gather_trials(artifacts: Sequence[Artifact]) -> list[Tried]:
    """The trials of all workers by number; none where the sweep was no search."""
    found = []
    for artifact in artifacts:
        if TRIALS in artifact.manifest.files:
            costs = artifact.manifest.provenance["trials"]
            for record in artifact.json(TRIALS):
                found.append(Tried(**record, cost=costs[str(record["number"])]))
    return sorted(found, key=lambda item: item.number)
