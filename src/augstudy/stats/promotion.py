"""Whether a challenger takes the champion's place: a paired comparison and a rule."""

import numpy as np
from numpy.typing import NDArray

from augstudy.core.arrays import Labels
from augstudy.settings.comparing import AskedMetric
from augstudy.stats.balance import balance_of, metric_of, value_of
from augstudy.stats.codes import Comparison, Reason
from augstudy.stats.paired import paired_difference


def compare(
    champion: NDArray[np.bool_],
    challenger: NDArray[np.bool_],
    excluded: NDArray[np.bool_],
    labels: Labels,
    asked: AskedMetric = "auto",
) -> Comparison | None:
    """Compare two classifiers on the test images that are not excluded; None if none is left.

    Both are judged by the mean over their seeds. Where the two have different numbers of seeds,
    the first of each are paired, as many as both have.

    Args:
        champion: (S, N), whether its seed s was right about image n.
        challenger: (T, N), the same for the challenger.
        excluded: (N,), images that the champion has learnt from.
        labels: (N,), their classes.
        asked: the metric.
    """
    keep = ~excluded
    if not keep.any():
        return None
    seeds = min(len(champion), len(challenger))
    old, new = champion[:seeds, keep], challenger[:seeds, keep]
    metric = metric_of(asked, labels)
    balance = balance_of(metric, labels[keep])
    found = paired_difference(new, old, balance=balance)
    return Comparison(
        champion=value_of(old, balance),
        challenger=value_of(new, balance),
        difference=found.mean,
        low=found.low,
        high=found.high,
        images=found.images,
        excluded=int(excluded.sum()),
        seeds=seeds,
        metric=metric,
    )


def decide(comparison: Comparison | None, margin: float, first: bool, same: bool) -> Reason:
    """Why to promote or to hold: at 95 % confidence it must be worse by no more than `margin`.

    Args:
        comparison: with the champion; None if there was nothing to compare on.
        margin: of the metric, as a share, that may be lost; a negative one must be gained.
        first: there is no champion yet.
        same: the challenger is the champion, bit for bit.
    """
    if first:
        return "first"
    if same:
        return "same"
    if comparison is None:
        return "no_images"
    return "ruled_out" if comparison.low >= -margin else "not_ruled_out"
