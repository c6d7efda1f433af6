"""The synthetic images in figures: a table with how to read each, and each class."""

from collections.abc import Mapping, Sequence
from typing import Any

from augstudy.metrics.figures import FIGURES
from augstudy.pages import readings, wording
from augstudy.pages.figures import quality as figures

_BETTER = {"lower": "lower", "higher": "higher", "as real": "like real"}


def section(quality: Mapping[str, Any], classes: Sequence[str]) -> dict[str, Any] | None:
    """What the report shows of quality.json; None if nothing was measured.

    Args:
        quality: quality.json.
        classes: those that figures show.
    """
    metrics = quality.get("metrics")
    if not metrics:
        return None
    judge, measured = quality["judge"], quality["measured"]
    return {
        "rows": [_row(name, metrics[name]) for name in FIGURES if name in metrics],
        "by_class": figures.by_class(classes, quality["per_class"]),
        "class_table": _class_table(classes, quality["per_class"]),
        "judge": wording.percent(judge["val_accuracy"], 0),
        "judge_images": f"{judge['training_images']:,}",
        "per_class": f"{measured['per_class']:,}" if measured["per_class"] else "",
        "images": f"{measured['images']:,}",
    }


def beside(qualities: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """The figures of several sets beside each other and beside real images; None of a single one.

    Sets of fewer images are compared with fewer real ones, so each has its own.

    Args:
        qualities: quality.json by the name of the set.
    """
    metrics = {name: item["metrics"] for name, item in qualities.items() if item.get("metrics")}
    if len(metrics) < 2:
        return None
    rows = []
    for figure in FIGURES:
        records = [item.get(figure) for item in metrics.values()]
        cells = [_row(figure, record) if record else None for record in records]
        there = next((cell for cell in cells if cell), None)
        if there:
            rows.append({"title": there["title"], "better": there["better"], "cells": cells})
    return {"titles": list(metrics), "rows": rows}


def _row(name: str, record: Mapping[str, Any]) -> dict[str, str]:
    title, text = readings.figure(name)
    numbers = [record[key] for key in ("value", "low", "high", "real")]
    value, low, high, real = _shown(name, *numbers)
    interval = wording.interval(record["low"], record["high"])
    return {
        "title": title,
        "text": text,
        "better": _BETTER[record["direction"]],
        "value": value,
        "interval": interval if FIGURES[name].share else f"{low} to {high}",
        "real": real,
    }


def _class_table(
    classes: Sequence[str], per_class: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Every figure that all classes have, class by class: value, interval, and that of real."""
    names = [name for name in FIGURES if all(name in per_class[label] for label in classes)]
    return {
        "titles": [readings.figure(name).title for name in names],
        "rows": [
            {"label": label, "cells": [_row(name, per_class[label][name]) for name in names]}
            for label in classes
        ],
    }


def _shown(name: str, *values: float) -> list[str]:
    """Values of one figure, with the same number of digits: four if all are small."""
    if FIGURES[name].share:
        return [wording.percent(value) for value in values]
    digits = 2 if max(abs(value) for value in values) >= 0.1 else 4
    return [f"{value:.{digits}f}" for value in values]
