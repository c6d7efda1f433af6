"""Where the tests find real drawings."""

import os
from pathlib import Path

VARIABLE = "AUGSTUDY_TEST_DATA"


def drawings_folder() -> Path:
    """Folder of real drawings, one ``<class>.npy`` each."""
    root = os.environ.get(VARIABLE)
    folder = Path(root) if root else Path(__file__).resolve().parents[2] / "shared" / "data"
    for candidate in (folder / "quickdraw_dataset" / "full" / "numpy_bitmap", folder):
        if any(candidate.glob("*.npy")):
            return candidate
    raise FileNotFoundError(f"No drawings in {folder}: set {VARIABLE} to their folder.")
