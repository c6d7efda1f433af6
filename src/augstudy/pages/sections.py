"""What each part of the report shows: plain dictionaries for the template."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augstudy.metrics.scores import SCORES
from augstudy.pages import readings, reasons, suspicions, verdicts, wording
from augstudy.pages.figures import arms as arm_figures
from augstudy.pages.figures import confusion, curves
from augstudy.pages.formats import points
from augstudy.pages.style import colour_of
from augstudy.pages.wording import title_of
from augstudy.results.material import ArmResult, Material
from augstudy.results.models import Arm, Study
from augstudy.results.parts import Difference, Ends, Score
from augstudy.settings.arms import KINDS
from augstudy.stats.codes import SCORES as METRICS
from augstudy.stats.codes import Metric

SHOWN_CLASSES = 25
_FEW = 20  # test images of a class, of which one makes 5 points of its recall
_ABOUT = 0.05  # steps that differ by a smaller share are equal to a reader


def shown_classes(material: Material) -> list[int]:
    """Indices of the classes that figures show: all, or those `real` recognises worst."""
    recalls = [
        material.arms[0].metrics["per_class"][name]["recall"]["value"] for name in material.classes
    ]
    return sorted(np.argsort(recalls, kind="stable")[:SHOWN_CLASSES].tolist())


def arm_rows(material: Material, summary: Study) -> list[dict[str, Any]]:
    """The rows of the table of arms."""
    return [_arm_row(arm, summary) for arm in material.arms]


def pair_rows(summary: Study) -> list[dict[str, Any]]:
    """The rows of the table of arms compared with each other."""
    arms = summary.arms
    return [
        {
            "title": title_of(arms[found.arm]),
            "colour": colour_of(arms[found.arm]),
            "against": title_of(arms[found.against]),
            **_compared(found, summary.margin),
        }
        for found in summary.pairs
    ]


def budget(summary: Study) -> str:
    """What the training of the arms has in common, and which arms are exceptions."""
    arms = summary.arms.values()
    longer = [title_of(arm) for arm in arms if _kind(arm, "longer")]
    first = [title_of(arm) for arm in arms if _kind(arm, "first")]
    real = summary.arms["real"].steps
    unequal = {
        title_of(arm): arm.steps
        for arm in arms
        if not (_kind(arm, "longer") or _kind(arm, "first"))
        if abs(arm.steps - real) > _ABOUT * real
    }
    return wording.budget(summary.budget, longer, first, real, unequal)


def _kind(arm: Arm, rule: str) -> bool:
    return arm.arm in KINDS and bool(getattr(KINDS[arm.arm], rule))


def controls(material: Material, summary: Study) -> list[dict[str, str]]:
    """What each control is for, and what it found."""
    return [
        {
            "title": title_of(arm),
            "colour": colour_of(arm),
            "meaning": wording.control(arm.arm),
            "found": _found(summary.differences[arm.label], summary.margin),
        }
        for arm in material.arms
        if wording.is_control(arm.arm)
    ]


def discriminator_rows(material: Material, summary: Study) -> list[dict[str, Any]]:
    """Rows for discriminators of GANs, which also predict classes but are no arms."""
    named = len(summary.sets) > 1
    return [
        {
            "title": f"The discriminator of {name}" if named else "The GAN's discriminator",
            "images": len(material.train),
            "scores": score_cells(found.discriminator, summary.metric),
        }
        for name, found in summary.sets.items()
        if found.discriminator is not None
    ]


def score_cells(
    metrics: Mapping[str, Score], metric: Metric, *, spans: bool = False
) -> list[dict[str, str]]:
    """The cells of a table's scores; the metric has its interval, with `spans` all of them have.

    Args:
        metrics: scores by name.
        metric: what is compared; it comes first.
        spans: whether there is room for intervals.
    """
    first = METRICS[metric]
    order = [first, *(name for name, item in SCORES.items() if item.shown and name != first)]
    return [
        {
            "title": (readings.metric(metric) if name == first else readings.score(name)).title,
            "meaning": readings.score(name).text,
            "value": wording.score(name, metrics[name].value),
            "interval": wording.score_interval(name, metrics[name].low, metrics[name].high)
            if spans or name == first
            else "",
        }
        for name in order
        if name in metrics
    ]


def arm_plots(summary: Study) -> dict[str, str | None]:
    """The metric of each arm and its difference to `real`."""
    changes, metric = summary.differences.items(), readings.metric(summary.metric).title
    accuracy = arm_figures.whiskers(
        [
            arm_figures.score(title_of(arm), colour_of(arm), summary.score(label))
            for label, arm in summary.arms.items()
        ],
        100 * summary.score("real").value,
        "real",
        f"{metric} on unseen images, per cent",
    )
    named = [(title_of(arm), colour_of(arm)) for arm in (summary.arms[name] for name, _ in changes)]
    dots = [
        arm_figures.difference(*name, found)
        for name, (_, found) in zip(named, changes, strict=True)
    ]
    label = f"{metric} minus that of real, percentage points"
    band = 100 * summary.margin
    difference = arm_figures.whiskers(dots, 0, "no difference", label, band) if dots else None
    return {"accuracy": accuracy, "difference": difference}


def class_scores(material: Material) -> dict[str, Any]:
    """F1 by class as a figure, and precision, recall and F1 of every class as tables."""
    shown = [material.classes[index] for index in shown_classes(material)]
    real = material.arms[0].metrics["per_class"]
    order = sorted(shown, key=lambda name: real[name]["f1"]["value"])
    drawn = [(title_of(arm), colour_of(arm), arm.metrics["per_class"]) for arm in material.arms]
    return {
        "figure": arm_figures.by_class(order, drawn, "f1"),
        "tables": [_class_table(arm, material.classes) for arm in material.arms],
    }


def training(material: Material) -> dict[str, Any]:
    """Learning curves, learning rates, and a table of what training did."""
    limits = curves.shared_limits([arm.history for arm in material.arms])
    figures = [
        {"title": title_of(arm), "uri": curves.training(arm.history, colour_of(arm), limits)}
        for arm in material.arms
    ]
    rates = [(title_of(arm), colour_of(arm), arm.history) for arm in material.arms]
    return {
        "figures": figures,
        "rates": curves.learning_rates(rates),
        "same_rates": _same_rates(material.arms),
        "rows": [_training_row(arm) for arm in material.arms],
    }


def confusions(material: Material) -> dict[str, Any]:
    """The matrix of `real`, and how each other arm differs from it."""
    real, *others = ((title_of(arm), arm.metrics["confusion"]["mean"]) for arm in material.arms)
    return confusion.compared(real[1], others, material.classes, shown_classes(material))


def remarks(material: Material, summary: Study) -> list[str]:
    """What else a reader should notice, in sentences."""
    found = [*wording.grouped(summary), *map(suspicions.sentence, summary.data.suspicions)]
    found += wording.left_out(summary.left_out)
    real = material.arms[0]
    shares = mean_confusion(real)
    np.fill_diagonal(shares, 0)
    row, column = np.unravel_index(int(shares.argmax()), shares.shape)
    if shares.max() > 0:
        found.append(
            f"The most common mistake of real: {shares[row, column]:.0f} % of "
            f"{material.classes[row]} is mistaken for {material.classes[column]}."
        )
    found += _rare(material, summary)
    found_real = summary.arms["real"]
    gap = found_real.train_accuracy - found_real.accuracy.value
    if gap > 0.05:
        found.append(
            f"With real images only, accuracy is {points(gap).lstrip('+')} points higher on "
            "training images than on unseen ones: more data could narrow this gap."
        )
    return found


def _rare(material: Material, summary: Study) -> list[str]:
    """A sentence where one class has few test images, which weigh much in balanced accuracy."""
    if summary.metric == "accuracy":
        return []
    counts = {it: material.arms[0].metrics["per_class"][it]["support"] for it in material.classes}
    rare = min(counts, key=lambda name: counts[name])
    if counts[rare] >= _FEW:
        return []
    return [
        f"Class {rare} has only {wording.counted(counts[rare], 'test image')}, but counts as much "
        "as any other: a single image decides much. More test images of rare classes, or groups "
        "of them as one class, would make the verdict surer."
    ]


def mean_confusion(arm: ArmResult) -> NDArray[np.float64]:
    """The confusion matrix (C, C) of an arm, rows in per cent."""
    return confusion.row_shares(np.array(arm.metrics["confusion"]["mean"], np.float64))


def _arm_row(arm: ArmResult, summary: Study) -> dict[str, Any]:
    found = summary.differences.get(arm.label)
    row = {
        "title": title_of(arm),
        "colour": colour_of(arm),
        "images": summary.arms[arm.label].training_images,
        "scores": score_cells(summary.arms[arm.label].metrics, summary.metric),
        "worst": wording.worst(summary.arms[arm.label]),
        "difference": None,
    }
    if found:
        row |= _compared(found, summary.margin) | {"runs": reasons.runs(found)}
        row["bootstrap"] = _span(found.bootstrap)
    return row


def _compared(found: Difference, margin: float) -> dict[str, Any]:
    """The cells about a difference."""
    unclear = found.verdict == verdicts.UNCLEAR
    return {
        "difference": wording.signed(found.mean),
        "span": _span(found),
        "p": wording.p_text(found.p_holm),
        "verdict": found.verdict,
        "word": found.verdict if unclear else verdicts.outcome(found, margin),
        "needs": verdicts.needs(found) if unclear else None,
    }


def _found(found: Difference, margin: float) -> str:
    cells = _compared(found, margin)
    return f"{cells['difference']} points ({cells['span']}): {cells['word']}."


def _span(found: Ends) -> str:
    return f"{wording.signed(found.low)} to {wording.signed(found.high)}"


def _class_table(arm: ArmResult, classes: list[str]) -> dict[str, Any]:
    names = ("precision", "recall", "f1")
    rows = []
    for label in classes:
        record = arm.metrics["per_class"][label]
        cells = [wording.percent(record[name]["value"]) for name in names]
        spans = [wording.interval(record[name]["low"], record[name]["high"]) for name in names]
        cells_with_spans = list(zip(cells, spans, strict=True))
        rows.append({"label": label, "cells": cells_with_spans, "support": record["support"]})
    return {"title": title_of(arm), "colour": colour_of(arm), "rows": rows}


def _training_row(arm: ArmResult) -> dict[str, Any]:
    return {
        "title": title_of(arm),
        "colour": colour_of(arm),
        "parameters": f"{arm.mean_of('parameters'):,.0f}",
        "images": f"{arm.mean_of('images'):,.0f}",
        "steps": f"{arm.mean_of('steps'):,.0f}",
        "epochs": ", ".join(str(record["epochs"]) for record in arm.training),
        "best": ", ".join(str(record["best_epoch"]) for record in arm.training),
        "train": wording.percent(arm.mean_of("train_accuracy")),
        "val": wording.percent(arm.mean_of("val_accuracy")),
        "test": wording.percent(arm.scores["accuracy"].value),
    }


def _same_rates(arms: list[ArmResult]) -> bool:
    def first(history: pd.DataFrame) -> tuple[float, ...]:
        return tuple(curves.first_run(history)["learning_rate"])

    return len({first(arm.history) for arm in arms}) == 1
