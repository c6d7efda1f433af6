"""Cron expressions as Kubeflow Pipelines reads them: six fields, seconds first.

KFP also takes five fields, but reads them as seconds to month: ``0 3 * * 1``, meant as Mondays at
three, would start a run three minutes past every hour of January. So five fields are an error.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from augstudy.core.errors import InputError
from augstudy.settings.base import short

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("second", 0, 59, {}),
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, {name: at for at, name in enumerate(_MONTHS, 1)}),
    ("day of week", 0, 6, {name: at for at, name in enumerate(_DAYS)}),
)
_DESCRIPTORS = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
_EVERY = re.compile(r"@every (?=[0-9])(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?")
_DIGITS = re.compile("[0-9]{1,4}")
_FORM = "second minute hour day-of-month month day-of-week, for example 0 0 3 * * 1"
_HORIZON_DAYS = 8 * 366  # 29 February can be eight years away


@dataclass(frozen=True)
class Cron:
    """A checked expression; the sets hold the values at which it is due."""

    text: str
    sets: tuple[frozenset[int], ...] = ()
    days_starred: bool = True
    every: timedelta | None = None

    def after(self, moment: datetime) -> datetime | None:
        """The first time after `moment` at which it is due; None if there is none for years."""
        if self.every:
            return moment.replace(microsecond=0) + self.every
        seconds, minutes, hours, _, months, _ = self.sets
        clock = [(h, m, s) for h in sorted(hours) for m in sorted(minutes) for s in sorted(seconds)]
        for ahead in range(_HORIZON_DAYS):
            day = moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=ahead)
            if day.month not in months or not self._on(day):
                continue
            for hour, minute, second in clock:
                due = day.replace(hour=hour, minute=minute, second=second)
                if due > moment:
                    return due
        return None

    def _on(self, day: datetime) -> bool:
        """Either day field will do if both are restricted, as cron always had it."""
        in_month = day.day in self.sets[3]
        in_week = day.isoweekday() % 7 in self.sets[5]
        return in_month and in_week if self.days_starred else in_month or in_week


def parse(text: str) -> Cron:
    """Check a cron expression.

    Raises:
        InputError: it is none, has five fields, or is never due.
    """
    words = text.split()
    joined = " ".join(words)
    if joined.startswith("@"):
        return _descriptor(joined)
    if len(words) == 5:
        raise InputError(
            f"{short(joined)} has five fields, but Kubeflow Pipelines has seconds first and would "
            f"read it as another time: write '0 {joined}'."
        )
    if len(words) != 6:
        raise InputError(f"{short(joined)} has {len(words)} fields, not six: {_FORM}.")
    sets = tuple(_field(word, joined, at) for at, word in enumerate(words))
    starred = any(words[at].startswith(("*", "?")) for at in (3, 5))
    found = Cron(joined, sets, starred)
    if found.after(datetime(2024, 1, 1)) is None:
        raise InputError(f"{short(joined)} is never due: there is no such day.")
    return found


def _descriptor(text: str) -> Cron:
    every = _EVERY.fullmatch(text)
    if every:
        hours, minutes, seconds = (int(part or 0) for part in every.groups())
        length = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        if length >= timedelta(seconds=1):
            return Cron(text, every=length)
    if text not in _DESCRIPTORS:
        known = ", ".join(_DESCRIPTORS)
        raise InputError(
            f"There is no {short(text)}; there are: {known}, and '@every 6h' or '1h30m'."
        )
    plain = parse(_DESCRIPTORS[text])
    return Cron(text, plain.sets, plain.days_starred)


def _field(word: str, text: str, at: int) -> frozenset[int]:
    name, low, high, names = _FIELDS[at]
    values: set[int] = set()
    shown = short(text)
    for item in word.split(","):
        span, slash, step = item.partition("/")
        first, dash, last = span.partition("-")
        starred = span in ("*", "?")
        start = low if starred else _number(first, names)
        end = high if starred or (slash and not dash) else _number(last if dash else first, names)
        every = _number(step, {}) if slash else 1
        if start is None or end is None or not every:
            raise InputError(f"{short(item)} in {shown} is no {name}: {_FORM}.")
        if start < low or end > high:
            raise InputError(
                f"The {name} {short(item)} in {short(text)} must lie within {low} and {high}."
            )
        if start > end:
            raise InputError(f"The {name} {short(item)} in {shown} ends before it begins.")
        values.update(range(start, end + 1, every))
    return frozenset(values)


def _number(word: str, names: dict[str, int]) -> int | None:
    known = names.get(word.lower())
    return known if known is not None else int(word) if _DIGITS.fullmatch(word) else None
