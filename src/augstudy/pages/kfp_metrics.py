"""Results in the shapes that a KFP dashboard can draw and compare; plain values, no KFP.

The dashboard shows each metadata key of a ``Metrics`` as a row and each run as a column, a
confusion matrix and a ROC curve of a ``ClassificationMetrics``. Metadata travels in requests and
command lines, so it is kept small; a number that is not finite would end the step.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augstudy.metrics.classification import confusion_matrices
from augstudy.metrics.scores import SCORES
from augstudy.results.files import AnySummary
from augstudy.results.models import GeneratorSweep, Retraining, Study, Sweep

MOST_SCALARS = 60
MOST_POINTS = 100
MOST_CLASSES = 100
# What a table of runs can do without, least missed first. What synthetic images are like is among
# the metrics of `synthesize`, too.
_DISPENSABLE = tuple(
    re.compile(pattern)
    for pattern in (
        *(rf"\.{name}_mean$" for name in reversed(SCORES) if name != "accuracy"),
        r"\.accuracy_std$",
        r"\.accuracy_low$",
        r"\.accuracy_high$",
        r"^synthetic\.",
        r"_minus_(?!real\.)",
        r"\.p_holm$",
    )
)


def scalars(found: AnySummary | Retraining, most: int = MOST_SCALARS) -> dict[str, float]:
    """The metrics of a run: the least telling ones left out beyond `most`.

    Args:
        found: what it found.
        most: So many keys at most.
    """
    kept = flat(found)
    for dispensable in _DISPENSABLE:
        if len(kept) <= most:
            break
        kept = {key: value for key, value in kept.items() if not dispensable.search(key)}
    return dict(list(kept.items())[:most])


def flat(found: AnySummary | Retraining) -> dict[str, float]:
    """All that a run found under flat keys, such as ``add:1_minus_real.ci_low``."""
    if isinstance(found, Retraining):
        values = _decided(found)
    elif isinstance(found, Study):
        values = {"level": found.data.level} | _studied(found)
    else:
        values = {"level": found.data.level, "points": len(found.points)}
        values |= _swept(found) if isinstance(found, Sweep) else _generated(found)
    return {name: float(value) for name, value in values.items()}


def _studied(found: Study) -> dict[str, float]:
    values = {"detectable": found.power.detectable}
    for name, item in found.sets.items():
        key = f"synthetic.{name}" if len(found.sets) > 1 else "synthetic"
        figures = item.quality.metrics if item.quality else {}
        values |= {f"{key}.{figure}": record.value for figure, record in figures.items()}
    for label, arm in found.arms.items():
        values |= {f"{label}.{name}_mean": score.value for name, score in arm.metrics.items()}
        for part in ("low", "high", "std"):
            values[f"{label}.accuracy_{part}"] = getattr(arm.accuracy, part)
    for item in (*found.differences.values(), *found.pairs):
        key = f"{item.arm}_minus_{item.against}"
        values |= {f"{key}.accuracy": item.mean, f"{key}.p_holm": item.p_holm}
        values |= {f"{key}.ci_low": item.low, f"{key}.ci_high": item.high}
    return values


def _swept(found: Sweep) -> dict[str, float]:
    test, key = found.test, "chosen_minus_base"
    told = [item.judgement for item in found.findings]
    values = {
        "base.accuracy_mean": test.base["accuracy"].value,
        "chosen.accuracy_mean": test.chosen["accuracy"].value,
        f"{key}.accuracy": test.difference.mean,
        f"{key}.ci_low": test.difference.low,
        f"{key}.ci_high": test.difference.high,
    }
    if found.search:
        values |= {"trials": len(found.search.trials), "trials.pruned": found.search.pruned}
    values["findings.hold"] = told.count("holds")
    values["findings.do_not_hold"] = told.count("does not hold")
    return values | {
        f"{name}.val_accuracy": item.val_accuracy for name, item in found.points.items()
    }


def _generated(found: GeneratorSweep) -> dict[str, float]:
    values: dict[str, float] = {"points_stable": sum(item.stable for item in found.points.values())}
    if found.chosen:
        metrics = found.points[found.chosen].metrics
        values |= {f"chosen.{metric}": item.mean for metric, item in metrics.items()}
    return values | {
        f"{name}.{found.metric}": point.metrics[found.metric].mean
        for name, point in found.points.items()
        if found.metric in point.metrics
    }


def _decided(found: Retraining) -> dict[str, float]:
    values: dict[str, float] = {"promoted": found.promoted}
    if found.comparison is not None:
        names = {"champion": "champion.accuracy", "challenger": "challenger.accuracy"}
        names |= {"low": "ci_low", "high": "ci_high", "images": "test_images"}
        names |= {"excluded": "excluded_test_images"}
        values |= {names.get(key, key): value for key, value in asdict(found.comparison).items()}
    return values


def cell(label: str, level: int, metrics: Mapping[str, Any]) -> dict[str, str | float | int]:
    """What one cell reports; arm and level are in it, since the dashboard names all cells alike.

    Args:
        label: The arm's, such as ``add:1``.
        level: Real training images per class.
        metrics: metrics.json.
    """
    found: dict[str, str | float | int] = {
        "arm": label,
        "level": level,
        "seeds": len(metrics["seeds"]),
        "test_images": int(metrics["n"]),
    }
    for name, record in metrics["metrics"].items():
        for part, key in (("value", name), ("low", f"{name}_low"), ("high", f"{name}_high")):
            if _finite(record[part]):
                found[key] = float(record[part])
    return found


def synthetic(quality: Mapping[str, Any]) -> dict[str, str | float]:
    """What is reported of synthetic images; empty if they were not measured.

    For each figure, such as ``fid_qd``, its value, and with ``_low`` and ``_high`` its 95 %
    interval, with ``_real`` what real drawings get, with ``_better`` its direction, and with
    ``_worst`` the worst class and its value.

    Args:
        quality: quality.json.
    """
    found: dict[str, str | float] = {}
    by_class = quality.get("per_class", {})
    for name, record in quality.get("metrics", {}).items():
        keys = {"value": name, **{part: f"{name}_{part}" for part in ("low", "high", "real")}}
        found |= {key: float(record[part]) for part, key in keys.items() if _finite(record[part])}
        found[f"{name}_better"] = str(record["direction"])
        own = {label: records[name] for label, records in by_class.items() if name in records}
        if own:
            worst = max(own, key=lambda label: _badness(own[label]))
            found[f"{name}_worst"] = f"{worst} ({own[worst]['value']:.3g})"
    return found


def synthetic_sets(found: Mapping[str, Mapping[str, Any]]) -> dict[str, str | float]:
    """The same of several sets by name, which stands in front of each key.

    Of a single one it does not.
    """
    named = len(found) > 1
    return {
        f"{name}.{key}" if named else key: value
        for name, quality in found.items()
        for key, value in synthetic(quality).items()
    }


def _badness(record: Mapping[str, Any]) -> float:
    value, real = float(record["value"]), float(record["real"])
    if record["direction"] == "as real":
        return abs(value - real)
    return value if record["direction"] == "lower" else -value


def confusion(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> list[list[int]]:
    """(C, C) counts over all seeds, rows are true classes; empty for more than 100 classes.

    Args:
        probabilities: (S, N, C).
        labels: (N,).
    """
    classes = probabilities.shape[-1]
    if classes > MOST_CLASSES:
        return []
    counts = confusion_matrices(probabilities.argmax(axis=-1), labels, classes)
    rows: list[list[int]] = counts.sum(axis=0).tolist()
    return rows


def roc(
    probabilities: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    most: int = MOST_POINTS,
) -> tuple[list[float], list[float], list[float]]:
    """The ROC curve of all classes at once (one against the rest, micro-averaged), all seeds.

    Args:
        probabilities: (S, N, C).
        labels: (N,).
        most: So many points at most; both ends are among them.

    Returns:
        False positive rates, true positive rates and thresholds, all finite; the first point is
        (0, 0), at a threshold that no probability exceeds.
    """
    classes = np.arange(probabilities.shape[-1])
    hits = np.broadcast_to(labels[None, :, None] == classes, probabilities.shape)
    scores = np.asarray(probabilities, np.float64).ravel()
    order = np.argsort(-scores, kind="stable")
    scores, right = scores[order], hits.ravel()[order]
    # One point a distinct score: equal scores are called positive together.
    ends = np.flatnonzero(np.append(np.diff(scores) != 0, True))
    positives = np.cumsum(right)[ends]
    negatives = ends + 1 - positives
    fpr = np.append(0.0, negatives / max(1, negatives[-1]))
    tpr = np.append(0.0, positives / max(1, positives[-1]))
    thresholds = np.append(max(1.0, float(scores[0])), scores[ends])
    chosen = _spread(fpr, tpr, most)
    return _rounded(fpr[chosen]), _rounded(tpr[chosen]), _rounded(thresholds[chosen])


def _spread(fpr: NDArray[np.float64], tpr: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Indices of at most `most` points, spread evenly along the curve."""
    length = np.append(0.0, np.cumsum(np.diff(fpr) + np.diff(tpr)))
    wanted = np.linspace(0.0, length[-1], most)
    return np.unique(np.searchsorted(length, wanted).clip(0, len(length) - 1))


def _rounded(values: NDArray[np.float64]) -> list[float]:
    found: list[float] = np.round(values, 6).tolist()
    return found


def _finite(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
