"""A sweep of classifiers in numbers, from what its workers left."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from augstudy.core.artifacts import Artifact
from augstudy.results import against_base
from augstudy.results.material import ArmResult
from augstudy.results.models import Point, Search, Sweep, Unseen, Value
from augstudy.results.parts import Cost, Headline
from augstudy.results.study import describe_data
from augstudy.stats.paired import paired_difference
from augstudy.stats.scatter import RunScatter, run_scatter
from augstudy.tuning import sweep as asked
from augstudy.tuning.points import Trained, best
from augstudy.tuning.search import Tried


@dataclass(frozen=True)
class Material:
    """What a finished sweep left: its points, and the test of the base and of the best point.

    ``trials`` are those of a search, whose ``points`` are the finalists; else there are none.
    """

    dataset: Artifact
    workers: list[Artifact]
    points: list[Trained]
    base: ArmResult
    chosen: ArmResult
    sweep: asked.Sweep
    study: dict[str, Any]
    trials: list[Tried] = field(default_factory=list)

    @property
    def best(self) -> Trained:
        """The point that was chosen."""
        return best(self.points)


def summarise(material: Material, margin: float) -> Sweep:
    """What a sweep found.

    Args:
        material: of the sweep.
        margin: share of the metric below which a difference does not matter.
    """
    trained, chosen = material.points, material.best
    test = against_base.on_test(material.chosen, material.base, trained, margin)
    named = chosen.id != asked.BASE
    return Sweep(
        headline=Headline(
            arm=chosen.id if named else None, verdict=test.verdict if named else None
        ),
        mode=material.sweep.mode,
        metric=material.base.metric,
        val_metric=trained[0].metric,
        margin=margin,
        study=material.study,
        data=describe_data(material.dataset, test=len(material.base.labels)),
        seeds=tuple(trained[0].seeds),
        chosen=chosen.id,
        points=_points(trained),
        search=_describe_search(material),
        differences=against_base.with_base(trained, margin, together=bool(material.trials)),
        findings=tuple(against_base.findings(material.sweep.findings, trained, margin)),
        test=Unseen(
            base=material.base.metrics["metrics"],
            chosen=material.chosen.metrics["metrics"],
            difference=test,
        ),
        cost=Cost(cpu_s=_total(material, "cpu_s"), wall_s=_total(material, "wall_s")),
    )


def _points(trained: Sequence[Trained]) -> dict[str, Point]:
    accuracies = np.array([point.by_seed("accuracy") for point in trained])
    scatter = run_scatter(accuracies)
    runs = scatter.of_one_arm() if scatter else None
    return {point.id: _describe(point, runs) for point in trained}


def _describe(point: Trained, runs: RunScatter | None) -> Point:
    nothing = np.zeros_like(point.correct)
    accuracy = paired_difference(point.correct, nothing, runs=runs, balance=point.balance)
    return Point(
        chosen=point.chosen,
        changes=point.changes,
        seeds=tuple(point.seeds),
        val_accuracy=accuracy.mean,
        val_low=max(0.0, accuracy.low),
        val_high=min(1.0, accuracy.high),
        by_seed=tuple(point.by_seed("accuracy")),
        train_accuracy=point.mean("train_accuracy"),
        overfitting=point.mean("overfitting"),
        parameters=point.training[0]["parameters"],
        training_images=point.training[0]["images"],
        epochs=tuple(record["epochs"] for record in point.training),
        best_epochs=tuple(record["best_epoch"] for record in point.training),
        cpu_s=point.cost.get("cpu_s", 0.0),
        wall_s=point.cost.get("wall_s", 0.0),
    )


def _total(material: Material, name: str) -> float:
    """Of all points, and of the trials that came to nothing."""
    costs = [point.cost for point in material.points]
    costs += [trial.cost for trial in material.trials if not trial.finalist]
    return sum(cost.get(name, 0.0) for cost in costs)


def _describe_search(material: Material) -> Search | None:
    """What was tried, and how each value of an axis did; None where nothing was searched."""
    if not material.trials or material.sweep.search is None:
        return None
    return Search(
        settings=material.sweep.search,
        trials=tuple(material.trials),
        values={
            axis.name: tuple(
                _describe_value(axis, label, material.trials) for label in asked.options(axis)
            )
            for axis in material.sweep.axes
        },
    )


def _describe_value(axis: asked.Axis, label: str, trials: Sequence[Tried]) -> Value:
    having = [trial for trial in trials if trial.chosen.get(axis.name, axis.base) == label]
    complete = [trial.accuracy for trial in having if trial.state == "complete"]
    return Value(
        label=label,
        trials=len(having),
        pruned=len(having) - len(complete),
        median=float(np.median(complete)) if complete else None,
        best=max(complete, default=None),
    )
