"""What an arm is worth in real images, in words and for tables."""

from augstudy.pages.wording import counted
from augstudy.results.learning import Worth


def sentence(worth: Worth) -> str:
    """A record in words: "`add` at level 50 is worth about 20 extra real images"."""
    low, high = (_bound(value, worth) for value in (worth.low, worth.high))
    span = low if low == high else f"{low} to {high}"
    return f"`{worth.label}` at level {worth.level:,} {_words(worth)} (95 % interval {span})."


def cell(worth: Worth) -> str:
    """A record for a table: ``+20 (-3 to 41)``; an end of what was measured: ``≥``."""
    value, low, high = (_short(value, worth) for value in (worth.value, worth.low, worth.high))
    return f"{value} ({low} to {high})"


def _short(value: float, worth: Worth) -> str:
    sign = "≥ " if value >= worth.ceiling else "≤ " if value <= worth.floor else ""
    return f"{sign}{round(value):+,}" if round(value) else f"{sign}0"


def _words(worth: Worth) -> str:
    size, floor, ceiling = map(round, (worth.value, worth.floor, worth.ceiling))
    if worth.value >= worth.ceiling:
        if ceiling == 0:
            return "is no worse than `real`; its worth in real images needs a larger level"
        return f"is worth {counted(ceiling, 'extra real image')} per class, or more"
    if worth.value <= worth.floor:
        if floor == 0:
            return "is worth no extra real images"
        return f"is like having {counted(-floor, 'fewer real image')} per class, or worse"
    if size < 0:
        return f"is like having about {counted(-size, 'fewer real image')} per class"
    return f"is worth about {counted(size, 'extra real image')} per class"


def _bound(value: float, worth: Worth) -> str:
    if value >= worth.ceiling:
        return f"{worth.ceiling:,.0f} or more"
    if value <= worth.floor:
        return f"{worth.floor:,.0f} or less"
    return f"{round(value):,}"
