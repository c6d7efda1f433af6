"""A sweep of generators in numbers: every point against the base."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from augstudy.core.artifacts import Artifact
from augstudy.results.models import (
    GeneratorDifference,
    GeneratorPoint,
    GeneratorSweep,
    Mean,
    Stability,
)
from augstudy.results.parts import Cost, Headline, Tested
from augstudy.results.study import describe_data
from augstudy.stats import verdicts
from augstudy.stats.codes import Rank
from augstudy.stats.correction import holm
from augstudy.stats.paired import run_difference
from augstudy.stats.scatter import run_scatter
from augstudy.tuning import sweep as asked
from augstudy.tuning.gan_points import CHOOSES, METRICS, Drawn, best, values_of


@dataclass(frozen=True)
class Material:
    """What a finished sweep of generators left."""

    dataset: Artifact
    judge: Artifact
    workers: list[Artifact]
    points: list[Drawn]
    sweep: asked.Sweep
    study: dict[str, Any]


def summarise(material: Material) -> GeneratorSweep:
    """What a sweep of generators found."""
    points, chosen = material.points, best(material.points)
    differences = with_base(points)
    cost = {
        name: sum(point.cost.get(name, 0.0) for point in points) for name in ("cpu_s", "wall_s")
    }
    name = chosen.id if chosen else None
    return GeneratorSweep(
        headline=Headline(
            arm=name, verdict=differences[name].verdict if name in differences else None
        ),
        mode=material.sweep.mode,
        study=material.study,
        data=describe_data(material.dataset),
        seeds=tuple(points[0].seeds),
        chosen=name,
        points={point.id: _describe(point) for point in points},
        differences=differences,
        cost=Cost(**cost),
    )


def with_base(points: Sequence[Drawn]) -> dict[str, GeneratorDifference]:
    """Each metric of each point minus that of the base, over runs with the same seeds, by point.

    Runs scatter; how much is estimated from all points together. The verdict rests on FID-QD alone;
    its p-values are corrected (Holm) for the points of one axis. A point of which a run is not
    stable has the verdict that says so, whatever its other runs drew.
    """
    base, *others = points
    found = {point.id: _metrics(point, base, points) for point in others}
    families: dict[tuple[str, ...], list[str]] = {}
    for point in others:
        if CHOOSES in found[point.id]:
            families.setdefault(tuple(point.chosen), []).append(point.id)
    adjusted: dict[str, float] = {}
    for family in families.values():
        corrected = holm([found[name][CHOOSES].p for name in family])
        adjusted |= dict(zip(family, corrected, strict=True))
    return {
        point.id: GeneratorDifference(
            metrics=found[point.id],
            p_holm=adjusted.get(point.id),
            verdict=verdict(point, found[point.id].get(CHOOSES), adjusted.get(point.id)),
        )
        for point in others
    }


def verdict(point: Drawn, found: Tested | None, p_adjusted: float | None) -> Rank:
    """Whether a point is better or worse than the base, as far as that can be told."""
    if not verdicts.is_stable(point.verdicts):
        return "not stable"
    gain = None
    if found:
        sign = METRICS[CHOOSES]
        low, high = sorted((sign * found.low, sign * found.high))
        gain = sign * found.mean, low, high
    return verdicts.rank(gain, p_adjusted, len(point.seeds))


def _metrics(point: Drawn, base: Drawn, points: Sequence[Drawn]) -> dict[str, Tested]:
    found = {}
    for metric in METRICS:
        one, other = point.by_seed(metric), base.by_seed(metric)
        if one is None or other is None:
            continue
        known = [values for item in points if (values := item.by_seed(metric)) is not None]
        mean, low, high, p_value = run_difference(one, other, run_scatter(np.array(known)))
        found[metric] = Tested(mean=mean, low=low, high=high, p=p_value)
    return found


def _describe(point: Drawn) -> GeneratorPoint:
    measured = [run for run in point.runs if run["metrics"]]
    known = {metric: values_of(measured, metric) for metric in METRICS}
    return GeneratorPoint(
        chosen=point.chosen,
        changes=point.changes,
        seeds=tuple(point.seeds),
        verdicts=tuple(point.verdicts),
        stable=verdicts.is_stable(point.verdicts),
        reasons=tuple(_why(run["stability"]) for run in point.runs),
        metrics={
            metric: Mean(mean=float(np.mean(values)), by_seed=tuple(values))
            for metric, values in known.items()
            if values
        },
        best_steps=tuple(run["best_step"] for run in point.runs),
        parameters=point.runs[0]["parameters"],
        cpu_s=point.cost.get("cpu_s", 0.0),
        wall_s=point.cost.get("wall_s", 0.0),
    )


def _why(stability: Mapping[str, Any]) -> Stability:
    """The verdict on a training and its cause, without the evidence."""
    kept = ("verdict", "cause", "reason")
    return Stability.model_validate({name: stability[name] for name in kept if name in stability})
