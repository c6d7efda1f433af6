"""What stands in ``results/*.json``: the results of a study at each of its levels, and its cost.

A level is a summary.json of any version without what makes it long, and :data:`BESIDE` beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from augstudy.core.errors import DataError
from augstudy.results import files
from augstudy.results.learning import Worth
from augstudy.results.models import Study
from augstudy.settings.arms import spelled

BESIDE = ("run", "gan_accuracy", "confused", "cost")


@dataclass(frozen=True)
class Published:
    """The studies of a file by level, ascending; ``facts`` are what else it says."""

    facts: Mapping[str, Any]
    levels: list[Study]
    worth: list[Worth]

    def beside(self, at: int, name: str) -> Any:
        """What a level has beside its results; None if it has not."""
        return self.facts["levels"][at].get(name)


def read(content: Mapping[str, Any]) -> Published:
    """A file.

    Raises:
        DataError: a level holds no study.
    """
    worth = content.get("worth") or []
    numbers = [
        {name: item[name] for name in Worth.model_fields} | {"label": spelled(item["label"])}
        for item in worth
    ]
    return Published(
        content,
        [_study(level) for level in content["levels"]],
        [Worth(**item) for item in numbers],
    )


def _study(level: Mapping[str, Any]) -> Study:
    found = files.summary({name: level[name] for name in level if name not in BESIDE})
    if not isinstance(found, Study):
        raise DataError(f"Level {found.data.level} holds no study.")
    return found
