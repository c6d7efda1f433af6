"""What each arm does to single classes: a table of recalls, and a sentence for the headline's."""

from typing import Any

from augstudy.pages import verdicts, wording
from augstudy.pages.formats import points
from augstudy.pages.style import colour_of
from augstudy.results.models import Study
from augstudy.results.parts import Compared

_NAMED = 4  # classes in a sentence


def changed(found: Study) -> list[str]:
    """Which classes the arm of the headline helps and hurts, and what it does to the worst one."""
    label = found.headline.arm
    if label is None or label not in found.recalls:
        return []
    arm, said = wording.subject_of(found.arms[label]), []
    for verdict in ("helps", "hurts"):
        clear = {
            name: item for name, item in found.recalls[label].items() if item.verdict == verdict
        }
        if clear:
            said.append(f"{verdict} {_listed(clear)}")
    told = f"{arm} {' and '.join(said)}." if said else f"{arm} changes no single class clearly."
    if worst := found.worst_classes.get(label):
        change = wording.change(worst.difference)
        told += (
            f" The class that is recognised least is {worst.label}: {change} points, "
            f"{verdicts.outcome(worst.difference, found.margin)}."
        )
    return [told]


def section(found: Study) -> dict[str, Any] | None:
    """The effect of each arm on the recall of each class, and on the worst."""
    if not found.recalls:
        return None
    labels = list(found.recalls)
    names = list(dict.fromkeys(name for of_arm in found.recalls.values() for name in of_arm))
    return {
        "titles": [
            {"title": wording.title_of(found.arms[it]), "colour": colour_of(found.arms[it])}
            for it in labels
        ],
        "sentences": changed(found),
        "count": len(names),
        "arms": len(labels),
        "rows": [
            {"label": name, "cells": [_cell(found.recalls[it].get(name)) for it in labels]}
            for name in names
        ],
        "worst": [
            {"label": item.label, **(_cell(item.difference) or {})}
            for item in (found.worst_classes[it] for it in labels if it in found.worst_classes)
        ],
    }


def _cell(item: Compared | None) -> dict[str, str] | None:
    if item is None:
        return None
    return {
        "value": wording.signed(item.mean),
        "span": f"{wording.signed(item.low)} to {wording.signed(item.high)}",
        "verdict": item.verdict,
    }


def _listed(clear: dict[str, Compared]) -> str:
    """``zebra (+4.2 points) and lion (+3.0)``: the largest changes, and how many more."""
    order = sorted(clear, key=lambda name: -abs(clear[name].mean))
    named = [f"{name} ({points(clear[name].mean)} points)" for name in order[:_NAMED]]
    if more := len(order) - _NAMED:
        named = [*named, f"{more} more"] if more > 0 else named
    *first, last = named
    return f"{', '.join(first)} and {last}" if first else last
