"""Which set of synthetic images is better, and what each does to the recall of every class."""

from collections.abc import Sequence
from itertools import combinations

from augstudy.results.comparisons import compared, differences
from augstudy.results.comparisons import difference as paired
from augstudy.results.material import ArmResult
from augstudy.results.parts import Compared, Difference
from augstudy.settings.arms import KINDS
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
    """The recall of each class minus that of `real`, by arm and class, where arms answer.

    The p-values are corrected for the number of classes and arms together (Holm). A class without
    test images has none.
    """
    real = next(arm for arm in arms if arm.label == "real")
    asked = [
        (arm, label, real.labels == label)
        for arm in arms
        if arm.arm in KINDS and KINDS[arm.arm].answers and set(arm.seeds) & set(real.seeds)
        for label in range(len(classes))
        if (real.labels == label).any()
    ]
    found = [paired(arm, real, arms, images) for arm, _, images in asked]
    adjusted = holm([item.p_value for item in found])
    made: dict[str, dict[str, Compared]] = {}
    for (arm, label, _), item, p_adjusted in zip(asked, found, adjusted, strict=True):
        record = compared(item, p_adjusted, margin, len(found))
        made.setdefault(arm.label, {})[classes[label]] = record
    return made
