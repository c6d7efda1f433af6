"""Which arm is compared with which, and what each comparison found."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from augstudy.results.material import ArmResult
from augstudy.results.parts import Compared, Difference, Ends, OneRun, Sources
from augstudy.settings.arms import KINDS
from augstudy.stats import verdicts
from augstudy.stats.balance import balance_of
from augstudy.stats.correction import holm
from augstudy.stats.draws import Draws, by_draw
from augstudy.stats.paired import ENDS, PairedDifference, by_run, paired_difference
from augstudy.stats.power import detectable, halving
from augstudy.stats.scatter import run_scatter
from augstudy.stats.sequential import at_look, level_at
from augstudy.stats.units import Units
from augstudy.stats.usual import mcnemar, two_way_bootstrap


def with_real(arms: Sequence[ArmResult], margin: float) -> dict[str, Difference]:
    """The metric of each arm minus that of `real`, over the seeds both have, by label.

    The p-values are corrected for the number of arms (Holm).

    Args:
        arms: those of a study, `real` among them.
        margin: share below which a difference does not matter.
    """
    real = next(arm for arm in arms if arm.label == "real")
    others = [arm for arm in arms if arm is not real]
    records = differences([(arm, real) for arm in others], arms, margin)
    return {arm.label: record for arm, record in zip(others, records, strict=True)}


def difference(
    arm: ArmResult,
    other: ArmResult,
    arms: Sequence[ArmResult],
    images: NDArray[np.bool_] | None = None,
) -> PairedDifference:
    """The metric of `arm` minus that of `other`, whose metric it is, over the seeds both have.

    In a study that may stop early, interval and p-value allow for its other looks.

    Args:
        arm: evaluated on the test images of `other`; they have a seed in common.
        other: what it is compared with.
        arms: all of the study, these two among them: they tell how training runs scatter.
        images: (N,), those to compare on; by default all.
    """
    seeds = _shared_seeds(arm, other)
    kept = np.ones(len(other.labels), bool) if images is None else images
    groups, folds = (it if it is None else it[kept] for it in (other.groups, other.fold))
    balance = balance_of(other.metric, other.labels[kept])
    units = Units.of(int(kept.sum()), balance, groups, folds)
    draws = _draws(other, seeds)
    outcomes = (_correct(item, seeds, images) for item in arms if set(seeds) <= set(item.seeds))
    repeated = (by_draw(correct, draws) for correct in outcomes)
    scatter = run_scatter(np.array([by_run(correct, units) for correct in repeated]))
    pair = _correct(arm, seeds, images), _correct(other, seeds, images)
    found = paired_difference(
        *pair, runs=scatter, balance=balance, groups=groups, folds=folds, draws=draws
    )
    return at_look(found, other.looks)


def between_arms(arms: Sequence[ArmResult], margin: float) -> list[Difference]:
    """Arms minus the arms they differ from by one thing, such as `add_filtered` minus `add`.

    They are a family of comparisons of their own: asking more here does not make the answers
    about `real` weaker. Arms with names of their own may differ in more than that and are left
    out; so are arms with more steps where all others have equal steps.
    """
    usual = [arm for arm in arms if arm.name is None]
    found = [
        (arm, other)
        for arm in usual
        for kind in (KINDS[name] for name in _against(arm))
        if not kind.longer or KINDS[arm.arm].first or arm.training[0]["budget"] == "epochs"
        for other in usual
        if other.arm == kind.name and _is_alike(arm, other)
        if set(arm.seeds) & set(other.seeds)
    ]
    return differences(found, arms, margin)


def learnt(arm: ArmResult, other: ArmResult) -> tuple[bool, bool]:
    """Whether either of two arms does better than guessing."""
    one, two = (
        verdicts.has_learnt(item.correct, item.labels, item.groups) for item in (arm, other)
    )
    return one, two


def compared(
    found: PairedDifference,
    p_adjusted: float,
    margin: float,
    comparisons: int,
    learnt: tuple[bool, bool] = (True, True),
) -> Compared:
    """A difference with the verdict on it.

    Args:
        found: the difference.
        p_adjusted: its p-value, corrected for the number of comparisons.
        margin: share below which a difference does not matter.
        comparisons: that were made together.
        learnt: whether either of the two does better than guessing, as far as that is known.
    """
    return Compared(
        mean=found.mean,
        low=found.low,
        high=found.high,
        p=found.p_value,
        p_holm=p_adjusted,
        by_seed=found.by_seed,
        comparisons=comparisons,
        verdict=verdicts.verdict(found, p_adjusted, margin, learnt),
        seeds=found.seeds,
        images=found.images,
        draws=found.draws,
    )


def _is_alike(arm: ArmResult, other: ArmResult) -> bool:
    """Whether two arms, compared by their kinds, agree in set, share or steps.

    One that trains on synthetic images first makes twice the steps of `real`; one that uses a whole
    set is compared with any share.
    """
    if KINDS[other.arm].longer and KINDS[arm.arm].first:
        return other.share == 1.0
    return other.set in (None, arm.set) and (
        other.share is None or arm.share is None or other.share == arm.share
    )


def _against(arm: ArmResult) -> tuple[str, ...]:
    return KINDS[arm.arm].against if arm.arm in KINDS else ()


def differences(
    chosen: Sequence[tuple[ArmResult, ArmResult]], arms: Sequence[ArmResult], margin: float
) -> list[Difference]:
    """The first arm of each pair minus the second, corrected for the number of pairs (Holm).

    Args:
        chosen: pairs with a seed in common.
        arms: all of the study.
        margin: share below which a difference does not matter.
    """
    found = [difference(arm, other, arms) for arm, other in chosen]
    adjusted = holm([item.p_value for item in found])
    return [
        _record(arm, other, item, p_adjusted, margin, len(found))
        for (arm, other), item, p_adjusted in zip(chosen, found, adjusted, strict=True)
    ]


def _shared_seeds(arm: ArmResult, other: ArmResult) -> list[int]:
    return [seed for seed in arm.seeds if seed in other.seeds]


def _draws(arm: ArmResult, seeds: Sequence[int]) -> Draws:
    """The draws of some of its seeds."""
    return None if arm.draw is None else arm.draw[[arm.seeds.index(seed) for seed in seeds]]


def _correct(
    arm: ArmResult, seeds: Sequence[int], images: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """What an arm got right with these seeds, on these images: (S, N)."""
    chosen = arm.correct[[arm.seeds.index(seed) for seed in seeds]]
    return chosen if images is None else chosen[:, images]


def _record(
    arm: ArmResult,
    other: ArmResult,
    found: PairedDifference,
    p_adjusted: float,
    margin: float,
    comparisons: int,
) -> Difference:
    seeds = _shared_seeds(arm, other)
    outcomes = _correct(arm, seeds), _correct(other, seeds)
    tests = zip(seeds, found.by_seed, mcnemar(*outcomes), strict=True)
    plain = two_way_bootstrap(
        *outcomes, balance=other.balance, groups=other.groups, draws=_draws(other, seeds)
    )
    low, high = np.quantile(plain, ENDS)
    judged = compared(found, p_adjusted, margin, comparisons, learnt(arm, other))
    guessed = judged.verdict == "at chance"
    error = level_at(other.looks, found.seeds_each)
    return Difference(
        **judged.model_dump(),
        metric=other.metric,
        arm=arm.label,
        against=other.label,
        needs=None if guessed else verdicts.needs(found, margin, comparisons, error),
        mcnemar=tuple(
            OneRun(seed=seed, difference=mean, gained=test.gained, lost=test.lost, p=test.p_value)
            for seed, mean, test in tests
        ),
        bootstrap=Ends(low=float(low), high=float(high)),
        detectable=detectable(
            found.noise,
            found.seeds_each,
            found.images,
            comparisons,
            error=error,
            draws=found.draws,
        ),
        sources=_sources(found),
    )


def _sources(found: PairedDifference) -> Sources | None:
    """Where the uncertainty of a difference comes from; with one seed it is all of images."""
    if found.seeds == 1:
        return None
    counts = found.seeds_each, found.images, found.draws
    images, runs, draws = found.noise.variances(*counts)
    return Sources(
        images=images,
        runs=runs,
        draws=draws if found.draws > 1 else None,
        halve=halving(found.noise, *counts),
    )
