"""What a comparison says: it helps, it hurts, it makes no difference that matters, or not yet."""

from typing import Literal

from augstudy.core.formats import points
from augstudy.settings.comparing import ComparisonSettings
from augstudy.stats.paired import CONFIDENCE, PairedDifference
from augstudy.stats.power import detectable, needed

MARGIN = ComparisonSettings().equivalence_margin

Verdict = Literal["helps", "hurts", "no difference", "can't tell yet"]


def verdict(
    difference: PairedDifference, p_adjusted: float | None = None, margin: float = MARGIN
) -> Verdict:
    """What the interval and the p-value allow to be said.

    - ``helps``, ``hurts``: the 95 % interval excludes zero, and so does Holm's p-value at 5 %.
    - ``no difference``: otherwise, and the whole interval lies within the margin. That is the
      equivalence test of two one-sided tests (Schuirmann 1987, J. Pharmacokinet. Biopharm. 15)
      at 2.5 % each: stricter than the usual 5 %, so that it can be read off the interval shown.
    - ``can't tell yet``: all else. With one seed nothing can be told: the luck of a training run
      looks like an effect.

    Args:
        difference: the comparison.
        p_adjusted: its p-value after :func:`~augstudy.stats.correction.holm`; None if it is the
            only comparison.
        margin: differences below this share do not matter to the one who asks.
    """
    if difference.seeds == 1:
        return "can't tell yet"
    p_value = difference.p_value if p_adjusted is None else p_adjusted
    if p_value < 1 - CONFIDENCE and not difference.low <= 0 <= difference.high:
        return "helps" if difference.mean > 0 else "hurts"
    within = -margin < difference.low and difference.high < margin
    return "no difference" if within else "can't tell yet"


def needs(difference: PairedDifference, margin: float = MARGIN, comparisons: int = 1) -> str:
    """What more it takes to tell, if the truth is what was found: ``about 4 more seeds or ...``.

    Enough is what has an 80 % chance of showing either that the difference is not zero or that it
    is within the margin, whichever is less work.

    Args:
        difference: the comparison.
        margin: see :func:`verdict`.
        comparisons: arms that are compared with the same one.
    """
    if difference.seeds == 1:
        return "more than one seed"
    size, noise = abs(difference.mean), difference.noise

    def sees(seeds: int, images: int) -> bool:
        clear = detectable(noise, seeds, images, comparisons) <= size
        return clear or detectable(noise, seeds, images) <= margin - size

    return str(needed(sees, difference.seeds, difference.images))


def outcome(
    difference: PairedDifference,
    p_adjusted: float | None = None,
    margin: float = MARGIN,
    comparisons: int = 1,
) -> str:
    """The verdict in words, such as ``no difference larger than 1 point``."""
    found = verdict(difference, p_adjusted, margin)
    if found == "no difference":
        return f"no difference larger than {margin_text(margin)}"
    if found == "can't tell yet":
        return f"{found} (needs {needs(difference, margin, comparisons)})"
    small = max(abs(difference.low), abs(difference.high)) < margin
    return f"{found}, by less than {margin_text(margin)}" if small else found


def sentence(
    what: str,
    difference: PairedDifference,
    p_adjusted: float | None = None,
    margin: float = MARGIN,
    comparisons: int = 1,
) -> str:
    """One plain sentence, such as "Adding ... changes accuracy by +1.2 points (95 % ...)".

    Args:
        what: the subject, such as ``Adding 100 % synthetic images``.
        difference: the comparison with the arm without it.
        p_adjusted: see :func:`verdict`.
        margin: see :func:`verdict`.
        comparisons: see :func:`needs`.
    """
    mean, low, high = map(points, (difference.mean, difference.low, difference.high))
    words = outcome(difference, p_adjusted, margin, comparisons)
    return f"{what} changes accuracy by {mean} points (95 % interval {low} to {high}): {words}."


def margin_text(margin: float) -> str:
    """``1 point``, ``0.5 points``."""
    size = 100 * margin
    return f"{size:g} point{'' if size == 1 else 's'}"
