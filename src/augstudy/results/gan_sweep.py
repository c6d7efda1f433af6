"""A sweep of generators in numbers: every point against the base, and the verdict on each."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from augstudy.core import outlets
from augstudy.core.artifacts import Artifact
from augstudy.data.dataset import load_split
from augstudy.pages import stability, wording
from augstudy.results.sweep import readable
from augstudy.stats.correction import holm
from augstudy.stats.paired import CONFIDENCE, run_difference
from augstudy.stats.scatter import run_scatter
from augstudy.tuning.gan_points import CHOOSES, METRICS, Drawn, best, values_of
from augstudy.tuning.sweep import BASE, Sweep

SCHEMA_VERSION = 1
KIND = "gan_sweep"
Word = Literal["better", "worse", "can't tell yet", "not stable"]
_WELL = ("stable", "unknown")


@dataclass(frozen=True)
class Material:
    """What a finished sweep of generators left."""

    dataset: Artifact
    judge: Artifact
    workers: list[Artifact]
    points: list[Drawn]
    sweep: Sweep
    study: dict[str, Any]


def summarise(material: Material) -> dict[str, Any]:
    """The content of summary.json."""
    points, data = material.points, material.dataset
    train = load_split(data, "train").labels
    chosen = best(points)
    summary: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "mode": material.sweep.mode,
        "study": material.study,
        "data": {
            "hash": data.content_hash,
            "source": data.manifest.provenance.get("source", data.manifest.config.get("source")),
            "classes": data.json("classes.json"),
            "level": int(np.bincount(train).min()),
            "images": {"train": len(train), "val": len(load_split(data, "val"))},
        },
        "seeds": points[0].seeds,
        "chosen": chosen.id if chosen else None,
        "points": {point.id: _describe(point) for point in points},
        "differences": with_base(points),
        "cost": {
            name: sum(point.cost.get(name, 0.0) for point in points) for name in ("cpu_s", "wall_s")
        },
    }
    summary["headline"] = headline(summary)
    summary["flat"] = flatten(summary)
    return summary


def with_base(points: Sequence[Drawn]) -> dict[str, dict[str, Any]]:
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
        corrected = holm([found[name][CHOOSES]["p"] for name in family])
        adjusted |= dict(zip(family, corrected, strict=True))
    return {
        point.id: {
            "metrics": found[point.id],
            "p_holm": adjusted.get(point.id),
            "verdict": verdict(point, found[point.id].get(CHOOSES), adjusted.get(point.id)),
        }
        for point in others
    }


def verdict(point: Drawn, found: Mapping[str, Any] | None, p_adjusted: float | None) -> Word:
    """Whether a point is better or worse than the base, as far as that can be told."""
    if any(word not in _WELL for word in point.verdicts):
        return "not stable"
    if found is None or p_adjusted is None or len(point.seeds) < 2:
        return "can't tell yet"
    clear = p_adjusted < 1 - CONFIDENCE and not found["low"] <= 0 <= found["high"]
    if not clear:
        return "can't tell yet"
    return "better" if found["mean"] * METRICS[CHOOSES] > 0 else "worse"


def headline(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The answer in a word and a sentence."""
    name, points = summary["chosen"], summary["points"]
    stable = sum(point["stable"] for point in points.values())
    counted = f"{stable} of {len(points)} points train stably with every seed"
    if name is None:
        answer = "No generator can be recommended."
        return {"answer": answer, "sentence": f"{counted}.", "arm": None, "verdict": None}
    value = points[name]["metrics"][CHOOSES]["mean"]
    sentence = f"{counted}; of these it has the lowest FID-QD, {value:.1f}"
    if name == BASE:
        return {
            "answer": "Nothing beats the base.",
            "sentence": f"{sentence}.",
            "arm": BASE,
            "verdict": None,
        }
    found = summary["differences"][name]
    base = points[BASE]["metrics"].get(CHOOSES)
    if found["verdict"] == "better":
        answer = f"{readable(name)} is better than the base."
    elif found["verdict"] == "worse":  # or the base would have been chosen
        answer = f"{readable(name)} is the best that trains stably; the base draws better, but "
        answer += "does not train stably."
    else:
        answer = f"{readable(name)} looks best; can't tell yet whether it beats the base."
    against = f" (the base {base['mean']:.1f})" if base else " (a run of the base failed)"
    return {
        "answer": answer[:1].upper() + answer[1:],
        "sentence": f"{sentence}{against}.",
        "arm": name,
        "verdict": "helps" if found["verdict"] == "better" else found["verdict"],
    }


def flatten(summary: Mapping[str, Any]) -> dict[str, float]:
    """Flat keys for a dashboard's metrics."""
    points = summary["points"]
    flat: dict[str, float] = {"level": summary["data"]["level"], "points": len(points)}
    flat["points_stable"] = sum(point["stable"] for point in points.values())
    if summary["chosen"]:
        for metric, item in points[summary["chosen"]]["metrics"].items():
            flat[f"chosen.{metric}"] = item["mean"]
    for name, point in points.items():
        if CHOOSES in point["metrics"]:
            flat[f"{name}.{CHOOSES}"] = point["metrics"][CHOOSES]["mean"]
    return {name: value for name, value in flat.items() if math.isfinite(value)}


def markdown(summary: Mapping[str, Any]) -> str:
    """The verdict as a short Markdown text with a table."""
    head = summary["headline"]
    said = [outlets.markdown(head[part]) for part in ("answer", "sentence")]
    lines = [f"## {said[0]}", "", said[1], ""]
    lines += [
        "| point | training | FID-QD | CAS | beside the base |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, point in summary["points"].items():
        cells = [outlets.markdown(readable(name)), ", ".join(point["verdicts"])]
        cells += [shown(metric, point["metrics"].get(metric)) for metric in (CHOOSES, "cas")]
        record = summary["differences"].get(name)
        lines.append("| " + " | ".join([*cells, record["verdict"] if record else "base"]) + " |")
    return "\n".join(lines) + "\n"


def shown(metric: str, record: Mapping[str, Any] | None) -> str:
    """A metric for people; nothing where there is none."""
    if record is None:
        return ""
    value = record["mean"]
    if metric in ("recall", "coverage", "cas", "gan_test"):
        return wording.percent(value)
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.4f}"


def _metrics(point: Drawn, base: Drawn, points: Sequence[Drawn]) -> dict[str, dict[str, Any]]:
    found = {}
    for metric in METRICS:
        one, other = point.by_seed(metric), base.by_seed(metric)
        if one is None or other is None:
            continue
        known = [values for item in points if (values := item.by_seed(metric)) is not None]
        difference = run_difference(one, other, run_scatter(np.array(known)))
        found[metric] = dict(zip(("mean", "low", "high", "p"), difference, strict=True))
    return found


def _describe(point: Drawn) -> dict[str, Any]:
    metrics = {}
    for metric in METRICS:
        values = values_of([run for run in point.runs if run["metrics"]], metric)
        if values:
            metrics[metric] = {"mean": float(np.mean(values)), "by_seed": values}
    return {
        "chosen": point.chosen,
        "changes": point.changes,
        "seeds": point.seeds,
        "verdicts": point.verdicts,
        "stable": all(word in _WELL for word in point.verdicts),
        "reasons": [stability.reason(run["stability"]) for run in point.runs],
        "metrics": metrics,
        "best_steps": [run["best_step"] for run in point.runs],
        "parameters": point.runs[0]["parameters"],
        "cpu_s": point.cost.get("cpu_s", 0.0),
        "wall_s": point.cost.get("wall_s", 0.0),
    }
