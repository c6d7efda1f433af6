"""A sweep in numbers: summary.json, its flat form for dashboards, and the verdict in Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from augstudy.core import outlets
from augstudy.core.artifacts import Artifact
from augstudy.core.formats import points
from augstudy.data.dataset import load_split
from augstudy.pages import wording
from augstudy.results.material import ArmResult
from augstudy.stats.paired import paired_difference
from augstudy.stats.scatter import RunScatter, run_scatter
from augstudy.tuning import compare
from augstudy.tuning.points import Trained, best
from augstudy.tuning.search import Tried
from augstudy.tuning.sweep import BASE, Axis, Sweep, options

SCHEMA_VERSION = 1
KIND = "sweep"


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
    sweep: Sweep
    study: dict[str, Any]
    trials: list[Tried] = field(default_factory=list)

    @property
    def best(self) -> Trained:
        """The point that was chosen."""
        return best(self.points)


def summarise(material: Material, margin: float) -> dict[str, Any]:
    """The content of summary.json.

    Args:
        material: of the sweep.
        margin: accuracy, as a share, below which a difference does not matter.
    """
    trained, chosen = material.points, material.best
    test = compare.on_test(material.chosen.correct, material.base.correct, trained, margin)
    summary: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "mode": material.sweep.mode,
        "margin": margin,
        "study": material.study,
        "data": _describe_data(material),
        "seeds": trained[0].seeds,
        "chosen": chosen.id,
        "points": _points(trained),
        "search": _describe_search(material),
        "differences": compare.with_base(trained, margin, together=bool(material.trials)),
        "findings": compare.findings(material.sweep.findings, trained, margin),
        "test": {
            "base": material.base.metrics["metrics"],
            "chosen": material.chosen.metrics["metrics"],
            "difference": test,
        },
        "cost": {name: _total(material, name) for name in ("cpu_s", "wall_s")},
    }
    summary["headline"] = headline(summary)
    summary["flat"] = flatten(summary)
    return summary


def headline(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The answer in a word and a sentence, and the verdict on the chosen point."""
    name, test = summary["chosen"], summary["test"]
    base = wording.percent(test["base"]["accuracy"]["value"])
    tried = _tried(summary)
    if name == BASE:
        best = f"the finalists of {tried}" if summary["search"] else tried
        return {
            "answer": "Nothing beats the base.",
            "sentence": f"None of {best} does better than the base on validation images; it "
            f"reaches {base} on unseen ones.",
            "arm": None,
            "verdict": None,
        }
    found = test["difference"]
    reached = wording.percent(test["chosen"]["accuracy"]["value"])
    span = f"{points(found['low'])} to {points(found['high'])}"
    answer = {
        "helps": "Yes: {} is better than the base.",
        "hurts": "No: {} looked best, and is worse on unseen images.",
        "no difference": "No difference that matters: {} is as good as the base.",
    }.get(found["verdict"], "{} looks best; can't tell yet whether it beats the base.")
    return {
        "answer": answer.format(readable(name)),
        "sentence": f"Of {tried} it does best on validation images. On unseen images it reaches "
        f"{reached}, the base {base}: {points(found['mean'])} points (95 % interval {span}).",
        "arm": name,
        "verdict": found["verdict"],
    }


def _tried(summary: Mapping[str, Any]) -> str:
    """How many points were tried, in words."""
    if summary["search"]:
        trials = summary["search"]["trials"]
        pruned = sum(item["state"] == "pruned" for item in trials)
        return f"{len(trials)} trials, {pruned} of them cut short,"
    return wording.counted(len(summary["points"]) - 1, "point")


def readable(point: str) -> str:
    """The id of a point for people: ``kernel=5x5`` is ``kernel 5x5``."""
    return point.replace("=", " ").replace("_", " ").replace(",", ", ")


def flatten(summary: Mapping[str, Any]) -> dict[str, float]:
    """Flat keys for a dashboard's metrics, what was chosen first."""
    test = summary["test"]
    flat: dict[str, float] = {"level": summary["data"]["level"], "points": len(summary["points"])}
    for name in ("base", "chosen"):
        flat[f"{name}.accuracy_mean"] = test[name]["accuracy"]["value"]
    flat["chosen_minus_base.accuracy"] = test["difference"]["mean"]
    flat["chosen_minus_base.ci_low"] = test["difference"]["low"]
    flat["chosen_minus_base.ci_high"] = test["difference"]["high"]
    if summary["search"]:
        states = [trial["state"] for trial in summary["search"]["trials"]]
        flat |= {"trials": len(states), "trials.pruned": states.count("pruned")}
    told = [item["judgement"] for item in summary["findings"]]
    flat["findings.hold"] = told.count("holds")
    flat["findings.do_not_hold"] = told.count("does not hold")
    flat |= {
        f"{name}.val_accuracy": item["val_accuracy"] for name, item in summary["points"].items()
    }
    return flat


def markdown(summary: Mapping[str, Any]) -> str:
    """The verdict as a short Markdown text with tables."""
    head, found = summary["headline"], summary["differences"]
    said = [outlets.markdown(head[part]) for part in ("answer", "sentence")]
    lines = [f"## {said[0]}", "", said[1], ""]
    lines += ["| point | validation accuracy | minus base, points (95 % interval) | verdict |"]
    lines += ["| --- | --- | --- | --- |"]
    for name, point in summary["points"].items():
        record = found.get(name)
        cells = [outlets.markdown(readable(name)), wording.percent(point["val_accuracy"])]
        cells += [span(record), record["verdict"]] if record else ["", "reference"]
        lines.append("| " + " | ".join(cells) + " |")
    if summary["findings"]:
        lines += ["", "| finding | difference, points (95 % interval) | here |"]
        lines += ["| --- | --- | --- |"]
        for item in summary["findings"]:
            cells = [outlets.markdown(item["claim"]), span(item["difference"]), item["judgement"]]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def span(found: Mapping[str, Any] | None) -> str:
    """A difference with its interval, in points: ``+1.2 (+0.3 to +2.1)``."""
    if found is None:
        return ""
    return f"{points(found['mean'])} ({points(found['low'])} to {points(found['high'])})"


def _points(trained: Sequence[Trained]) -> dict[str, dict[str, Any]]:
    accuracies = np.array([point.by_seed("accuracy") for point in trained])
    scatter = run_scatter(accuracies)
    runs = scatter.of_one_arm() if scatter else None
    return {point.id: _describe(point, runs) for point in trained}


def _describe(point: Trained, runs: RunScatter | None) -> dict[str, Any]:
    nothing = np.zeros_like(point.correct)
    accuracy = paired_difference(point.correct, nothing, runs=runs)
    return {
        "chosen": point.chosen,
        "changes": point.changes,
        "seeds": point.seeds,
        "val_accuracy": accuracy.mean,
        "val_low": max(0.0, accuracy.low),
        "val_high": min(1.0, accuracy.high),
        "by_seed": point.by_seed("accuracy"),
        "train_accuracy": point.mean("train_accuracy"),
        "overfitting": point.mean("overfitting"),
        "parameters": point.training[0]["parameters"],
        "training_images": point.training[0]["images"],
        "epochs": [record["epochs"] for record in point.training],
        "best_epochs": [record["best_epoch"] for record in point.training],
        "cpu_s": point.cost.get("cpu_s", 0.0),
        "wall_s": point.cost.get("wall_s", 0.0),
    }


def _total(material: Material, name: str) -> float:
    """Of all points, and of the trials that came to nothing."""
    costs = [point.cost for point in material.points]
    costs += [trial.cost for trial in material.trials if not trial.finalist]
    return sum(cost.get(name, 0.0) for cost in costs)


def _describe_search(material: Material) -> dict[str, Any] | None:
    """What was tried, and how each value of an axis did; None where nothing was searched."""
    if not material.trials or material.sweep.search is None:
        return None
    return {
        "settings": material.sweep.search.model_dump(mode="json"),
        "trials": [{**trial.record(), "cost": trial.cost} for trial in material.trials],
        "values": {
            axis.name: [_describe_value(axis, label, material.trials) for label in options(axis)]
            for axis in material.sweep.axes
        },
    }


def _describe_value(axis: Axis, label: str, trials: Sequence[Tried]) -> dict[str, Any]:
    """How the trials with one value of an axis did, whatever else they had."""
    having = [trial for trial in trials if trial.chosen.get(axis.name, axis.base) == label]
    complete = [trial.accuracy for trial in having if trial.state == "complete"]
    return {
        "label": label,
        "trials": len(having),
        "pruned": len(having) - len(complete),
        "median": float(np.median(complete)) if complete else None,
        "best": max(complete, default=None),
    }


def _describe_data(material: Material) -> dict[str, Any]:
    data = material.dataset
    train = load_split(data, "train").labels
    return {
        "hash": data.content_hash,
        "source": data.manifest.provenance.get("source", data.manifest.config.get("source", "")),
        "classes": data.json("classes.json"),
        "level": int(np.bincount(train).min()),
        "images": {
            "train": len(train),
            "val": material.points[0].correct.shape[1],
            "test": len(material.base.labels),
        },
    }
