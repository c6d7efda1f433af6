"""A study at several levels: one run each, one after the other, and one page on all of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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

    def summaries(self) -> list[dict[str, Any]]:
        """summary.json of every finished run."""
        found = [folder / "summary.json" for folder in self.folders]
        return [json.loads(path.read_text()) for path in found if path.is_file()]

    def add(self, folder: Path) -> None:
        """Take in a finished run, and write the page on all so far."""
        from augstudy.report import levels, overview

        self.folders.append(folder)
        rows = overview.rows_of(self.folders)
        curves = levels.curves(self.summaries())
        overview.write_html(rows, self.page, curves, title="Levels")
