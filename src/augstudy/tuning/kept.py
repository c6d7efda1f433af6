"""What the artifact of a worker of a sweep holds, filled point by point."""

import math
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from augstudy.core.files import write_arrays, write_json
from augstudy.tuning.points import HISTORY, POINTS


@dataclass
class Kept:
    """What the artifact will hold of the points that are trained."""

    records: list[dict[str, Any]] = field(default_factory=list)
    arrays: dict[str, Any] = field(default_factory=dict)
    histories: list[pd.DataFrame] = field(default_factory=list)
    costs: dict[str, Any] = field(default_factory=dict)
    best: tuple[float, str] = (-math.inf, "")

    def rank(self, models: Path, name: str, worth: float, spared: str = "") -> None:
        """Keep in `models` the best point alone, and the one `spared`, now that `name` is there."""
        dropped = name
        if worth > self.best[0]:
            dropped, self.best = self.best[1], (worth, name)
        if dropped and dropped != spared:
            shutil.rmtree(models / dropped)

    def write(self, folder: Path, classes: list[str], arrays: str) -> None:
        """Put it into the draft `folder` of an artifact; the arrays go into a file so named."""
        write_json(folder / POINTS, self.records)
        write_json(folder / "classes.json", classes)
        write_arrays(folder / arrays, **self.arrays)
        histories = self.histories or [pd.DataFrame(columns=["point", "seed"])]
        pd.concat(histories).to_csv(folder / HISTORY, index=False)
