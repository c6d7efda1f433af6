"""The points of a sweep with their settings, and what is kept of each once it is trained."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augstudy.core.artifacts import Artifact
from augstudy.core.errors import InputError
from augstudy.models.recipes import classifier_recipe, decoded, merged
from augstudy.settings.comparing import AskedMetric
from augstudy.stats.balance import Balance, balance_of, metric_of
from augstudy.stats.codes import Metric
from augstudy.tuning.sweep import BASE, Point, Sweep, expand

KIND = "points"
POINTS = "points.json"
HISTORY = "history.csv"
PREDICTIONS = "predictions.npz"
Recipes = Callable[[str, Mapping[str, Any]], Any]


class Found(Protocol):
    """A point as a worker of a sweep left it."""

    @property
    def place(self) -> int:
        """Its number in the sweep."""

    @property
    def id(self) -> str:
        """Its name."""


Kind = TypeVar("Kind", bound=Found)


@dataclass(frozen=True)
class Trial:
    """A point to be trained; ``place`` is its number in the sweep."""

    place: int
    point: Point
    settings: Any

    def record(self) -> dict[str, Any]:
        """What is kept of every point, whatever is trained."""
        chosen, changes = dict(self.point.chosen), dict(self.point.changes)
        return {"place": self.place, "id": self.point.id, "chosen": chosen, "changes": changes}


@dataclass(frozen=True)
class Trained:
    """A point of a finished sweep; ``correct`` is (S, N), on the validation images."""

    place: int
    id: str
    chosen: dict[str, str]
    changes: dict[str, Any]
    settings: dict[str, Any]
    seeds: list[int]
    training: list[dict[str, Any]]
    correct: NDArray[np.bool_]
    history: pd.DataFrame
    cost: dict[str, float]
    metric: Metric = "accuracy"
    balance: Balance = None

    def by_seed(self, metric: str) -> list[float]:
        """One figure of each training run: ``accuracy``, ``train_accuracy``, ``overfitting``.

        The first is that of the metric; overfitting is about accuracies, whatever the metric.
        """
        if metric == "accuracy":
            return [reached(record, self.metric) for record in self.training]
        known = [float(record["train_accuracy"]) for record in self.training]
        seen = [float(record["val_accuracy"]) for record in self.training]
        gap = [one - other for one, other in zip(known, seen, strict=True)]
        return {"train_accuracy": known, "overfitting": gap}[metric]

    def mean(self, metric: str) -> float:
        """The mean of :meth:`by_seed`."""
        return float(np.mean(self.by_seed(metric)))


def reached(record: Mapping[str, Any], metric: Metric) -> float:
    """The metric of a training run on the validation images."""
    return float(record[f"val_{metric}"])


def settings_of(
    point: Point, recipe: str, overrides: Mapping[str, Any], recipes: Recipes = classifier_recipe
) -> Any:
    """The settings of a point on top of those of the base recipe.

    Args:
        point: of a sweep.
        recipe: name of the base.
        overrides: changes to it that every point has.
        recipes: whose names are meant: ``classifier_recipe`` or ``gan_recipe``.

    Raises:
        InputError: a setting does not exist or has a wrong value; the sentence names the point.
    """
    try:
        return recipes(recipe, merged(overrides, decoded(point.changes)))
    except InputError as error:
        raise InputError(f"Point {point.id!r} of the sweep: {error}") from error


def check(
    sweep: Sweep,
    recipe: str,
    overrides: Mapping[str, Any],
    recipes: Recipes = classifier_recipe,
) -> None:
    """See that every point has settings that exist, and that no two are the same.

    Of a search, whose points nobody knows beforehand, every value by itself.

    Raises:
        InputError: one sentence about the first that has not.
    """
    seen: dict[str, str] = {}
    for point in expand(sweep):
        key = settings_of(point, recipe, overrides, recipes).model_dump_json()
        if key in seen:
            raise InputError(
                f"Points {seen[key]!r} and {point.id!r} of the sweep have the same settings: "
                "leave one out."
            )
        seen[key] = point.id


def deal(
    sweep: Sweep,
    recipe: str,
    overrides: Mapping[str, Any],
    worker: int,
    workers: int,
    recipes: Recipes = classifier_recipe,
) -> list[Trial]:
    """What one of several workers has to train: points are dealt like cards.

    Raises:
        InputError: see :func:`settings_of` and :func:`refuse_search`.
    """
    refuse_search(sweep)
    dealt = list(enumerate(expand(sweep)))[worker::workers]
    return [
        Trial(place, point, settings_of(point, recipe, overrides, recipes))
        for place, point in dealt
    ]


def refuse_search(sweep: Sweep) -> None:
    """Where points must be known beforehand.

    Raises:
        InputError: the sweep is a search.
    """
    if sweep.mode == "search":
        raise InputError(
            "A search needs the validation accuracy of classifiers: choose mode one_at_a_time "
            "or grid for generators."
        )


def best(points: Sequence[Trained]) -> Trained:
    """The point with the highest mean metric on validation images; of equals the first."""
    return max(points, key=lambda point: point.mean("accuracy"))


def read(
    artifact: Artifact, validation: NDArray[np.integer[Any]], asked: AskedMetric = "auto"
) -> list[Trained]:
    """The points in an artifact of kind ``points``.

    Args:
        artifact: what a worker of the sweep left.
        validation: labels (N,) of the validation images.
        asked: the metric that is asked for.
    """
    metric = metric_of(asked, validation)
    measured: dict[str, Any] = {"metric": metric, "balance": balance_of(metric, validation)}
    with np.load(artifact.file(PREDICTIONS), allow_pickle=False) as stored:
        return [
            Trained(**record, **measured, correct=stored[record["id"]] == validation)
            for record in records(artifact)
        ]


def records(artifact: Artifact) -> Iterator[dict[str, Any]]:
    """What a worker of a sweep noted of each point, with its history and what it has cost."""
    history = pd.read_csv(artifact.file(HISTORY))
    costs = artifact.manifest.provenance["points"]
    for record in artifact.json(POINTS):
        name = record["id"]
        yield {**record, "history": history[history["point"] == name], "cost": costs[name]}


def gather(
    artifacts: Sequence[Artifact],
    validation: NDArray[np.integer[Any]],
    asked: AskedMetric = "auto",
) -> list[Trained]:
    """The points of all workers, the base first and the others as in the sweep.

    Raises:
        InputError: no worker has trained the base.
    """
    return in_order(point for item in artifacts for point in read(item, validation, asked))


def in_order(points: Iterable[Kind]) -> list[Kind]:
    """Points as in the sweep, the base first; of one that two workers of a search found, the first.

    Raises:
        InputError: the base is not among them.
    """
    known: dict[str, Kind] = {}
    for point in sorted(points, key=lambda point: point.place):
        known.setdefault(point.id, point)
    found = list(known.values())
    if not found or found[0].id != BASE:
        raise InputError("The base of the sweep was not trained: run all workers of the sweep.")
    return found
