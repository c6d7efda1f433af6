"""The study in numbers: summary.json, its flat form for dashboards, and the verdict in Markdown."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from augstudy.core import outlets
from augstudy.core.errors import DataError
from augstudy.core.formats import points
from augstudy.pages import labels, quality, stability, wording
from augstudy.results import comparisons
from augstudy.results.material import ArmResult, Material
from augstudy.stats.power import assumed_noise, detectable, forecast
from augstudy.stats.verdicts import MARGIN

SCHEMA_VERSION = 1


def summarise(material: Material, margin: float = MARGIN) -> dict[str, Any]:
    """The content of summary.json.

    Args:
        material: the study's artifacts.
        margin: accuracy, as a share, below which a difference between arms does not matter.

    Raises:
        DataError: a number is not finite.
    """
    arms = {arm.label: _describe_arm(arm) for arm in material.arms}
    differences = comparisons.with_real(material.arms, margin)
    pairs = comparisons.between_arms(material.arms, margin)
    power = _power(len(material.arms[0].seeds), len(material.arms[0].labels), len(differences))
    drawn = material.synthetic.json("quality.json") if material.synthetic else None
    summary = {
        "schema_version": SCHEMA_VERSION,
        "headline": wording.headline(arms, differences),
        "margin": margin,
        "study": material.study,
        "data": _describe_data(material),
        "seeds": material.arms[0].seeds,
        "budget": material.arms[0].training[0]["budget"],
        "left_out": material.left_out,
        "arms": arms,
        "differences": differences,
        "pairs": pairs,
        "power": power,
        "label_noise": labels.compare(material),
        "discriminator": material.discriminator,
        "gan": material.gan.json("stability.json") if material.gan else None,
        "synthetic": drawn,
        "curation": material.curation.json("curation.json") if material.curation else None,
    }
    flat = {"level": material.level, "detectable": power["detectable"]}
    flat |= quality.flat(drawn) if drawn else {}
    summary["flat"] = flat | flatten(arms, [*differences.values(), *pairs])
    return summary


def flatten(
    arms: Mapping[str, Mapping[str, Any]], found: Sequence[Mapping[str, Any]]
) -> dict[str, float]:
    """Flat keys for a dashboard's metrics, such as ``add_100_minus_real.ci_low``.

    Raises:
        DataError: a number is not finite.
    """
    flat: dict[str, float] = {}
    for label, arm in arms.items():
        for metric, record in arm["metrics"].items():
            flat[f"{label}.{metric}_mean"] = record["value"]
        for part in ("low", "high", "std"):
            flat[f"{label}.accuracy_{part}"] = arm["metrics"]["accuracy"][part]
    for record in found:
        key = f"{record['arm']}_minus_{record['against']}"
        flat |= {f"{key}.accuracy": record["mean"], f"{key}.p_holm": record["p_holm"]}
        flat |= {f"{key}.ci_low": record["low"], f"{key}.ci_high": record["high"]}
    for key, value in flat.items():
        if not math.isfinite(value):
            raise DataError(f"{key} is not a finite number: evaluate the arms again.")
    return flat


def markdown(summary: Mapping[str, Any]) -> str:
    """The verdict as a short Markdown text with a table."""
    head, differences = summary["headline"], summary["differences"]
    lines = [
        f"## {outlets.markdown(head['answer'])}",
        "",
        outlets.markdown(head["sentence"]),
        "",
        "| arm | accuracy (95 % interval) | minus real, points (95 % interval) | p | verdict |",
        "| --- | --- | --- | --- | --- |",
    ]
    for label, arm in summary["arms"].items():
        metric = arm["metrics"]["accuracy"]
        accuracy = wording.percent(metric["value"])
        cells = [
            outlets.markdown(arm["title"]),
            f"{accuracy} ({wording.interval(metric['low'], metric['high'])})",
        ]
        cells += _difference_cells(differences.get(label))
        lines.append("| " + " | ".join(cells) + " |")
    data = summary["data"]
    facts = f"{len(data['classes'])} classes, {data['level']} real training images a class, "
    facts += (
        f"{wording.counted(len(summary['seeds']), 'seed')}, {data['images']['test']} test images."
    )
    lines += ["", facts + " p-values are corrected for the number of arms (Holm)."]
    lines += [f"\n{outlets.markdown(note)}" for note in wording.left_out(summary["left_out"])]
    lines += ["", summary["power"]["sentence"]]
    if summary["gan"]:
        gan = summary["gan"]
        lines += ["", f"GAN: {gan['verdict']}. {outlets.markdown(stability.reason(gan))}"]
    return "\n".join(lines) + "\n"


def _difference_cells(found: Mapping[str, Any] | None) -> list[str]:
    if found is None:
        return ["reference", "", ""]
    span = f"{points(found['low'])} to {points(found['high'])}"
    change = f"{points(found['mean'])} ({span})"
    return [change, wording.p_text(found["p_holm"]), found["outcome"]]


def _describe_arm(arm: ArmResult) -> dict[str, Any]:
    return {
        "arm": arm.arm,
        "share": arm.share,
        "name": arm.name,
        "title": arm.title,
        "seeds": arm.seeds,
        "training_images": round(arm.mean_of("images")),
        "steps": round(arm.mean_of("steps")),
        "train_accuracy": arm.mean_of("train_accuracy"),
        "val_accuracy": arm.mean_of("val_accuracy"),
        "parameters": round(arm.mean_of("parameters")),
        "metrics": arm.metrics["metrics"],
    }


def _describe_data(material: Material) -> dict[str, Any]:
    provenance, config = material.dataset.manifest.provenance, material.dataset.manifest.config
    return {
        "hash": material.dataset.content_hash,
        "source": provenance.get("source", config.get("source", "unknown")),
        "classes": material.classes,
        "level": material.level,
        "images": {
            "train": len(material.train),
            "val": material.val_images,
            "test": len(material.arms[0].labels),
        },
    }


def _power(seeds: int, images: int, compared: int) -> dict[str, Any]:
    """What could be expected of the study before it ran."""
    asked = max(1, compared)
    noise = assumed_noise(asked)
    return {
        "seeds": seeds,
        "images": images,
        "comparisons": compared,
        "assumed": asdict(noise),
        "detectable": detectable(noise, seeds, images, asked),
        "sentence": forecast(seeds, images, asked),
    }
