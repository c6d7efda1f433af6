"""Whether a challenger takes the champion's place: a paired comparison and a rule."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augstudy.core.formats import points
from augstudy.stats.paired import paired_difference


@dataclass(frozen=True)
class Comparison:
    """Accuracies, as shares, on the same test images; the difference with its 95 % interval."""

    champion: float
    challenger: float
    difference: float
    low: float
    high: float
    images: int
    excluded: int
    seeds: int


@dataclass(frozen=True)
class Decision:
    """What becomes of the challenger, and why, in a sentence."""

    promote: bool
    reason: str


def compare(
    champion: NDArray[np.bool_], challenger: NDArray[np.bool_], excluded: NDArray[np.bool_]
) -> Comparison | None:
    """Compare two classifiers on the test images that are not excluded; None if none is left.

    Both are judged by the mean over their seeds. Where the two have different numbers of seeds,
    the first of each are paired, as many as both have.

    Args:
        champion: (S, N), whether its seed s was right about image n.
        challenger: (T, N), the same for the challenger.
        excluded: (N,), images that the champion has learnt from.
    """
    keep = ~excluded
    if not keep.any():
        return None
    seeds = min(len(champion), len(challenger))
    old, new = champion[:seeds, keep], challenger[:seeds, keep]
    found = paired_difference(new, old)
    return Comparison(
        champion=float(old.mean()),
        challenger=float(new.mean()),
        difference=found.mean,
        low=found.low,
        high=found.high,
        images=found.images,
        excluded=int(excluded.sum()),
        seeds=seeds,
    )


def decide(comparison: Comparison | None, margin: float, first: bool, same: bool) -> Decision:
    """Promote if the challenger is, at 95 % confidence, worse by no more than `margin`.

    Args:
        comparison: with the champion; None if there was nothing to compare on.
        margin: accuracy, as a share, that may be lost; a negative one must be gained.
        first: there is no champion yet.
        same: the challenger is the champion, bit for bit.
    """
    if first:
        return Decision(True, "Promoted: there was no champion.")
    if same:
        return Decision(
            False, "Held: the new classifier is the champion, bit for bit; the data is the same."
        )
    if comparison is None:
        return Decision(
            False,
            "Held: the champion has learnt from every test image, so there is none to compare on.",
        )
    found = (
        f"accuracy changes by {points(comparison.difference)} points (95 % interval "
        f"{points(comparison.low)} to {points(comparison.high)}, {comparison.images} test images)"
    )
    if comparison.low >= -margin:
        return Decision(True, f"Promoted: {found}, which rules out {_bad(margin)}.")
    return Decision(False, f"Held: {found}, which does not rule out {_bad(margin)}.")


def _bad(margin: float) -> str:
    """What the rule wants to see ruled out."""
    size = points(abs(margin)).lstrip("+")
    if margin == 0:
        return "a loss"
    return f"a loss of more than {size}" if margin > 0 else f"a gain of less than {size}"


def flat(comparison: Comparison | None, decision: Decision) -> dict[str, float]:
    """The numbers of a run for the dashboard, without those that do not exist."""
    values: dict[str, float] = {"promoted": float(decision.promote)}
    if comparison is not None:
        found: dict[str, Any] = asdict(comparison)
        names = {"champion": "champion.accuracy", "challenger": "challenger.accuracy"}
        names |= {"low": "ci_low", "high": "ci_high", "images": "test_images"}
        names |= {"excluded": "excluded_test_images"}
        values |= {names.get(key, key): float(value) for key, value in found.items()}
    return values
