"""What a sweep found: each point against the base, and each finding against what was seen."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from augstudy.results.comparisons import compared, learnt
from augstudy.results.material import ArmResult
from augstudy.results.models import Finding
from augstudy.results.parts import Compared, Corrected, Tested
from augstudy.stats import verdicts
from augstudy.stats.balance import Balance
from augstudy.stats.correction import holm
from augstudy.stats.noise import noise_of
from augstudy.stats.paired import (
    as_differences,
    paired_difference,
    run_difference,
)
from augstudy.stats.scatter import RunScatter, run_scatter
from augstudy.tuning.points import Trained
from augstudy.tuning.sweep import Finding as Claim


def with_base(
    points: Sequence[Trained], margin: float, *, together: bool = False
) -> dict[str, Compared]:
    """The metric of each point minus that of the base on validation images, by point.

    Points share seeds and images, so differences are paired; how much runs scatter is estimated
    from all points together. An axis is a question, so p-values are corrected (Holm) for the
    points of one axis; points that change several axes are a family of their own.

    Args:
        points: of the sweep, the base first.
        margin: share below which a difference does not matter.
        together: whether all points are one family, like the finalists of a search.
    """
    base, *others = points
    runs = _scatter(points, "accuracy")
    found = {
        item.id: paired_difference(item.correct, base.correct, runs=runs, balance=base.balance)
        for item in others
    }
    records: dict[str, Compared] = {}
    families = [list(found)] if together else _families(others).values()
    for family in families:
        adjusted = holm([found[name].p_value for name in family])
        for name, p_adjusted in zip(family, adjusted, strict=True):
            records[name] = compared(found[name], p_adjusted, margin, len(family))
    return {item.id: records[item.id] for item in others}


def findings(claims: Sequence[Claim], points: Sequence[Trained], margin: float) -> list[Finding]:
    """Whether each of the claims holds here, with the difference that says so.

    Args:
        claims: those about points that were not trained cannot be told.
        points: of the sweep.
        margin: see :func:`augstudy.stats.verdicts.judge`.
    """
    known = {point.id: point for point in points}
    measured = [_measured(claim, known, points) for claim in claims]
    adjusted = holm([item.p if item else 1.0 for item in measured])
    return [
        _finding(claim, item, p_adjusted, margin, several=len(points[0].seeds) > 1)
        for claim, item, p_adjusted in zip(claims, measured, adjusted, strict=True)
    ]


def _finding(
    claim: Claim, found: Tested | None, p_adjusted: float, margin: float, *, several: bool
) -> Finding:
    asked = claim.model_dump()
    if found is None:
        return Finding(**asked, judgement="can't tell", difference=None)
    told = verdicts.judge(claim.expected, claim.by, found.low, found.high, p_adjusted, margin)
    return Finding(
        **asked,
        judgement=told if several else "can't tell",
        difference=Corrected(**found.model_dump(), p_holm=p_adjusted),
    )


def on_test(
    chosen: ArmResult, base: ArmResult, points: Sequence[Trained], margin: float
) -> Compared:
    """The chosen point minus the base on the test images."""
    pair, balance = (chosen.correct, base.correct), base.balance
    runs = on_other_images(points, as_differences(*pair), balance)
    found = paired_difference(*pair, runs=runs, balance=balance)
    return compared(found, found.p_value, margin, 1, learnt(chosen, base))


def on_other_images(
    points: Sequence[Trained], differences: npt.NDArray[np.int8], balance: Balance = None
) -> RunScatter | None:
    """The scatter of runs that all points tell of, for (S, N) differences on test images.

    Over few images accuracies scatter more than over many: what is due to the number of validation
    images (their mean residual) is taken off, and what is due to that of the test images put on.
    """
    found = _scatter(points, "accuracy")
    if found is None:
        return None
    pairs = [as_differences(one.correct, points[0].correct) for one in points[1:]]
    own = points[0].balance
    validation = np.mean([noise_of(pair, own).residual / pair.shape[1] for pair in pairs])
    test = noise_of(differences, balance).residual / differences.shape[1]
    variance = max(0.0, found.variance - float(validation)) + test
    return replace(found, variance=variance) if variance > 0 else None


def _measured(
    claim: Claim, known: Mapping[str, Trained], points: Sequence[Trained]
) -> Tested | None:
    """Point minus the one it is compared with, in the metric of the claim."""
    if claim.point not in known or claim.against not in known:
        return None
    one, other = known[claim.point], known[claim.against]
    runs = _scatter(points, claim.metric)
    if claim.metric == "accuracy":
        pair = one.correct, other.correct
        found = paired_difference(*pair, runs=runs, balance=other.balance)
        return Tested(mean=found.mean, low=found.low, high=found.high, p=found.p_value)
    figures = one.by_seed(claim.metric), other.by_seed(claim.metric)
    mean, low, high, p_value = run_difference(*figures, runs)
    return Tested(mean=mean, low=low, high=high, p=p_value)


def _scatter(points: Sequence[Trained], metric: str) -> RunScatter | None:
    return run_scatter(np.array([point.by_seed(metric) for point in points]))


def _families(points: Sequence[Trained]) -> dict[str, list[str]]:
    """Points by the axis that they change; those that change several are together."""
    families: dict[str, list[str]] = {}
    for point in points:
        axes = list(point.chosen)
        families.setdefault(axes[0] if len(axes) == 1 else "", []).append(point.id)
    return families
