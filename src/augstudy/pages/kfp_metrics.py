"""Results in the shapes that a KFP dashboard can draw and compare; plain values, no KFP.

Only the last step of a run reports ``Metrics``, so that the dashboard's table has one column per
run. It sorts rows by how many columns have them, then by name, so names begin with numbers: what a
run found comes first, in words, and then what it rests on. Metadata travels in requests and command
lines, so it is kept small; a number that is not finite would end the step.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augstudy.metrics.classification import confusion_matrices
from augstudy.pages import answers, readings, stability, verdicts, wording
from augstudy.pages.formats import points
from augstudy.results.files import AnySummary
from augstudy.results.models import GeneratorSweep, Retraining, Study, Sweep
from augstudy.results.parts import Compared, Difference
from augstudy.stats.codes import SCORES

MOST_SCALARS = 60
MOST_POINTS = 100
MOST_CLASSES = 100
_DIGITS = 4

Value = str | float
Rows = Iterator[tuple[str, Value | None]]


def scalars(found: AnySummary | Retraining, most: int = MOST_SCALARS) -> dict[str, Value]:
    """What a run found as the rows of a table, in their order; the last ones left out.

    Accuracies are in per cent, differences in percentage points, and numbers have four significant
    digits.

    Args:
        found: what it found.
        most: so many rows at most.
    """
    if isinstance(found, Retraining):
        rows = _decided(found)
    elif isinstance(found, Study):
        rows = _studied(found)
    else:
        rows = _swept(found) if isinstance(found, Sweep) else _generated(found)
    known = {name: value for name, value in rows if value is not None}
    kept = sorted(name for name in known if _shown(known[name]))[:most]
    return {name: _rounded(known[name]) for name in kept}


def _studied(found: Study) -> Rows:
    label = found.headline.arm
    yield from _answer(found)
    yield "03 arm", label
    if label is not None:
        yield from _changed(found.differences[label], "real", label)
        yield "08 arm, %", 100 * found.score(label).value
    yield "07 real, %", 100 * found.score("real").value
    yield from _measured(found)
    yield "14 detectable, points", 100 * found.power.detectable
    for name in found.arms:
        yield f"20 {name}, %", 100 * found.score(name).value
    for name, item in found.differences.items():
        yield from _difference(3, name, item, found.margin)
    for item in found.pairs:
        yield from _difference(4, f"{item.arm} over {item.against}", item, found.margin)
    for own, made in found.sets.items():
        what = f" {own}" if len(found.sets) > 1 else ""
        if told := made.stability:
            more = "" if told.verdict == "stable" else f". {stability.reason(told.model_dump())}"
            yield f"50 generator{what}", f"{told.verdict}{more}"
        for name, figure in (made.quality.metrics if made.quality else {}).items():
            yield f"51 synthetic{what}, {readings.figure(name).title}", figure.value


def _swept(found: Sweep) -> Rows:
    test, score = found.test, SCORES[found.metric]
    yield from _answer(found)
    yield "03 point", found.chosen
    yield from _changed(test.difference, "base", found.chosen)
    yield "07 base, %", 100 * test.base[score].value
    yield "08 point, %", 100 * test.chosen[score].value
    yield from _measured(found)
    told = [item.judgement for item in found.findings]
    yield "20 points", len(found.points)
    if found.search:
        yield "21 trials", len(found.search.trials)
        yield "22 trials stopped early", found.search.pruned
    if told:
        yield "23 findings that hold", told.count("holds")
        yield "24 findings that do not", told.count("does not hold")
    for name, item in found.points.items():
        yield f"30 {name}, validation %", 100 * item.val_accuracy


def _generated(found: GeneratorSweep) -> Rows:
    yield from _answer(found)
    yield "03 point", found.chosen
    if found.chosen:
        for metric, item in found.points[found.chosen].metrics.items():
            yield f"04 {metric}", item.mean
    yield "11 level", found.data.level
    yield "12 seeds", len(found.seeds)
    yield "20 points", len(found.points)
    yield "21 points that train stably", sum(item.stable for item in found.points.values())
    for name, point in found.points.items():
        yield (
            f"30 {name}, {found.metric}",
            (point.metrics[found.metric].mean if found.metric in point.metrics else None),
        )


def _decided(found: Retraining) -> Rows:
    yield "01 decision", "promoted" if found.promoted else "held"
    yield "02 why", verdicts.promotion(found)
    yield "03 champion", found.champion
    if compared := found.comparison:
        yield "04 gain, points", 100 * compared.difference
        yield "05 gain, 95 % interval", _span(compared.low, compared.high)
        yield "07 champion before, %", 100 * compared.champion
        yield "08 challenger, %", 100 * compared.challenger
        yield "10 metric", readings.metric(compared.metric).text
        yield "12 seeds", compared.seeds
        yield "13 test images", compared.images
        yield "14 test images left out", compared.excluded
    for name, index in found.drift.items():
        yield f"20 drift, {name}", index


def _answer(found: AnySummary) -> Rows:
    said = answers.answer(found)
    yield "01 answer", said.answer
    yield "02 why", said.sentence


def _changed(found: Compared, base: str, name: str) -> Rows:
    """The difference that the answer is about; none where what it is about is the base itself."""
    if name != base:
        yield "04 gain, points", 100 * found.mean
        yield "05 gain, 95 % interval", _span(found.low, found.high)
        yield "06 p", found.p_holm


def _measured(found: Study | Sweep) -> Rows:
    yield "10 metric", readings.metric(found.metric).text
    yield "11 level", found.data.level
    yield "12 draws", found.data.draws if found.data.draws > 1 else None
    yield "12 seeds", found.seeds_each
    yield "13 test images", found.data.images["test"]


def _difference(part: int, what: str, found: Difference, margin: float) -> Rows:
    """A difference in points, and in words; the dashboard cuts names after some 22 characters."""
    yield f"{part}0 gain of {what}, points", 100 * found.mean
    word = f"{verdicts.outcome(found.alone, margin)}, p {wording.p_text(found.p_holm)}"
    yield f"{part}1 verdict on {what}", f"{wording.change(found)}: {word}"


def _span(low: float, high: float) -> str:
    return f"{points(low)} to {points(high)}"


def _shown(value: Value | None) -> bool:
    return isinstance(value, str) or (value is not None and math.isfinite(value))


def _rounded(value: Value) -> Value:
    return value if isinstance(value, str) else float(f"{value:.{_DIGITS}g}")


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
    return _listed(fpr[chosen]), _listed(tpr[chosen]), _listed(thresholds[chosen])


def _spread(fpr: NDArray[np.float64], tpr: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Indices of at most `most` points, spread evenly along the curve."""
    length = np.append(0.0, np.cumsum(np.diff(fpr) + np.diff(tpr)))
    wanted = np.linspace(0.0, length[-1], most)
    return np.unique(np.searchsorted(length, wanted).clip(0, len(length) - 1))


def _listed(values: NDArray[np.float64]) -> list[float]:
    found: list[float] = np.round(values, 6).tolist()
    return found
