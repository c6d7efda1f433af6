"""What the share of an arm comes to in images: all that is rounded is rounded here."""

import math
from collections.abc import Sequence

from augstudy.settings.arms import Arm

CANDIDATES = 4  # synthetic images made for each one that an arm with a filter wants


def images(share: float | None, level: int) -> int:
    """Images per class that a `share` of `level` is: the nearest number, half to even."""
    return round((share or 0.0) * level)


def shortage(arm: Arm, level: int) -> str:
    """Why the share of `arm` is too small at `level`, as a sentence; empty if it is not."""
    if arm.share is None or images(arm.share, level):
        return ""
    return (
        f"Arm {arm.label!r} has a share of {arm.share:g}, which gives no image at level {level}: "
        "raise the share or the level."
    )


def synthetic_wanted(arms: Sequence[Arm], level: int) -> int:
    """Synthetic images per class that the greediest of `arms` needs at `level`; 0 if none does.

    An arm with a filter needs more of them to choose from.
    """
    shares = [
        (arm.share or 0.0) * (CANDIDATES if arm.kind.filtered else 1)
        for arm in arms
        if arm.kind.synthetic and images(arm.share, level)
    ]
    return _up(max(shares, default=0.0) * level)


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
