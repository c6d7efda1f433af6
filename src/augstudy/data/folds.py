"""Where the folds of a dataset are, see :mod:`augstudy.data.dataset`."""

import json
from pathlib import Path

from augstudy.core.artifacts import MANIFEST


def place_of_fold(path: Path, number: int) -> Path:
    """Where the dataset of a fold is, within the artifact at `path`."""
    return path / f"fold-{number}" if number else path


def folds_of(path: Path) -> int:
    """How many folds the dataset at `path` has; 0 if it has none, is one, or cannot be read."""
    try:
        config = json.loads((path / MANIFEST).read_bytes())["config"]
        return 0 if "fold" in config else int(config.get("folds", 0))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return 0
