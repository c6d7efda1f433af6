"""What a sweep found: each point against the base, and each finding against what was seen."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from augstudy.stats import verdicts
from augstudy.stats.correction import holm
from augstudy.stats.noise import noise_of
from augstudy.stats.paired import (
    PairedDifference,
    as_differences,
    paired_difference,
    run_difference,
)
from augstudy.stats.scatter import RunScatter, run_scatter
from augstudy.tuning.points import Trained
from augstudy.tuning.sweep import Finding

Judgement = Literal["holds", "does not hold", "can't tell"]
_FALSE_ALARM = 0.05


def with_base(
    points: Sequence[Trained], margin: float, *, together: bool = False
) -> dict[str, dict[str, Any]]:
    """Validation accuracy of each point minus that of the base, by point.

    Points share seeds and images, so differences are paired; how much runs scatter is estimated
    from all points together. An axis is a question, so p-values are corrected (Holm) for the
    points of one axis; points that change several axes are a family of their own.

    Args:
        points: of the sweep, the base first.
        margin: accuracy, as a share, below which a difference does not matter.
        together: whether all points are one family, like the finalists of a search.
    """
    base, *others = points
    runs = _scatter(points, "accuracy")
    found = {item.id: paired_difference(item.correct, base.correct, runs=runs) for item in others}
    records: dict[str, dict[str, Any]] = {}
    families = [list(found)] if together else _families(others).values()
    for family in families:
        adjusted = holm([found[name].p_value for name in family])
        for name, p_adjusted in zip(family, adjusted, strict=True):
            records[name] = _record(found[name], p_adjusted, margin, len(family))
    return {item.id: records[item.id] for item in others}


def findings(
    claims: Sequence[Finding], points: Sequence[Trained], margin: float
) -> list[dict[str, Any]]:
    """Whether each of the findings holds here, with the difference that says so.

    Args:
        claims: the findings; those about points that were not trained cannot be told.
        points: of the sweep.
        margin: see :func:`check_finding`.
    """
    known = {point.id: point for point in points}
    measured = [_measured(claim, known, points) for claim in claims]
    adjusted = holm([item["p"] if item else 1.0 for item in measured])
    records = []
    for claim, item, p_adjusted in zip(claims, measured, adjusted, strict=True):
        record: dict[str, Any] = claim.model_dump(mode="json")
        if item is None:
            record |= {"judgement": "can't tell", "difference": None}
        else:
            several = len(known[claim.point].seeds) > 1
            told = check_finding(claim, item["low"], item["high"], p_adjusted, margin)
            record["judgement"] = told if several else "can't tell"
            record["difference"] = {**item, "p_holm": p_adjusted}
        records.append(record)
    return records


def check_finding(
    finding: Finding, low: float, high: float, p_adjusted: float, margin: float
) -> Judgement:
    """What a 95 % interval of a difference says of a finding.

    - ``higher`` holds where the interval is beyond what was claimed and zero is excluded after
      correction; it does not hold where even the interval's far end falls short of the claim, or,
      if none was put in numbers, of the `margin` that matters. ``lower`` is its mirror image.
    - ``same`` holds where the whole interval is within the `margin`, and does not hold where the
      whole interval is outside.
    - All else cannot be told.

    Args:
        finding: what was claimed.
        low: of the interval of point minus the one it is compared with, a share.
        high: its upper end.
        p_adjusted: of the difference, corrected for the number of findings.
        margin: below which a difference does not matter.
    """
    if finding.expected == "same":
        if -margin < low and high < margin:
            return "holds"
        return "does not hold" if low > margin or high < -margin else "can't tell"
    if finding.expected == "lower":
        low, high = -high, -low
    if low > finding.by and p_adjusted < _FALSE_ALARM:
        return "holds"
    return "does not hold" if high < (finding.by or margin) else "can't tell"


def on_test(chosen: Any, base: Any, points: Sequence[Trained], margin: float) -> dict[str, Any]:
    """The chosen point minus the base on the test images: (S, N) outcomes of either."""
    runs = on_other_images(points, as_differences(chosen, base))
    found = paired_difference(chosen, base, runs=runs)
    return _record(found, found.p_value, margin, 1)


def on_other_images(
    points: Sequence[Trained], differences: npt.NDArray[np.int8]
) -> RunScatter | None:
    """The scatter of runs that all points tell of, for (S, N) differences on test images.

    Over few images accuracies scatter more than over many: what is due to the number of validation
    images (their mean residual) is taken off, and what is due to that of the test images put on.
    """
    found = _scatter(points, "accuracy")
    if found is None:
        return None
    pairs = [as_differences(one.correct, points[0].correct) for one in points[1:]]
    validation = np.mean([noise_of(pair).residual / pair.shape[1] for pair in pairs])
    test = noise_of(differences).residual / differences.shape[1]
    variance = max(0.0, found.variance - float(validation)) + test
    return replace(found, variance=variance) if variance > 0 else None


def _measured(
    claim: Finding, known: Mapping[str, Trained], points: Sequence[Trained]
) -> dict[str, Any] | None:
    """Point minus the one it is compared with, in the metric of the claim."""
    if claim.point not in known or claim.against not in known:
        return None
    one, other = known[claim.point], known[claim.against]
    runs = _scatter(points, claim.metric)
    if claim.metric == "accuracy":
        found = paired_difference(one.correct, other.correct, runs=runs)
        return {"mean": found.mean, "low": found.low, "high": found.high, "p": found.p_value}
    pair = one.by_seed(claim.metric), other.by_seed(claim.metric)
    return dict(zip(("mean", "low", "high", "p"), run_difference(*pair, runs), strict=True))


def _scatter(points: Sequence[Trained], metric: str) -> RunScatter | None:
    return run_scatter(np.array([point.by_seed(metric) for point in points]))


def _families(points: Sequence[Trained]) -> dict[str, list[str]]:
    """Points by the axis that they change; those that change several are together."""
    families: dict[str, list[str]] = {}
    for point in points:
        axes = list(point.chosen)
        families.setdefault(axes[0] if len(axes) == 1 else "", []).append(point.id)
    return families


def _record(
    found: PairedDifference, p_adjusted: float, margin: float, comparisons: int
) -> dict[str, Any]:
    return {
        "mean": found.mean,
        "low": found.low,
        "high": found.high,
        "by_seed": list(found.by_seed),
        "p": found.p_value,
        "p_holm": p_adjusted,
        "comparisons": comparisons,
        "verdict": verdicts.verdict(found, p_adjusted, margin),
        "seeds": found.seeds,
        "images": found.images,
    }
