"""Parses what people type for levels, arms, seeds and settings."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from augstudy.core.errors import InputError
from augstudy.settings.arms import Arm
from augstudy.settings.base import parse


def parse_levels(text: str) -> list[int]:
    """Parse ``50 250`` or ``50,250`` into levels.

    Raises:
        InputError: something is no number of images, or is there twice.
    """
    words = re.split(r"[\s,]+", text.strip()) if text.strip() else []
    if not all(word.isascii() and word.isdigit() and int(word) for word in words):
        raise InputError(f"--levels {text!r} must be numbers of images, such as '50 250'.")
    levels = [int(word) for word in words]
    if len(set(levels)) < len(levels):
        raise InputError(f"--levels {text!r} names a level twice: remove one.")
    return levels


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """Parse ``key=value`` texts; the value is YAML, and ``a.b=1`` sets ``b`` inside ``a``.

    Raises:
        InputError: a text has no ``=``, or its value is no YAML.
    """
    values: dict[str, Any] = {}
    for text in assignments:
        key, equals, raw = text.partition("=")
        if not equals or not key.strip():
            raise InputError(f"{text!r} is not key=value, for example classifier=baseline.")
        try:
            value = yaml.safe_load(raw)
        except yaml.YAMLError as error:
            raise InputError(f"The value of {text!r} is not valid YAML: quote it.") from error
        _put(values, key.strip().split("."), value, text)
    return values


def parse_arms(text: str) -> list[dict[str, Any]]:
    """Parse ``real,classic,replace:0.3`` into arms.

    Raises:
        InputError: an arm does not exist or lacks its share.
    """
    arms = []
    for item in split(text):
        name, colon, share = item.partition(":")
        values: dict[str, Any] = {"arm": name, "share": share} if colon else {"arm": name}
        arm = parse(Arm, values, f"arm {item!r}")
        arms.append(arm.model_dump(exclude_defaults=True))
    return arms


def parse_integers(text: str, what: str) -> list[int]:
    """Parse ``0,1,2`` or the range ``0-9``.

    Raises:
        InputError: it is neither.
    """
    numbers: list[int] = []
    try:
        for item in split(text):
            first, dash, last = item.partition("-")
            numbers += range(int(first), int(last) + 1) if dash else [int(first)]
    except ValueError as error:
        raise InputError(f"{what} {text!r} must look like 0,1,2 or 0-2.") from error
    return numbers


def split(text: str) -> list[str]:
    """The parts between commas, without spaces around them and without empty ones."""
    return [item.strip() for item in text.split(",") if item.strip()]


def _put(values: dict[str, Any], keys: Sequence[str], value: Any, text: str) -> None:
    for key in keys[:-1]:
        values = values.setdefault(key, {})
        if not isinstance(values, dict):
            raise InputError(f"{text!r} sets something inside {key!r}, which has a value already.")
    values[keys[-1]] = value
