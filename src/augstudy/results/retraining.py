"""What a retraining decided."""

from augstudy.results.models import Retraining
from augstudy.stats.codes import Comparison
from augstudy.stats.promotion import decide


def decided(
    comparison: Comparison | None,
    margin: float,
    *,
    before: str | None,
    challenger: str,
    same: bool,
    drift: dict[str, float],
) -> Retraining:
    """Apply the rule to a challenger.

    Args:
        comparison: with the champion; None if there was nothing to compare on.
        margin: accuracy, as a share, that may be lost; a negative one must be gained.
        before: the champion in force, if there is one.
        challenger: what the new one is called if it is promoted.
        same: whether the challenger is the champion, bit for bit.
        drift: a stability index for each histogram.
    """
    decision = decide(comparison, margin, before is None, same)
    return Retraining(
        promoted=decision.promote,
        reason=decision.reason,
        champion=challenger if decision.promote else before,
        before=before,
        comparison=comparison,
        drift=drift,
        margin=margin,
    )
