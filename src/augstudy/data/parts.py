"""The parts of a dataset that was split several times: by draw, and within a draw by fold.

The first part is the artifact itself; each of the others is a dataset of its own within it.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from augstudy.core.artifacts import MANIFEST


@dataclass(frozen=True)
class Part:
    """A fold of a draw; both are numbered from 0."""

    draw: int = 0
    fold: int = 0


@dataclass(frozen=True)
class Layout:
    """How often a dataset was split: `draws` times, each time into `folds`; 1 means once."""

    draws: int = 1
    folds: int = 1

    @property
    def parts(self) -> list[Part]:
        """All parts, the folds of a draw beside each other."""
        return [Part(draw, fold) for draw in range(self.draws) for fold in range(self.folds)]

    @property
    def several(self) -> bool:
        """Whether there is more than one part."""
        return self.draws * self.folds > 1

    def name(self, part: Part) -> str:
        """What a folder with what was made of a part is called; empty where there is only one."""
        names = [f"draw-{part.draw}"] if self.draws > 1 else []
        if self.folds > 1:
            names.append(f"fold-{part.fold}")
        return "-".join(names)

    def place(self, dataset: Path, part: Part) -> Path:
        """Where the dataset of a part is, within the artifact at `dataset`."""
        return dataset if part == Part() else dataset / self.name(part)


def layout_of(path: Path) -> Layout:
    """How the dataset at `path` was split; once if it is a part itself, or cannot be read."""
    try:
        config = json.loads((path / MANIFEST).read_bytes())["config"]
        if {"fold", "draw"} & set(config):
            return Layout()
        return Layout(int(config.get("draws", 1)), int(config.get("folds", 0)) or 1)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return Layout()
