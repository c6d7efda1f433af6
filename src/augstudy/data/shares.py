"""What the share of an arm comes to in images: all that is rounded is rounded here."""

import math
from collections.abc import Sequence

from augstudy.settings.arms import Arm

CANDIDATES = 4  # synthetic images made for each one that an arm with a filter wants


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

    An arm with a filter needs more of them to choose from.

    Args:
        arms: of a study.
        real: real training images of each class.
    """
    shares = [
        (arm.share or 0.0) * (CANDIDATES if arm.kind.filtered else 1)
        for arm in arms
        if arm.kind.synthetic and not shortage(arm, real)
    ]
    return [_up(max(shares) * int(count)) for count in real] if shares else []


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
