"""The page of a sweep: one self-contained HTML file, like the report of a study."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from augstudy.core.fingerprint import code_version, software
from augstudy.pages import answers, gallery, readings, search_page, style, wording
from augstudy.pages.answers import readable
from augstudy.pages.figures import arms as arm_figures
from augstudy.pages.figures import confusion, curves
from augstudy.pages.figures import sweep as sweep_figures
from augstudy.pages.formats import duration, points
from augstudy.pages.sections import mean_confusion, score_cells
from augstudy.pages.templates import environment
from augstudy.pages.verdicts import PILLS, margin_text
from augstudy.results.models import Finding, GeneratorSweep, Point, Sweep
from augstudy.results.parts import Change
from augstudy.results.sweep import Material
from augstudy.tuning.sweep import BASE, Axis

_EXPECTED = {"higher": "higher", "lower": "lower", "same": "about the same"}
_METRICS = {
    "accuracy": "accuracy",
    "train_accuracy": "training accuracy",
    "overfitting": "overfitting",
}


def render(material: Material, summary: Sweep) -> str:
    """The page.

    Args:
        material: what the sweep left.
        summary: what it found.
    """
    context = common(material.study, summary) | {
        "facts": _facts(summary),
        "findings": [_finding(item) for item in summary.findings],
        "overview": _overview(material, summary),
        "axes": _sections(material, summary),
        "search": search_page.section(material.sweep, summary),
        "ranking": _ranking(summary),
        "tested": _tested(material, summary),
        "margin": margin_text(summary.margin),
        "metric": readings.metric(summary.val_metric).text,
        "inputs": [(name, item.content_hash[:16]) for name, item in _inputs(material).items()],
    }
    return environment().get_template("sweep.html.j2").render(context)


def common(study: Mapping[str, Any], summary: Sweep | GeneratorSweep) -> dict[str, Any]:
    """What the pages of all sweeps show alike: the answer, settings, and what points change."""
    verdict = summary.headline.verdict or ""
    return {
        "summary": summary,
        "head": answers.answer(summary),
        "verdict": PILLS.get(verdict, verdict),
        "settings": gallery.flat_rows({key: study[key] for key in study if key != "sweep"}),
        "changes": [
            (readable(name), ", ".join(map(" ".join, gallery.flat_rows(point.changes))))
            for name, point in summary.points.items()
            if name != BASE
        ],
        "software": software() | {"augstudy code": code_version()},
    }


def of_axis(axis: Axis, summary: Sweep | GeneratorSweep) -> list[str]:
    """The base, and the points that change this axis alone; empty if there are none."""
    own = [name for name, item in summary.points.items() if list(item.chosen) == [axis.name]]
    return [BASE, *own] if own else []


def _facts(summary: Sweep) -> list[tuple[str, str]]:
    images, search = summary.data.images, summary.search
    kind = "finalists" if search else "points"
    trials = [(str(len(search.trials)), "trials with one training run")] if search else []
    return [
        *trials,
        (str(len(summary.points) - 1), f"{kind} beside the base"),
        (str(len(summary.seeds)), f"training runs per {kind[:-1]}"),
        (f"{summary.data.level:,}", "real images per class to train on"),
        (f"{images['val']:,}", "validation images, to choose by"),
        (f"{images['test']:,}", "test images, used for two points"),
        (duration(summary.cost.cpu_s), "of processor time"),
    ]


def _finding(found: Finding) -> dict[str, str]:
    by = f" by more than {100 * found.by:g} points" if found.by else ""
    expected = f"{_METRICS[found.metric]} {_EXPECTED[found.expected]}{by}"
    p_value = found.difference.p_holm if found.difference else None
    return {
        "claim": found.claim,
        "compared": f"{readable(found.point)} against {readable(found.against)}",
        "expected": expected,
        "change": wording.change(found.difference) if found.difference else "",
        "p": wording.p_text(p_value) if p_value is not None else "",
        "judgement": found.judgement,
        "pill": PILLS.get(found.judgement, ""),
    }


def _overview(material: Material, summary: Sweep) -> str | None:
    """Differences of all points to the base, by axis; None if there is nothing but the base."""
    points, groups = summary.points, []
    if summary.search:
        short = search_page.titles(summary)
        rows = [_row(name, short[name], summary) for name in points if name != BASE]
        groups = [("Finalists", rows)]
    else:
        for axis in material.sweep.axes:
            names = [name for name in of_axis(axis, summary) if name != BASE]
            rows = [_row(name, points[name].chosen[axis.name], summary) for name in names]
            groups.append((axis.title, rows))
        combined = [name for name, item in points.items() if len(item.chosen) > 1]
        groups.append(("Combined", [_row(name, readable(name), summary) for name in combined]))
    groups = [(title, rows) for title, rows in groups if rows]
    metric = readings.metric(summary.val_metric).text
    label = f"Validation {metric} minus that of the base, percentage points"
    return sweep_figures.ladder(groups, 100 * summary.margin, label) if groups else None


def _row(name: str, title: str, summary: Sweep) -> sweep_figures.Row:
    found = summary.differences[name]
    low, value, high = (100 * share for share in (found.low, found.mean, found.high))
    clear = found.verdict in PILLS
    colour = style.GOOD if value > 0 else style.BAD
    return sweep_figures.Row(title, colour, value, low, high, clear)


def _sections(material: Material, summary: Sweep) -> list[dict[str, Any]]:
    """One for each axis with points that change it alone; of a search, one of all finalists."""
    if summary.search:
        short = search_page.titles(summary)
        return [_section(material, summary, "finalists", "Finalists", short)]
    sections = []
    for axis in material.sweep.axes:
        titles = {
            name: summary.points[name].chosen.get(axis.name, axis.base)
            for name in of_axis(axis, summary)
        }
        if titles:
            sections.append(_section(material, summary, axis.name, axis.title, titles))
    return sections


def _section(
    material: Material,
    summary: Sweep,
    name: str,
    heading: str,
    titles: Mapping[str, str],
) -> dict[str, Any]:
    """Some points beside each other; `titles` are what they are called there, by id."""
    trained = {point.id: point for point in material.points}
    colours = dict(zip(titles, style.palette(len(titles)), strict=True))
    points, metric = summary.points, readings.metric(summary.val_metric).text
    dots = [_accuracy_dot(titles[item], colours[item], points[item]) for item in titles]
    lines = [(titles[item], colours[item], trained[item].history) for item in titles]
    rows = [_table_row(item, titles[item], colours[item], summary) for item in titles]
    return {
        "name": name,
        "title": heading,
        "plot": arm_figures.whiskers(
            dots, 100 * points[BASE].val_accuracy, "base", f"Validation {metric}, per cent"
        ),
        "curves": [
            (title, curves.overlaid(lines, column, f"{title}, share"))
            for column, title in (
                ("val_accuracy", "Validation accuracy"),
                ("accuracy", "Training accuracy"),
            )
        ],
        "legend": [(titles[item], colours[item]) for item in titles],
        "rows": rows,
    }


def _accuracy_dot(title: str, colour: str, point: Point) -> arm_figures.Row:
    low, value, high = (
        100 * share for share in (point.val_low, point.val_accuracy, point.val_high)
    )
    dots = [100 * item for item in point.by_seed]
    text = wording.percent(point.val_accuracy)
    return arm_figures.Row(title, colour, value, low, high, dots, text)


def _table_row(name: str, title: str, colour: str, summary: Sweep) -> dict[str, Any]:
    point, found = summary.points[name], summary.differences.get(name)
    return {
        "title": title,
        "detail": readable(name) if summary.search and name != BASE else "",
        "colour": colour,
        "accuracy": wording.percent(point.val_accuracy),
        "interval": wording.interval(point.val_low, point.val_high),
        "change": wording.signed(found.mean) if found else "",
        "span": _span(found) if found else "",
        "p": wording.p_text(found.p_holm) if found else "",
        "verdict": found.verdict if found else "",
        "train": wording.percent(point.train_accuracy),
        "gap": wording.signed(point.overfitting),
        "parameters": f"{point.parameters:,}",
        "epochs": ", ".join(map(str, point.epochs)),
        "cpu": duration(point.cpu_s),
    }


def _ranking(summary: Sweep) -> list[dict[str, Any]]:
    """All points, the best on validation images first."""
    order = sorted(summary.points, key=lambda name: summary.points[name].val_accuracy, reverse=True)
    short = search_page.titles(summary) if summary.search else {}
    return [
        _table_row(name, short.get(name) or readable(name), style.INK, summary) for name in order
    ]


def _tested(material: Material, summary: Sweep) -> dict[str, Any]:
    names = material.dataset.json("classes.json")
    shares = [mean_confusion(arm) for arm in (material.base, material.chosen)]
    rows = []
    test = summary.test
    both = ("base", material.base, test.base), ("chosen", material.chosen, test.chosen)
    for label, arm, scores in both:
        rows.append(
            {
                "title": "Base" if label == "base" else f"Chosen: {readable(summary.chosen)}",
                "colour": style.INK if label == "base" else style.GOOD,
                "training": wording.percent(arm.mean_of("train_accuracy")),
                "validation": wording.percent(arm.mean_of("val_accuracy")),
                "scores": score_cells(scores, summary.metric, spans=True),
            }
        )
    limit = max(5.0, float(np.abs(shares[1] - shares[0]).max()))
    return {
        "rows": rows,
        "span": wording.change(test.difference),
        "matrix": confusion.matrix(shares[1], names),
        "change": confusion.change(shares[1] - shares[0], names, limit),
        "large": confusion.large(names),
        "cells": confusion.cells(names),
        "thinned": confusion.thinned(names),
    }


def _span(found: Change) -> str:
    return f"{points(found.low)} to {points(found.high)}"


def _inputs(material: Material) -> dict[str, Any]:
    return {"dataset": material.dataset} | {
        f"points of worker {index}": item for index, item in enumerate(material.workers, 1)
    }
