"""What a dataset looks like: the data report and the sheet of samples."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from augstudy.core import canvas
from augstudy.data.reading import ClassDrawings
from augstudy.data.splits import Splits
from augstudy.settings.data import DataSettings
from augstudy.settings.spec import DRAWING

_BINS = 32
_SHEET_COLUMNS = 12


def data_report(
    drawings: Mapping[str, ClassDrawings], result: Splits, settings: DataSettings
) -> dict[str, Any]:
    """Counts and ink statistics of a dataset, as JSON-ready values.

    It names no source, so equal drawings give equal reports wherever they came from. Histograms
    and means cover the drawings in all splits; ``ink_share`` is the share of a drawing's
    pixels that are not background, ``pixel_value`` the values of those pixels.
    """
    images = np.concatenate([split.images for split in result.splits.values()])
    shares = (images > 0).mean(axis=(1, 2))
    inked = images[images > 0]
    return {
        "classes": {
            name: _class_report(drawings[name], result, label)
            for label, name in enumerate(settings.classes)
        },
        "total": {
            "read": sum(len(item.images) for item in drawings.values()),
            **{name: len(split) for name, split in result.splits.items()},
            "dropped": sum(sum(asdict(lost).values()) for lost in result.dropped.values()),
        },
        "train_pool_per_class": settings.train_per_class,
        "level": settings.used_level,
        "mean_ink": _rounded(images.mean() / 255),
        "ink_share": _histogram(shares, (0.0, 1.0)),
        "pixel_value": _histogram(inked, (0.0, 256.0)),
    }


@canvas.settings()
def draw_samples(result: Splits, classes: tuple[str, ...], path: Path) -> None:
    """Draw the first training drawings of each class, a labelled row per class, as a PNG."""
    train = result.splits["train"]
    rows = [train.images[train.labels == label][:_SHEET_COLUMNS] for label in range(len(classes))]
    columns = max(len(row) for row in rows)
    figure = Figure(figsize=(1.6 + 0.5 * columns, 0.5 * len(rows) + 0.2), dpi=120)
    left, right = 1.5 / figure.get_figwidth(), 1 - 0.1 / figure.get_figwidth()
    axes = figure.subplots(
        len(rows),
        1,
        squeeze=False,
        gridspec_kw={"left": left, "right": right, "bottom": 0.01, "top": 0.99, "hspace": 0.08},
    )
    for axis, name, row in zip(axes[:, 0], classes, rows, strict=True):
        axis.imshow(
            _strip(row, columns), cmap=canvas.GREYS, vmin=0, vmax=255, interpolation="nearest"
        )
        axis.set_axis_off()
        axis.text(-2, DRAWING.height / 2, name, ha="right", va="center", fontsize=9)
    figure.savefig(path, metadata={"Software": None})


def _class_report(item: ClassDrawings, result: Splits, label: int) -> dict[str, Any]:
    name = item.info.name
    of_class = {split: part.labels == label for split, part in result.splits.items()}
    images = np.concatenate([part.images[of_class[key]] for key, part in result.splits.items()])
    return {
        "available": item.available,
        "read": len(item.images),
        "dropped": asdict(result.dropped[name]),
        **{split: int(mask.sum()) for split, mask in of_class.items()},
        "unused": result.unused[name],
        "mean_ink": _rounded(images.mean() / 255),
    }


def _histogram(values: np.ndarray, span: tuple[float, float]) -> dict[str, list[float]]:
    counts, edges = np.histogram(values, bins=_BINS, range=span)
    return {"edges": [float(edge) for edge in edges], "counts": [int(count) for count in counts]}


def _strip(images: np.ndarray, columns: int) -> np.ndarray:
    """Drawings side by side, dark ink on white, each in a thin frame of white."""
    height, width = images.shape[1:]
    padded = np.full((height + 2, columns * (width + 2)), 255, np.uint8)
    for index, image in enumerate(images):
        start = index * (width + 2) + 1
        padded[1:-1, start : start + width] = 255 - image
    return padded


def _rounded(value: float) -> float:
    return round(float(value), 6)
