"""Small images of any size, and folders of them."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def pixels(number: int, height: int = 12, width: int = 12, channels: int = 3) -> np.ndarray:
    """A smooth picture of its own, uint8 (height, width) or (height, width, 3)."""
    random = np.random.default_rng([7, number])
    coarse = random.integers(0, 256, (4, 4) if channels == 1 else (4, 4, channels), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def encoded(image: np.ndarray | Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The content of an image file."""
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def class_folders(root: Path, counts: Mapping[str, int], start: int = 0, **shape: int) -> Path:
    """PNG files of so many different images per class, below `root`."""
    for name, count in counts.items():
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(count):
            (folder / f"{index:04}.png").write_bytes(encoded(pixels(start, **shape)))
            start += 1
    return root
