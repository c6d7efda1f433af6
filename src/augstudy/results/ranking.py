"""Which set of synthetic images is better, and what each arm does to the recall of every class."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from augstudy.results.comparisons import compared, differences, learnt
from augstudy.results.comparisons import difference as paired
from augstudy.results.material import ArmResult
from augstudy.results.models import WorstClass
from augstudy.results.parts import Compared, Difference
from augstudy.stats.correction import holm


def between_sets(arms: Sequence[ArmResult], margin: float) -> list[Difference]:
    """Arms of one kind and share that use different sets, each pair the better one first.

    They are a family of comparisons of their own, corrected for their number (Holm).
    """
    ranked = sorted((arm for arm in arms if arm.set), key=lambda arm: (-arm.value, arm.label))
    pairs = [
        (arm, other)
        for arm, other in combinations(ranked, 2)
        if (arm.arm, arm.share, arm.name) == (other.arm, other.share, other.name)
        if set(arm.seeds) & set(other.seeds)
    ]
    return differences(pairs, arms, margin)


def recalls(
    arms: Sequence[ArmResult], classes: Sequence[str], margin: float
) -> dict[str, dict[str, Compared]]:
    """The recall of each class minus that of `real`, by arm and class.

    The p-values of an arm are corrected for the number of classes (Holm): each arm is a question of
    its own. A class without test images has none.
    """
    real, others = _real_and_others(arms)
    tested = [label for label in range(len(classes)) if (real.labels == label).any()]
    return {arm.label: _recalls(arm, real, arms, classes, tested, margin) for arm in others}


def _recalls(
    arm: ArmResult,
    real: ArmResult,
    arms: Sequence[ArmResult],
    classes: Sequence[str],
    tested: Sequence[int],
    margin: float,
) -> dict[str, Compared]:
    found = [paired(arm, real, arms, real.labels == label) for label in tested]
    adjusted = holm([item.p_value for item in found])
    both = learnt(arm, real)
    return {
        classes[label]: compared(item, p_adjusted, margin, len(found), both)
        for label, item, p_adjusted in zip(tested, found, adjusted, strict=True)
    }


def worst_classes(
    arms: Sequence[ArmResult], classes: Sequence[str], margin: float
) -> dict[str, WorstClass]:
    """The recall of the worst class minus that of `real`, by arm.

    It is the class with the least recall of the arm and `real` together. That of `real` alone would
    be, more often than not, a class which it had bad luck with: any other arm would seem to help
    it. Their sum tells next to nothing of their difference, so nothing is to be corrected for
    having chosen among classes; p-values are corrected for the number of arms (Holm).
    """
    real, others = _real_and_others(arms)
    chosen = [_worst(arm, real, len(classes)) for arm in others]
    found = [
        paired(arm, real, arms, real.labels == label)
        for arm, label in zip(others, chosen, strict=True)
    ]
    adjusted = holm([item.p_value for item in found])
    return {
        arm.label: WorstClass(
            label=classes[label],
            difference=compared(item, p_adjusted, margin, len(found), learnt(arm, real)),
        )
        for arm, label, item, p_adjusted in zip(others, chosen, found, adjusted, strict=True)
    }


def _real_and_others(arms: Sequence[ArmResult]) -> tuple[ArmResult, list[ArmResult]]:
    real = next(arm for arm in arms if arm.label == "real")
    others = [arm for arm in arms if arm is not real and set(arm.seeds) & set(real.seeds)]
    return real, others


def _worst(arm: ArmResult, real: ArmResult, classes: int) -> int:
    both = arm.correct.mean(axis=0) + real.correct.mean(axis=0)
    images = np.bincount(real.labels, minlength=classes)
    right = np.bincount(real.labels, both, minlength=classes)
    recall = np.divide(right, images, out=np.full(classes, np.inf), where=images > 0)
    return int(recall.argmin())
