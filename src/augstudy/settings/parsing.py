"""Parses what people type for levels, arms, seeds and settings."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from augstudy.core.errors import InputError
from augstudy.core.rng import MOST_SEEDS
from augstudy.settings.arms import Arm, typed
from augstudy.settings.base import parse, short

_SHARE = re.compile("([0-9]{1,4}) of ([0-9]{1,4})")
_RANGE = re.compile(r"([0-9]{1,18})(?:(?:-|\.\.)([0-9]{1,18}))?")
_LEVEL = re.compile("0{,9}[1-9][0-9]{,8}")
_AUTO = re.compile("auto(?::([0-9]{1,9}))?")
_MOST_WORKERS = 1000
MOST_AUTOMATIC = 12  # seeds, unless another number is given


def parse_levels(text: str) -> list[int]:
    """Parse ``50 250`` or ``50,250`` into levels.

    Raises:
        InputError: something is not a number of images, or appears twice.
    """
    words = re.split(r"[\s,]+", text.strip()) if text.strip() else []
    if not all(map(_LEVEL.fullmatch, words)):
        raise InputError(
            f"--levels must be numbers of images, such as '50 250', not {short(text)}."
        )
    levels = [int(word) for word in words]
    if len(set(levels)) < len(levels):
        raise InputError(f"--levels {short(text)} names a level twice: remove one.")
    return levels


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """Parse ``key=value`` texts; the value is YAML, and ``a.b=1`` sets ``b`` inside ``a``.

    Raises:
        InputError: a text has no ``=``, or its value is not YAML.
    """
    values: dict[str, Any] = {}
    for text in assignments:
        key, equals, raw = text.partition("=")
        if not equals or not key.strip():
            raise InputError(f"{short(text)} is not key=value, for example classifier=baseline.")
        _put(values, key.strip().split("."), parse_value(raw, text), text)
    return values


def parse_value(raw: str, text: str) -> Any:
    """A value that was typed as YAML.

    Args:
        raw: the value.
        text: what it is a part of, for the error.

    Raises:
        InputError: it is not YAML, or no value that there is, such as the 30th of February.
    """
    try:
        return yaml.safe_load(raw)
    except (yaml.YAMLError, ValueError, LookupError, RecursionError) as error:
        raise InputError(f"The value of {short(text)} is not valid YAML: quote it.") from error


def parse_arms(text: str) -> list[dict[str, Any]]:
    """Parse ``real,classic,replace:0.3,add:1@sd`` into arms.

    Raises:
        InputError: an arm does not exist or lacks its share.
    """
    arms = []
    for item in split(text):
        arm = parse(Arm, typed(item), f"arm {short(item)}")
        arms.append(arm.model_dump(exclude_defaults=True))
    return arms


def parse_integers(text: str, what: str) -> list[int]:
    """Parse ``0,1,2`` or the range ``0-9``, which may be typed ``0..9``.

    Raises:
        InputError: it is neither, counts down, or names too many numbers.
    """
    numbers: list[int] = []
    for item in split(text):
        found = _RANGE.fullmatch(item)
        if not found:
            raise InputError(f"{what} must look like 0,1,2 or 0-2, not {short(text)}.")
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first:
            raise InputError(f"{what} {short(item)} counts down: write {last}-{first}.")
        if len(numbers) + last - first >= MOST_SEEDS:
            raise InputError(
                f"{what} can name {MOST_SEEDS} numbers at most, and {short(text)} names more."
            )
        numbers += range(first, last + 1)
    return numbers


def parse_auto(text: str) -> int | None:
    """The most seeds of ``auto`` or ``auto:20``; None if seeds are named instead.

    Raises:
        InputError: the number is none that there can be.
    """
    found = _AUTO.fullmatch(text.strip())
    if not found:
        return None
    most = int(found[1] or MOST_AUTOMATIC)
    if not 2 <= most <= MOST_SEEDS:
        raise InputError(
            f"--seeds auto takes from 2 to {MOST_SEEDS} seeds at most, such as auto:20, not "
            f"{short(text)}."
        )
    return most


def looks(first: int, most: int) -> list[int]:
    """How many seeds to look after: `first`, then about half as many more each time.

    Args:
        first: seeds of the first round; at least 2 are taken.
        most: seeds in all.
    """
    found = [min(max(2, first), most)]
    while found[-1] < most:
        found.append(min(most, -(-found[-1] * 8 // 5)))
    return found


def accelerators(value: Any) -> int:
    """The number of accelerators asked for, given as a number or as text.

    Raises:
        InputError: it is not a whole number from 0.
    """
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    if isinstance(value, bool) or not re.fullmatch("[0-9]{1,4}", text.strip()):
        raise InputError(f"gpus must be a whole number of accelerators, 0 or more, not {value!r}.")
    return int(text)


def shares(workers: Any) -> list[str]:
    """The share of each worker, such as ``1 of 2`` and ``2 of 2``.

    Args:
        workers: Their number, a list with a name for each, or their shares.

    Raises:
        InputError: there is none, one appears twice, or a share is missing.
    """
    if isinstance(workers, int) and not isinstance(workers, bool):
        workers = list(range(min(workers, _MOST_WORKERS + 1)))
    if not isinstance(workers, list):
        raise InputError(f"workers must be a number, such as 4, or a list, not {workers!r}.")
    if len(workers) > _MOST_WORKERS:
        raise InputError(f"There can be {_MOST_WORKERS} workers at most.")
    if not workers or len({str(item) for item in workers}) < len(workers):
        raise InputError("workers must name at least one worker, and no worker twice.")
    made = [f"{number} of {len(workers)}" for number in range(1, len(workers) + 1)]
    told = [item for item in workers if isinstance(item, str) and _SHARE.fullmatch(item)]
    if told and set(told) != set(made):
        raise InputError(f"workers must be all of {', '.join(made)}, not {', '.join(told)}.")
    return told or made


def parse_share(text: str) -> tuple[int, int]:
    """Parse ``2 of 4``, the share of a worker, into its number, from 1, and how many there are.

    Raises:
        InputError: it is not such a text.
    """
    found = _SHARE.fullmatch(text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise InputError(
            f"{text!r} is not the share of a worker: write '2 of 4' for the second of four."
        )
    return int(found[1]), int(found[2])


def split(text: str) -> list[str]:
    """The parts between commas, without spaces around them and without empty ones."""
    return [item.strip() for item in text.split(",") if item.strip()]


def _put(values: dict[str, Any], keys: Sequence[str], value: Any, text: str) -> None:
    for key in keys[:-1]:
        values = values.setdefault(key, {})
        if not isinstance(values, dict):
            raise InputError(f"{short(text)} sets a part of {key!r}, which already has a value.")
    values[keys[-1]] = value
