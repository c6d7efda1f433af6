"""What the share of an arm comes to in images: all that is rounded is rounded here."""

import math
from collections.abc import Sequence

from augstudy.settings.arms import Arm

CANDIDATES = 4  # images made for each one that an arm wants, if it chooses or changes them


def images(share: float | None, real: int) -> int:
    """Images of a class that a `share` of `real` ones is: the nearest number, half to even."""
    return round((share or 0.0) * real)


def of_each(share: float | None, real: Sequence[int]) -> list[int]:
    """The same for each class, of its own number of real images."""
    return [images(share, int(count)) for count in real]


def shortage(arm: Arm, real: Sequence[int]) -> str:
    """Why the share of `arm` gives no image of any class, as a sentence; empty if it gives one.

    Args:
        arm: any arm.
        real: real training images of each class.
    """
    if arm.share is None or any(of_each(arm.share, real)):
        return ""
    return (
        f"Arm {arm.label!r} has a share of {arm.share:g}, which gives no image at level "
        f"{max(real)}: raise the share or the level."
    )


def synthetic_wanted(arms: Sequence[Arm], real: Sequence[int]) -> list[int]:
    """Synthetic images of each class that the greediest of `arms` needs; empty if none does.

    An arm with a filter needs more of them to choose from, and one that can use a whole set more
    than it has at a time.

    Args:
        arms: of a study.
        real: real training images of each class.
    """
    wanted = [_wanted(arm, real) for arm in arms if arm.kind.synthetic and not shortage(arm, real)]
    greediest = [max(counts) for counts in zip(*wanted, strict=True)]
    return greediest if any(greediest) else []


def _wanted(arm: Arm, real: Sequence[int]) -> list[int]:
    if arm.kind.fills:
        return [max(real) - int(count) for count in real]
    share = (arm.share or 1.0) * (CANDIDATES if arm.kind.filtered or arm.kind.whole else 1)
    return [_up(share * int(count)) for count in real]


def steps(arm: Arm, real: int, made: int, batch: int, full_epochs: bool) -> int:
    """Gradient steps of an epoch whose number `arm` may make, however many images it has.

    Args:
        arm: one that is ``longer`` makes those of full epochs with its share added.
        real: real images of the level.
        made: images in the training set of the arm.
        batch: images of a step.
        full_epochs: whether every arm passes over its own images as often, instead of making the
            steps of the arm ``real``.
    """
    if arm.kind.longer:
        return _up(real * (1 + (arm.share or 0.0)) / batch)
    return _up((made if full_epochs else real) / batch)


def _up(number: float) -> int:
    """The next whole number. Shares are decimals: 0.3 x 60 is 18, in binary a little more."""
    return math.ceil(round(number, 6))
