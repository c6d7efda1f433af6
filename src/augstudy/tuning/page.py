"""The page of a sweep: one HTML file that needs nothing else, like the report of a study."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from augstudy.durations import duration
from augstudy.fingerprint import code_version, software
from augstudy.metrics.verdicts import margin_text
from augstudy.report import gallery, style, wording
from augstudy.report.figures import arms as arm_figures
from augstudy.report.figures import confusion, curves
from augstudy.report.figures import sweep as sweep_figures
from augstudy.report.html import environment
from augstudy.report.sections import mean_confusion, score_cells
from augstudy.tuning.points import Trained
from augstudy.tuning.summary import Material, readable, span
from augstudy.tuning.sweep import BASE, Axis

_PILLS = {"holds": "helps", "does not hold": "hurts", "can't tell": ""}
_EXPECTED = {"higher": "higher", "lower": "lower", "same": "about the same"}
_METRICS = {
    "accuracy": "accuracy",
    "train_accuracy": "training accuracy",
    "overfitting": "overfitting",
}


def render(material: Material, summary: Mapping[str, Any]) -> str:
    """The page.

    Args:
        material: what the sweep left.
        summary: its summary.json.
    """
    trained = {point.id: point for point in material.points}
    context: dict[str, Any] = {
        "summary": summary,
        "head": summary["headline"],
        "facts": _facts(summary),
        "findings": [_finding(item) for item in summary["findings"]],
        "overview": _overview(material, summary),
        "axes": [_axis(axis, trained, summary) for axis in material.sweep.axes],
        "ranking": _ranking(summary),
        "tested": _tested(material, summary),
        "margin": margin_text(summary["margin"]),
        "settings": gallery.flat_rows(
            {name: value for name, value in material.study.items() if name != "sweep"}
        ),
        "changes": [
            (readable(name), ", ".join(map(" ".join, gallery.flat_rows(point["changes"]))))
            for name, point in summary["points"].items()
            if name != BASE
        ],
        "inputs": [(name, item.content_hash[:16]) for name, item in _inputs(material).items()],
        "software": software() | {"augstudy code": code_version()},
    }
    return environment().get_template("sweep.html.j2").render(context)


def _facts(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    images = summary["data"]["images"]
    return [
        (str(len(summary["points"]) - 1), "points beside the base"),
        (str(len(summary["seeds"])), "training runs a point"),
        (f"{summary['data']['level']:,}", "real images a class to train on"),
        (f"{images['val']:,}", "validation images, which choose"),
        (f"{images['test']:,}", "test images, read for two points"),
        (duration(summary["cost"]["cpu_s"]), "of processor time"),
    ]


def _finding(found: Mapping[str, Any]) -> dict[str, str]:
    by = f" by more than {100 * found['by']:g} points" if found["by"] else ""
    expected = f"{_METRICS[found['metric']]} {_EXPECTED[found['expected']]}{by}"
    p_value = found["difference"]["p_holm"] if found["difference"] else None
    return {
        "claim": found["claim"],
        "compared": f"{readable(found['point'])} against {readable(found['against'])}",
        "expected": expected,
        "change": span(found["difference"]),
        "p": wording.p_text(p_value) if p_value is not None else "",
        "judgement": found["judgement"],
        "pill": _PILLS[found["judgement"]],
    }


def _overview(material: Material, summary: Mapping[str, Any]) -> str:
    groups = []
    for axis in material.sweep.axes:
        names = [name for name in _of_axis(axis, summary) if name != BASE]
        rows = [_row(name, summary) for name in names]
        if rows:
            groups.append((axis.title, rows))
    combined = [
        _row(name, summary) for name, item in summary["points"].items() if len(item["chosen"]) > 1
    ]
    if combined:
        groups.append(("Combined", combined))
    return sweep_figures.ladder(groups, 100 * summary["margin"])


def _row(name: str, summary: Mapping[str, Any]) -> sweep_figures.Row:
    found, chosen = summary["differences"][name], summary["points"][name]["chosen"]
    low, value, high = (100 * found[key] for key in ("low", "mean", "high"))
    title = next(iter(chosen.values())) if len(chosen) == 1 else readable(name)
    clear = found["verdict"] in ("helps", "hurts")
    colour = style.GOOD if value > 0 else style.BAD
    return sweep_figures.Row(title, colour, value, low, high, clear)


def _of_axis(axis: Axis, summary: Mapping[str, Any]) -> list[str]:
    """The base, and the points that change this axis alone."""
    own = [name for name, item in summary["points"].items() if list(item["chosen"]) == [axis.name]]
    return [BASE, *own] if own else []


def _axis(axis: Axis, trained: Mapping[str, Trained], summary: Mapping[str, Any]) -> dict[str, Any]:
    names = _of_axis(axis, summary)
    colours = dict(zip(names, style.palette(len(names)), strict=True))
    titles = {name: summary["points"][name]["chosen"].get(axis.name, axis.base) for name in names}
    dots = [_accuracy_dot(titles[name], colours[name], summary["points"][name]) for name in names]
    base = 100 * summary["points"][BASE]["val_accuracy"]
    lines = [(titles[name], colours[name], trained[name].history) for name in names]
    return {
        "name": axis.name,
        "title": axis.title,
        "plot": arm_figures.whiskers(dots, base, "base", "Validation accuracy, per cent")
        if names
        else None,
        "curves": [
            (title, curves.overlaid(lines, column, f"{title}, share"))
            for column, title in (
                ("val_accuracy", "Validation accuracy"),
                ("accuracy", "Training accuracy"),
            )
            if names
        ],
        "legend": [(titles[name], colours[name]) for name in names],
        "rows": [_table_row(name, titles[name], colours[name], summary) for name in names],
    }


def _accuracy_dot(title: str, colour: str, point: Mapping[str, Any]) -> arm_figures.Row:
    low, value, high = (100 * point[key] for key in ("val_low", "val_accuracy", "val_high"))
    dots = [100 * item for item in point["by_seed"]]
    text = wording.percent(point["val_accuracy"])
    return arm_figures.Row(title, colour, value, low, high, dots, text)


def _table_row(name: str, title: str, colour: str, summary: Mapping[str, Any]) -> dict[str, Any]:
    point, found = summary["points"][name], summary["differences"].get(name)
    return {
        "title": title,
        "colour": colour,
        "accuracy": wording.percent(point["val_accuracy"]),
        "interval": wording.interval(point["val_low"], point["val_high"]),
        "change": wording.signed(found["mean"]) if found else "",
        "span": span(found).partition("(")[2].rstrip(")"),
        "p": wording.p_text(found["p_holm"]) if found else "",
        "verdict": found["verdict"] if found else "",
        "train": wording.percent(point["train_accuracy"]),
        "gap": wording.signed(point["overfitting"]),
        "parameters": f"{point['parameters']:,}",
        "epochs": ", ".join(map(str, point["epochs"])),
        "cpu": duration(point["cpu_s"]),
    }


def _ranking(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All points, the best on validation images first."""
    order = sorted(
        summary["points"], key=lambda name: summary["points"][name]["val_accuracy"], reverse=True
    )
    return [_table_row(name, readable(name), style.INK, summary) for name in order]


def _tested(material: Material, summary: Mapping[str, Any]) -> dict[str, Any]:
    names = material.dataset.json("classes.json")
    shares = [mean_confusion(arm) for arm in (material.base, material.chosen)]
    rows = []
    for label, arm in (("base", material.base), ("chosen", material.chosen)):
        rows.append(
            {
                "title": "Base" if label == "base" else f"Chosen: {readable(summary['chosen'])}",
                "colour": style.INK if label == "base" else style.GOOD,
                "training": wording.percent(arm.mean_of("train_accuracy")),
                "validation": wording.percent(arm.mean_of("val_accuracy")),
                "scores": score_cells(summary["test"][label], spans=True),
            }
        )
    limit = max(5.0, float(np.abs(shares[1] - shares[0]).max()))
    return {
        "rows": rows,
        "difference": summary["test"]["difference"],
        "span": span(summary["test"]["difference"]),
        "matrix": confusion.matrix(shares[1], names),
        "change": confusion.change(shares[1] - shares[0], names, limit),
    }


def _inputs(material: Material) -> dict[str, Any]:
    return {"dataset": material.dataset} | {
        f"points of worker {index}": item for index, item in enumerate(material.workers, 1)
    }
