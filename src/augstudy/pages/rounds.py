"""A study that stops when it can tell: the path of its intervals from look to look."""

from typing import Any

from augstudy.pages import wording
from augstudy.pages.figures import rounds as figure
from augstudy.pages.style import colour_of
from augstudy.results.models import Study
from augstudy.results.study import asked

_SHOWN = 9  # panels


def section(found: Study) -> dict[str, Any] | None:
    """The path of each arm that answers the question; None for a study that is looked at once."""
    labels = [label for label in asked(found.arms, found.differences) if label in found.path]
    if not labels:
        return None
    paths = [
        figure.Path(wording.title_of(found.arms[it]), colour_of(found.arms[it]), found.path[it])
        for it in labels[:_SHOWN]
    ]
    return {
        "figure": figure.draw(paths, found.looks, found.margin),
        "sentences": wording.looks(found),
        "left_out": len(labels) - len(paths),
    }
