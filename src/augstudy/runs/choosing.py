"""Finds runs, and arms of runs, by what a person calls them."""

from collections.abc import Sequence
from typing import Any

from augstudy.core.errors import InputError
from augstudy.runs.record import Record
from augstudy.settings.arms import spelled


def find(records: Sequence[Record], name: str) -> Record:
    """The record of a run by its number (``7``, ``0007``) or its name.

    A run of a cluster has no number but an id, of which the beginning is enough.

    Raises:
        InputError: there is none, or several runs have the name.
    """
    found = [record for record in records if _is_called(record, name)]
    if len(found) > 1:
        numbers = ", ".join(str(record["id"]) for record in found)
        raise InputError(f"{len(found)} runs are called {name!r}: name one of {numbers}.")
    if not found:
        last = records[-1]["id"] if records else None
        known = f"the newest is {last}" if last else "there are none yet"
        raise InputError(f"There is no run {name!r}; {known}: see 'augstudy runs'.")
    return found[0]


def find_arms(records: Sequence[Record], name: str) -> list[tuple[Record, dict[str, Any]]]:
    """The run and arm that ``7:add:1`` names; ``7`` names all arms of the run.

    An arm may be called without its share where it is the only one of its kind.

    Raises:
        InputError: there is no such run or arm, or the run has found nothing yet.
    """
    run, label = next(
        (parts for parts in parts_of(name) if any(_is_called(it, parts[0]) for it in records)),
        name.partition(":")[::2],
    )
    record = find(records, run)
    arms = record["arms"]
    if not arms:
        raise InputError(f"Run {record['id']} has no results: it is {record['state']}.")
    if not label:
        return [(record, arm) for arm in arms]
    found = [arm for arm in arms if arm["arm"] == spelled(label)]
    found = found or [arm for arm in arms if arm["kind"] == label]
    if len(found) != 1:
        known = ", ".join(arm["arm"] for arm in arms)
        raise InputError(f"Run {record['id']} has no single arm {label!r}; its arms: {known}.")
    return [(record, found[0])]


def parts_of(name: str) -> list[tuple[str, str]]:
    """What ``RUN:ARM`` may mean, the longest run first: runs and arms have colons in names."""
    places = [place for place, letter in enumerate(name) if letter == ":"]
    return [(name, ""), *((name[:place], name[place + 1 :]) for place in reversed(places))]


def _is_called(record: Record, name: str) -> bool:
    if isinstance(record["id"], str):
        return name == record["name"] or (
            bool(name) and str(record["key"]).rpartition("/")[2].startswith(name)
        )
    if name.isdecimal():
        return bool(record["id"] == int(name))
    return name in (record["name"], record["key"])
