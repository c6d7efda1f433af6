"""Verdicts in words: what a code means, what more is needed to tell, what could be seen."""

from augstudy.pages import readings
from augstudy.pages.formats import points
from augstudy.results.models import Power, Retraining
from augstudy.results.parts import Compared, Difference
from augstudy.results.power import Change
from augstudy.stats.codes import MOST, Comparison, Needed
from augstudy.stats.verdicts import within

UNCLEAR = "can't tell yet"
AT_CHANCE = "at chance"
GUESSING = (
    "A classifier that does no better than guessing has learnt nothing that more seeds or test "
    "images would show: train it longer (epochs), give it more images per class (level), or check "
    "that the labels are right."
)
NEW_GUESSES = (
    "But it does no better than guessing: train it longer (epochs), give it more images per class, "
    "or check that the labels are right."
)
# Class of a verdict's pill in report.css, and its colour in a terminal.
PILLS = {"helps": "helps", "hurts": "hurts", "better": "helps", "worse": "hurts"}
PILLS |= {"not stable": "hurts", "holds": "helps", "does not hold": "hurts"}
COLOURS = {
    **{word: "green" if kind == "helps" else "red" for word, kind in PILLS.items()},
    "no difference": "cyan",
    UNCLEAR: "yellow",
    AT_CHANCE: "yellow",
    "can't tell": "yellow",
    "reference": "dim",
}

_WITHOUT_COMPARISON = {
    "first": "Promoted: there was no champion.",
    "same": "Held: the data is the same, and the new classifier equals the champion bit by bit.",
    "no_images": (
        "Held: the champion has learnt from every test image, so none is left to compare on."
    ),
}


def outcome(found: Compared, margin: float) -> str:
    """A verdict in words, such as ``no difference larger than 1 point``.

    Args:
        found: the comparison.
        margin: of the report that it is in.
    """
    if found.verdict == "no difference":
        return f"no difference larger than {margin_text(margin)}"
    if found.verdict == AT_CHANCE:
        return "no better than guessing"
    if found.verdict == UNCLEAR:
        more = f" (needs {needs(found)})" if isinstance(found, Difference) else ""
        return f"{UNCLEAR}{more}"
    small = within(found.low, found.high, margin)
    return f"{found.verdict}, by less than {margin_text(margin)}" if small else found.verdict


def needs(found: Difference) -> str:
    """What more is needed to tell: ``about 4 more seeds or 1,200 more test images``."""
    return "more than one seed" if found.needs is None else needed(found.needs, found.draws)


def needed(more: Needed, draws: int = 1) -> str:
    """Seeds, test images and draws that must be added to a study of so many `draws`."""
    each = " per draw" if draws > 1 else ""
    if more.both is not None:
        seeds, images = more.both
        return f"about {_more(seeds, 'seed')}{each} together with {_more(images, 'test image')}"
    by_seeds = None if more.seeds is None else f"{_more(more.seeds, 'seed')}{each}"
    by_images = None if more.images is None else _more(more.images, "test image")
    by_draws = None if more.draws is None else _more(more.draws, "draw")
    ways = [way for way in (by_seeds, by_images, by_draws) if way]
    if not ways:
        return f"more than {MOST} times the test images and seeds"
    said = f"about {' or '.join(ways)}"
    if len(ways) > 1 or by_draws:
        return said
    return f"{said}; {'seeds' if by_images else 'test images'} alone are not enough"


def covers(found: Compared) -> str:
    """What the interval of a difference covers."""
    if found.seeds == 1:
        return "other test images, but not another training run: there is only one seed"
    if found.draws > 1:
        return (
            "other test images, other training runs, and other training images and generators, "
            f"from {found.draws} draws"
        )
    return "other test images and other training runs"


def margin_text(margin: float) -> str:
    """``1 point``, ``0.5 points``."""
    size = 100 * margin
    return f"{size:g} point{'' if size == 1 else 's'}"


def forecast(power: Power) -> str:
    """What a study will be able to see, in a sentence for before it runs."""
    if power.seeds == 1 and power.draws == 1:
        return "One seed can't tell an effect from a lucky training run; there will be no verdict."
    what = [f"{power.images:,} test images"]
    what += [f"{power.draws} draws"] * (power.draws > 1)
    what += [f"{power.seeds} seed{'' if power.seeds == 1 else 's'}"]
    what += [f"{power.comparisons} comparisons"] * (power.comparisons > 1)
    *first, last = what
    return (
        f"With {', '.join(first)} and {last}, you can see differences of "
        f"{100 * power.detectable:.1f} points or more."
    )


def change(found: Change | None, margin: float, runs: int) -> str:
    """What would let a study see the margin, in a sentence for before it runs; empty if it does.

    Args:
        found: the cheapest change.
        margin: a share.
        runs: trainings of an arm as it is.
    """
    if found is None:
        return ""
    see = f"To see {margin_text(margin)}"
    if found.images is not None:
        return f"{see}, it would take about {found.images:,} test images and {found.seeds} seeds."
    folds = f"folds={found.folds} and " if found.folds else ""
    return (
        f"{see}, use {folds}{found.seeds} seeds: {found.runs} training runs per arm instead of "
        f"{runs}."
    )


def promotion(found: Retraining) -> str:
    """Why a new classifier was promoted or held, and whether it has learnt anything."""
    return _decision(found) if found.learnt else f"{_decision(found)} {NEW_GUESSES}"


def _decision(found: Retraining) -> str:
    if found.comparison is None or found.reason == "same":
        return _WITHOUT_COMPARISON[found.reason]
    what = _changes(found.comparison)
    bad = _bad(found.margin)
    if found.promoted:
        return f"Promoted: {what}, which rules out {bad}."
    return f"Held: {what}, which does not rule out {bad}."


def _changes(found: Comparison) -> str:
    mean, low, high = map(points, (found.difference, found.low, found.high))
    return (
        f"{readings.metric(found.metric).text} changes by {mean} points (95 % interval {low} to "
        f"{high}, {found.images} test images)"
    )


def _bad(margin: float) -> str:
    """What the rule wants to see ruled out."""
    size = points(abs(margin)).lstrip("+")
    if margin == 0:
        return "a loss"
    return f"a loss of more than {size}" if margin > 0 else f"a gain of less than {size}"


def _more(count: int, what: str) -> str:
    return f"{count:,} more {what}{'' if count == 1 else 's'}"
