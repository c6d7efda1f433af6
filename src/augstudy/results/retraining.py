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
    learnt: bool = True,
) -> Retraining:
    """Apply the rule of :func:`augstudy.stats.promotion.decide` to a challenger, by its name.

    ``learnt`` says whether it does better than guessing.
    """
    reason = decide(comparison, margin, before is None, same)
    promoted = reason in ("first", "ruled_out")
    return Retraining(
        promoted=promoted,
        reason=reason,
        champion=challenger if promoted else before,
        before=before,
        comparison=comparison,
        drift=drift,
        learnt=learnt,
        margin=margin,
    )
