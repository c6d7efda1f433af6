"""Simulated studies whose truth is known, and what intervals say of them.

An image has an ease, and a classifier gets it right if the sum of that ease and of what its arm,
its training run and chance add is above zero. All parts are normal, so that true accuracies have
closed forms. Our intervals and verdicts are made as in ``augstudy.results.comparisons``, from the
same functions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from augstudy.core import rng
from augstudy.core.arrays import Floats
from augstudy.stats.balance import Balance, balance_of, mean_of, metric_of, strata
from augstudy.stats.correction import holm
from augstudy.stats.draws import Draws, by_draw
from augstudy.stats.paired import (
    CONFIDENCE,
    ENDS,
    Outcomes,
    PairedDifference,
    as_differences,
    by_run,
    paired_difference,
    run_difference,
)
from augstudy.stats.power import assumed_noise
from augstudy.stats.scatter import run_scatter
from augstudy.stats.sequential import at_look
from augstudy.stats.units import Folds, Groups, Units
from augstudy.stats.usual import two_way_bootstrap
from augstudy.stats.verdicts import verdict

Chosen = NDArray[np.bool_]  # images (N,)

# An accuracy of 0.8, where two runs of different arms disagree on 12 % of the images and a fifth of
# that is systematic: what augstudy.stats.power assumes.
EASE, TASTE, NOISE = 0.9, 0.243, 0.325
POINT = 0.01 / 0.261  # what changes the accuracy by one point
ASSUMED_RUNS = 100 * math.sqrt(assumed_noise().run / 2)  # of one arm, in points
# Shares of the variance of ease, taste and chance that images of a group have in common.
ALIKE = (0.5, 0.8, 0.2)


@dataclass(frozen=True)
class Study:
    """What a simulated study saw, and the truth.

    Args:
        correct: (A, S, N), whether each run of each arm got each image right, draw by draw.
        given: (A, N), how often classifiers that learn from these training sets do; with one seed,
            these classifiers alone.
        overall: (A, N), the same with other training sets and runs.
    """

    correct: Outcomes
    given: Floats
    overall: Floats


@dataclass(frozen=True)
class Case:
    """A kind of study. Standard deviations are in points of accuracy.

    Args:
        seeds: training runs of each arm, in each draw.
        classes: test images of each class.
        sizes: of the groups that images are in; empty where each image is its own.
        parts: folds in which images are tested; 1 for one split.
        arms: of which the first is compared with all others.
        per_class: whether the recall of each class is compared, which runs then change as well.
        runs: standard deviation between training runs of an arm.
        alike: the same of what runs of a seed have in common in all folds.
        training: standard deviation between training sets, in each arm.
        draws: repetitions of the split and of the generators.
        drawn: standard deviation between draws of what all runs of an arm have in common; in folds
            it is that of each fold.
    """

    seeds: int = 5
    classes: tuple[int, ...] = (80,) * 5
    sizes: tuple[int, ...] = ()
    parts: int = 1
    arms: int = 2
    per_class: bool = False
    runs: float = 1.0
    alike: float = 0.0
    training: float = 0.0
    draws: int = 1
    drawn: float = 0.0

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The class of each image."""
        return np.repeat(np.arange(len(self.classes)), self.classes)

    @cached_property
    def groups(self) -> Groups:
        """The group of each image."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes) if self.sizes else None

    @cached_property
    def folds(self) -> Folds:
        """The fold of each image; a group is in one."""
        if self.parts == 1:
            return None
        return (np.arange(sum(self.classes)) if self.groups is None else self.groups) % self.parts

    @cached_property
    def draw_of(self) -> Draws:
        """The draw of each training run."""
        return None if self.draws == 1 else np.repeat(np.arange(self.draws), self.seeds)

    def shift(self, size: float) -> float:
        """What must be added to ease for the accuracy to be higher by `size`, a share."""
        base = stats.norm.cdf(EASE / self._spread)
        return float(stats.norm.ppf(base + size) * self._spread - EASE)

    def draw(self, size: float, generator: np.random.Generator) -> Study:
        """A study in which every second arm, or class, is better by about `size`, a share.

        Where `size` is 0, all arms learn the same from a training set, so that nothing differs.
        """
        made = (self.arms, self.draws * self.seeds)
        part = np.zeros_like(self.labels) if self.folds is None else self.folds
        better = np.zeros((self.arms, len(self.classes)))
        better[1::2, :: 2 if self.per_class else 1] = self.shift(size)
        usual = EASE + better[:, self.labels]
        learnt = usual + self._learnt(size, generator)[:, part]
        luck = generator.normal(0, POINT * self.runs, (*made, self.parts))[..., part]
        luck = luck + generator.normal(0, POINT * self.alike, (*made, 1))
        if self.draws > 1:
            drawn = generator.normal(0, POINT * self.drawn, (self.arms, self.draws, self.parts))
            luck = luck + np.repeat(drawn, self.seeds, axis=1)[..., part]
        if self.per_class:
            every = (*made, len(self.classes))
            luck = luck + generator.normal(0, POINT * self.runs, every)[..., self.labels]
        ease = self._together(ALIKE[0], (), generator)
        taste = TASTE * self._together(ALIKE[1], (self.arms,), generator)
        chance = NOISE * self._together(ALIKE[2], made, generator)
        correct = (learnt + ease + taste)[:, None] + luck + chance > 0
        spread = self._spread
        if self.seeds == 1 and self.draws == 1:
            learnt, spread = learnt + luck[:, 0], math.sqrt(spread**2 - self._luck)
        wide = math.hypot(self._spread, POINT * self.training)
        return Study(correct, stats.norm.cdf(learnt / spread), stats.norm.cdf(usual / wide))

    def _together(
        self, share: float, made: tuple[int, ...], generator: np.random.Generator
    ) -> Floats:
        """Standard normal numbers (..., N); groups have a share of the variance in common."""
        own = generator.normal(size=(*made, sum(self.classes)))
        if self.groups is None:
            return own
        common = generator.normal(size=(*made, len(self.sizes)))[..., self.groups]
        return np.asarray(math.sqrt(share) * common + math.sqrt(1 - share) * own)

    def _learnt(self, size: float, generator: np.random.Generator) -> Floats:
        """What training sets add, (A, K): that of a fold is the mean of all other folds' parts."""
        arms, spread, parts = self.arms if size else 1, POINT * self.training, self.parts
        found = generator.normal(0, spread * math.sqrt(max(1, parts - 1)), (arms, parts))
        if parts > 1:
            found = (found.sum(axis=1, keepdims=True) - found) / (parts - 1)
        return np.broadcast_to(found, (self.arms, parts))

    @cached_property
    def _luck(self) -> float:
        """Variance of what training runs add."""
        own = self.runs**2 * (2 if self.per_class else 1) + self.alike**2
        return POINT**2 * (own + (self.drawn**2 if self.draws > 1 else 0.0))

    @cached_property
    def _spread(self) -> float:
        return math.sqrt(1 + TASTE**2 + NOISE**2 + self._luck)


@dataclass(frozen=True)
class Compared:
    """One comparison of a study: an arm with the first, on all images or on those of a class.

    Args:
        truth: the difference that intervals are about.
        overall: the same with other training sets and runs.
        verdict: of the product, corrected for all comparisons of the study.
        intervals: the product's (``ours``) and those that others report, from a bootstrap over
            images alone (``images``), one over images and runs (``two_way``), and Student's t over
            runs alone (``runs``).
    """

    truth: float
    overall: float
    verdict: str
    intervals: dict[str, tuple[float, float]]


def compared(case: Case, size: float, resamples: int, *seed: int) -> list[Compared]:
    """What is found in all comparisons of one study.

    Args:
        case: the kind of study.
        size: see :meth:`Case.draw`.
        resamples: of every bootstrap.
        seed: of the study, and of the resampling.
    """
    study, every = case.draw(size, rng.generator(*seed)), np.ones(len(case.labels), bool)
    chosen = [(arm, every) for arm in range(1, case.arms)]
    if case.per_class:
        chosen = [(1, case.labels == label) for label in range(len(case.classes))]
    found = [paired(case, study.correct, *pair, resamples, seed[-1]) for pair in chosen]
    adjusted = holm([item.p_value for item in found])
    rows = []
    for (arm, images), item, p_adjusted in zip(chosen, found, adjusted, strict=True):
        truth, overall = (
            float(np.subtract(*mean_of(it[[arm, 0]][:, images], _balance(case, images))))
            for it in (study.given, study.overall)
        )
        usual = usual_intervals(case, study.correct[[arm, 0]], images, resamples, seed[-1])
        intervals = {"ours": (item.low, item.high), **usual}
        rows.append(Compared(truth, overall, verdict(item, p_adjusted), intervals))
    return rows


def sees(case: Case, size: float, resamples: int, *seed: int) -> bool:
    """Whether a study finds that the second arm is better, after Holm's worst case."""
    study, every = case.draw(size, rng.generator(*seed)), np.ones(len(case.labels), bool)
    found = paired(case, study.correct, 1, every, resamples, seed[-1])
    return found.mean > 0 and (case.arms - 1) * found.p_value < 1 - CONFIDENCE


@dataclass(frozen=True)
class Stopped:
    """How a study ended that is looked at after every round of seeds, and stops once it can tell.

    Args:
        seeds: that it took.
        helps: share of its comparisons that ended with "helps".
        clear: whether any comparison was said to help or hurt, at any of its looks.
        naive: the same if intervals did not allow for having looked often.
    """

    seeds: int
    helps: float
    clear: bool
    naive: bool


def stopped(case: Case, size: float, resamples: int, *seed: int, looks: Sequence[int]) -> Stopped:
    """How a study ends that may take as many seeds as `case` has, see :class:`Stopped`."""
    study, every = case.draw(size, rng.generator(*seed)), np.ones(len(case.labels), bool)
    clear, naive = False, False
    for look in looks:
        so_far = replace(case, seeds=look)
        correct = study.correct[:, np.arange(case.draws * case.seeds) % case.seeds < look]
        found = [
            paired(so_far, correct, arm, every, resamples, seed[-1]) for arm in range(1, case.arms)
        ]
        said = _verdicts([at_look(item, looks) for item in found])
        clear = clear or bool({"helps", "hurts"} & set(said))
        naive = naive or bool({"helps", "hurts"} & set(_verdicts(found)))
        if "can't tell yet" not in said:
            break
    return Stopped(look, said.count("helps") / len(said), clear, naive)


def _verdicts(found: Sequence[PairedDifference]) -> list[str]:
    adjusted = holm([item.p_value for item in found])
    return [verdict(item, p_value) for item, p_value in zip(found, adjusted, strict=True)]


def paired(
    case: Case, correct: Outcomes, arm: int, images: Chosen, resamples: int, seed: int
) -> PairedDifference:
    """The product's comparison of an arm with the first; all arms tell how runs scatter."""
    balance, kept = _balance(case, images), correct[..., images]
    groups, folds = (None if it is None else it[images] for it in (case.groups, case.folds))
    units = Units.of(kept.shape[-1], balance, groups, folds)
    draws = case.draw_of
    runs = run_scatter(np.array([by_run(by_draw(one, draws), units) for one in kept]))
    pair = kept[arm], kept[0]
    return paired_difference(*pair, resamples, seed, runs, balance, groups, folds, draws)


def usual_intervals(
    case: Case, pair: Outcomes, images: Chosen, resamples: int, seed: int
) -> dict[str, tuple[float, float]]:
    """Those of :class:`Compared` that others report, of two arms' outcomes (2, S, N)."""
    balance, kept = _balance(case, images), pair[..., images]
    one, other = kept
    groups = None if case.groups is None else case.groups[images]
    draws = {
        "images": images_alone(one, other, resamples, seed, balance),
        "two_way": two_way_bootstrap(one, other, resamples, seed, balance, groups, case.draw_of),
    }
    found = {name: tuple(np.quantile(drawn, ENDS).tolist()) for name, drawn in draws.items()}
    if len(one) > 1:
        found["runs"] = run_difference(*mean_of(kept, balance))[1:3]
    return found


def images_alone(
    correct_a: Outcomes, correct_b: Outcomes, resamples: int, seed: int, balance: Balance
) -> Floats:
    """Mean differences of resamples of images, each its own, for the runs that there are: (B,)."""
    difference, found = as_differences(correct_a, correct_b), np.zeros(resamples)
    generator, classes = rng.generator(seed), strata(balance, correct_a.shape[1])
    for rows in classes:
        means, times = np.unique(difference[:, rows].mean(axis=0), return_counts=True)
        drawn = generator.multinomial(len(rows), times / len(rows), resamples)
        found += drawn @ means / len(rows) / len(classes)
    return found


def held(studies: Sequence[Sequence[Compared]], name: str, overall: bool = False) -> float:
    """How often intervals of a name held the truth, as a share of all comparisons."""
    rows = [row for study in studies for row in study]
    truths = [row.overall if overall else row.truth for row in rows]
    ends = [row.intervals[name] for row in rows]
    return float(np.mean([low <= at <= high for at, (low, high) in zip(truths, ends, strict=True)]))


def misjudged(studies: Sequence[Sequence[Compared]]) -> float:
    """The share of studies that say "helps" or "hurts" where that is not the truth, even once."""
    wrong = [
        any(
            (row.verdict == "helps" and row.truth <= 0)
            or (row.verdict == "hurts" and row.truth >= 0)
            for row in study
        )
        for study in studies
    ]
    return float(np.mean(wrong))


def _balance(case: Case, images: Chosen) -> Balance:
    """Classes, where the metric that the product chooses needs them."""
    return balance_of(metric_of("auto", case.labels), case.labels[images])
