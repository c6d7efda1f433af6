"""A study at several levels: one run each, one after the other, and one page on all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augstudy.results import files
from augstudy.results.files import AnySummary
from augstudy.results.models import Study
from augstudy.runs.folder import RunsFolder
from augstudy.runs.record import rows
from augstudy.settings.comparing import AskedMetric

if TYPE_CHECKING:
    from augstudy.pages.levels import Curve

PAGE = "levels.html"


@dataclass
class Series:
    """Runs of one study at several levels; `folders` are those of the finished ones."""

    levels: Sequence[int]
    folders: list[Path] = field(default_factory=list)
    first: int = 0

    @property
    def place(self) -> str:
        """Where the run that comes next stands: ``run 2 of 4``."""
        return f"run {len(self.folders) + 1} of {len(self.levels)}"

    @property
    def page(self) -> Path:
        """The page, in the folder of the first run."""
        return self.folders[0] / PAGE

    def record(self, number: int) -> dict[str, Any]:
        """What run.json of run `number` says: all levels, and which run was the first."""
        self.first = self.first or number
        return {"levels": list(self.levels), "first": self.first}

    def summaries(self) -> list[AnySummary]:
        """What every finished run found."""
        found = (files.read_summary(folder) for folder in self.folders)
        return [item for item in found if item]

    def add(self, folder: Path) -> None:
        """Take in a finished run, and write the page on all so far."""
        from augstudy.pages import levels, tables

        self.folders.append(folder)
        book = RunsFolder(folder.parent)
        found = rows(book.put(item.name) for item in self.folders)
        shown = levels.shown(self.curves())
        tables.write_html(list(found), self.page, book.path, "Levels", shown)

    def curves(self) -> "list[Curve]":
        """The metric of every arm by level, and what it is worth in real images."""
        from augstudy.objects import open_store
        from augstudy.pages import levels
        from augstudy.results.material import read_arm
        from augstudy.runs.shelf import Shelf

        evaluations = {}
        for folder in self.folders:
            found = files.read_summary(folder)
            if found is None:
                continue
            shelf = Shelf(open_store(folder.parent.resolve().as_uri()), folder.name)
            arms = shelf.arms("evaluation")
            metric: AskedMetric = found.metric if isinstance(found, Study) else "auto"
            evaluations[found.data.level] = [
                read_arm(shelf.path("evaluation", arm), metric) for arm in arms
            ]
        return levels.curves(self.summaries(), evaluations)
