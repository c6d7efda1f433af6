"""Where the tests find real drawings and photos."""

import os
from pathlib import Path

VARIABLE = "AUGSTUDY_TEST_DATA"


def _data() -> Path:
    root = os.environ.get(VARIABLE)
    return Path(root) if root else Path(__file__).resolve().parents[2] / "shared" / "data"


def photos_folder() -> Path:
    """Folder of real photos, with ``cifar10/{train,test}/<class>/*.jpg``."""
    folder = _data() / "photos"
    if not (folder / "cifar10" / "train").is_dir():
        raise FileNotFoundError(f"No photos in {folder}: set {VARIABLE} to the folder above it.")
    return folder


def drawings_folder() -> Path:
    """Folder of real drawings, one ``<class>.npy`` each."""
    folder = _data()
    for candidate in (folder / "quickdraw_dataset" / "full" / "numpy_bitmap", folder):
        if any(candidate.glob("*.npy")):
            return candidate
    raise FileNotFoundError(f"No drawings in {folder}: set {VARIABLE} to their folder.")
