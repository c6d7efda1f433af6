"""How small an effect a study can be expected to see."""

from augstudy.results.models import Power
from augstudy.stats.balance import Balance
from augstudy.stats.power import assumed_noise, detectable


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
