"""How small an effect a study can be expected to see, and what would let it see a smaller one."""

from collections.abc import Mapping
from dataclasses import dataclass

from augstudy.results.models import Power
from augstudy.stats.balance import Balance
from augstudy.stats.power import assumed_noise, detectable, needed

SEEDS = (3, 5, 10, 20)
MOST_SEEDS = SEEDS[-1]  # that are worth a thought


@dataclass(frozen=True)
class Change:
    """Seeds and folds with which a study sees what it is to see, and trainings of an arm (`runs`).

    ``images`` is how many test images it takes as well, where those that there are do not suffice.
    """

    seeds: int
    folds: int
    runs: int
    images: int | None = None


def cheapest(seen: Power, margin: float, images: Mapping[int, int]) -> Change | None:
    """The change that takes the fewest trainings to see a difference of `margin`.

    Args:
        seen: what is expected of the study as it is.
        margin: a share.
        images: test images by how many folds there are; 0 for one split.

    Returns:
        None if the study sees it as it is, or needs more than 20 times the images.
    """
    if seen.detectable <= margin and seen.seeds * seen.draws > 1:
        return None
    ways = []
    for folds, count in images.items():
        for seeds in range(2, MOST_SEEDS + 1):
            plan = expected(seeds, count, seen.comparisons, None, max(1, folds), seen.draws)
            if plan.detectable <= margin:
                ways.append(Change(seeds, folds, seeds * max(1, folds) * seen.draws))
                break
    if ways:
        return min(ways, key=lambda way: way.runs)
    return _with_images(seen, margin, next(iter(images)))


def _with_images(seen: Power, margin: float, folds: int) -> Change | None:
    """The fewest seeds, of those people use, with which more test images see the margin."""
    asked = max(1, seen.comparisons)
    for seeds in (seeds for seeds in SEEDS if seeds >= seen.seeds):
        found = needed(
            lambda count, images, draws: (
                detectable(seen.assumed, count, images, asked, draws=draws) <= margin
            ),
            seeds,
            seen.images,
            seen.draws,
        )
        if found.images is not None:
            runs = seeds * max(1, folds) * seen.draws
            return Change(seeds, folds, runs, seen.images + found.images)
    return None


def expected(
    seeds: int,
    images: int,
    compared: int,
    balance: Balance = None,
    folds: int = 1,
    draws: int = 1,
) -> Power:
    """What can be expected of a study before it runs.

    Args:
        seeds: training runs of each arm, in each draw.
        images: test images; with folds, those of all folds together.
        compared: arms that are compared with `real`.
        balance: classes of the test images, if the metric is balanced accuracy.
        folds: of cross-fitting, 1 without.
        draws: repetitions of split and generators.
    """
    asked = max(1, compared)
    noise = assumed_noise(asked, balance=balance, folds=folds)
    return Power(
        seeds=seeds,
        images=images,
        comparisons=compared,
        assumed=noise,
        detectable=detectable(noise, seeds, images, asked, draws=draws),
        draws=draws,
    )
