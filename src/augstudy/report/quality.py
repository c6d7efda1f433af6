"""The synthetic images in figures: a table with how to read each, and each class."""

from collections.abc import Mapping, Sequence
from typing import Any

from augstudy.report import wording
from augstudy.report.figures import quality as figures

_BETTER = {"lower": "lower", "higher": "higher", "as real": "like real"}
_SHARES = ("precision", "recall", "coverage", "gan_test", "cas", "near_copies")
_READ = {
    "fid_qd": (
        "FID-QD",
        "How far the judge's impressions of all synthetic images are from those of validation "
        "drawings. Not to be compared with published FIDs, nor with one of another number of "
        "images: fewer images give more.",
    ),
    "kid": (
        "KID",
        "The same question without the bias of few images: 0 is no difference, and a little below "
        "is chance.",
    ),
    "precision": (
        "Precision",
        "Share of synthetic images that look like some real one. Low: many are implausible.",
    ),
    "recall": (
        "Recall",
        "Share of real drawings that look like some synthetic one. Low: kinds of drawings are "
        "missing.",
    ),
    "density": (
        "Density",
        "Precision that counts how many real drawings an image is near to, so that outliers do "
        "not flatter it; it may exceed 1.",
    ),
    "coverage": (
        "Coverage",
        "Share of real drawings with a synthetic one nearby. Low: kinds of drawings are missing, "
        "and unlike recall it is not flattered by outliers.",
    ),
    "gan_test": (
        "GAN-test (label fidelity)",
        "Share of synthetic images in which the judge, trained on real ones, sees the class asked "
        "for. One good drawing a class is enough for 100 %.",
    ),
    "cas": (
        "CAS (GAN-train)",
        "The other way round: accuracy on validation drawings of a classifier trained on synthetic "
        "images alone, beside that of as many real ones. It takes right labels and variety.",
    ),
    "diversity": (
        "Diversity within a class",
        "How much images of a class differ, over how much real ones do. Near 0: every class has "
        "become one picture. Noise may exceed 1.",
    ),
    "nearest_training": (
        "Distance to the training drawings",
        "From each synthetic image to the nearest drawing that the GAN has learnt from, beside the "
        "same for unseen real ones. Much less: copies, or blur.",
    ),
    "near_copies": (
        "Near copies",
        "Share of synthetic images nearer to a training drawing than 99 % of unseen real ones are. "
        "Far above 1 %: the GAN repeats what it has seen, or draws blurred averages.",
    ),
}


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
        "rows": [_row(name, metrics[name]) for name in _READ if name in metrics],
        "by_class": figures.by_class(classes, quality["per_class"]),
        "class_table": _class_table(classes, quality["per_class"]),
        "judge": wording.percent(judge["val_accuracy"], 0),
        "judge_images": f"{judge['training_images']:,}",
        "per_class": f"{measured['per_class']:,}",
        "images": f"{measured['images']:,}",
    }


def flat(quality: Mapping[str, Any]) -> dict[str, float]:
    """The values for a dashboard's metrics, such as ``synthetic.fid_qd``."""
    return {
        f"synthetic.{name}": float(record["value"])
        for name, record in quality.get("metrics", {}).items()
    }


def _row(name: str, record: Mapping[str, Any]) -> dict[str, str]:
    title, text = _READ[name]
    return {
        "title": title,
        "text": text,
        "better": _BETTER[record["direction"]],
        "value": _shown(name, record["value"]),
        "interval": _interval(name, record["low"], record["high"]),
        "real": _shown(name, record["real"]),
    }


def _class_table(
    classes: Sequence[str], per_class: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Every figure that all classes have, class by class: value, interval, and that of real."""
    names = [name for name in _READ if all(name in per_class[label] for label in classes)]
    return {
        "titles": [_READ[name][0] for name in names],
        "rows": [
            {"label": label, "cells": [_row(name, per_class[label][name]) for name in names]}
            for label in classes
        ],
    }


def _interval(name: str, low: float, high: float) -> str:
    if name in _SHARES:
        return wording.interval(low, high)
    return f"{_shown(name, low)} to {_shown(name, high)}"


def _shown(name: str, value: float) -> str:
    if name in _SHARES:
        return wording.percent(value)
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.4f}".rstrip("0").rstrip(".")
