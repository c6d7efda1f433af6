"""What a dataset looks like: the data report and the sheet of samples."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from augstudy.core import canvas
from augstudy.core.arrays import Images
from augstudy.data.found import LEFT_OVER, Found
from augstudy.data.splits import NearCopy, Splits
from augstudy.data.suspicions import left_over, suspicions
from augstudy.settings.spec import ImageSpec

_BINS = 32
_SHEET_COLUMNS = 12
_NAMED = 20  # unreadable images of a class
_PAIRS_SHOWN = 24  # near copies
_ENLARGED = 2  # times


def data_report(found: Found, result: Splits) -> dict[str, Any]:
    """Counts and statistics of the images of a dataset, as JSON-ready values.

    It names no source, so equal images give equal reports wherever they came from. Histograms and
    means cover the images in all splits; ``brightness`` is the mean of an image, from 0 to 1. Of
    drawings, ``ink_share`` is the share of pixels that are not background, ``pixel_value`` the
    values of those pixels. ``suspicions`` are there only where something looks wrong, see
    :mod:`augstudy.data.suspicions`. With folds, counts are those of the first one, and ``folds``
    has the sizes of all.
    """
    images = np.concatenate([split.images for split in result.splits.values()])
    report: dict[str, Any] = {
        "classes": {
            name: _class_report(found, result, label) for label, name in enumerate(found.classes)
        },
        "total": {
            "read": sum(len(item.images) for item in found.classes.values()),
            **{name: len(split) for name, split in result.splits.items()},
            "dropped": sum(lost.total for lost in result.dropped.values()),
            "unreadable": sum(len(item.unreadable) for item in found.classes.values()),
        },
        "mean_ink": _rounded(images.mean() / 255),
        "brightness": _histogram(_brightness(images), (0.0, 1.0)),
        **{name: fact for name, fact in found.facts.items() if name != LEFT_OVER},
    }
    labels = np.concatenate([split.labels for split in result.splits.values()])
    suspicious = suspicions(images, labels, list(found.classes), found.spec)
    if suspicious := suspicious + left_over(found.facts.get(LEFT_OVER, {})):
        report["suspicions"] = suspicious
    if (folds := result.layout.folds) > 1:
        report["folds"] = [
            {name: len(split) for name, split in splits.items()}
            for splits in (result.splits, *result.more[: folds - 1])
        ]
    if result.copies is not None:
        report["near_copies"] = _copies_report(found, result.copies)
    if found.spec.is_drawing:
        report["ink_share"] = _histogram((images > 0).mean(axis=(1, 2)), (0.0, 1.0))
        report["pixel_value"] = _histogram(images[images > 0], (0.0, 256.0))
    return report


@canvas.settings()
def draw_samples(result: Splits, classes: tuple[str, ...], spec: ImageSpec, path: Path) -> None:
    """Draw the first training images of each class, a labelled row per class, as a PNG."""
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
            _strip(row, columns, spec), cmap=canvas.GREYS, vmin=0, vmax=255, interpolation="nearest"
        )
        axis.set_axis_off()
        axis.text(
            *(-2, spec.height / 2, name), ha="right", va="center", fontsize=9, parse_math=False
        )
    figure.savefig(path, metadata={"Software": None})


def draw_copies(found: Found, copies: Sequence[NearCopy], path: Path) -> None:
    """Draw the first pairs of near copies, one image above the other, as a PNG."""
    sides = [
        np.stack([found.classes[name].images[at] for name, at in places])
        for places in zip(
            *((pair.first, pair.second) for pair in copies[:_PAIRS_SHOWN]), strict=True
        )
    ]
    sheet = np.concatenate([_strip(images, len(images), found.spec) for images in sides])
    picture = Image.fromarray(sheet)
    size = (_ENLARGED * picture.width, _ENLARGED * picture.height)
    picture.resize(size, Image.Resampling.NEAREST).save(path)


def _copies_report(found: Found, copies: Sequence[NearCopy]) -> dict[str, Any]:
    """How many near copies there are, and which."""

    def named(place: tuple[str, int]) -> str:
        names = found.classes[place[0]].names
        return f"{place[0]}/{names[place[1]] if names else place[1]}"

    return {
        "pairs": len(copies),
        "images": len({place for pair in copies for place in (pair.first, pair.second)}),
        "of_two_classes": sum(pair.first[0] != pair.second[0] for pair in copies),
        "shown": [
            [named(pair.first), named(pair.second), round(pair.correlation, 3)]
            for pair in copies[:_PAIRS_SHOWN]
        ],
    }


def _class_report(found: Found, result: Splits, label: int) -> dict[str, Any]:
    name = list(found.classes)[label]
    item = found.classes[name]
    of_class = {split: part.labels == label for split, part in result.splits.items()}
    images = np.concatenate([part.images[of_class[key]] for key, part in result.splits.items()])
    return {
        "available": item.available,
        "read": len(item.images),
        "dropped": asdict(result.dropped[name]),
        **{split: int(mask.sum()) for split, mask in of_class.items()},
        "unused": result.unused[name],
        "unreadable": [list(why) for why in item.unreadable[:_NAMED]],
        "mean_ink": _rounded(images.mean() / 255),
    }


def _brightness(images: Images) -> np.ndarray:
    """The mean of each image, from 0 to 1."""
    means: np.ndarray = images.mean(axis=tuple(range(1, images.ndim))) / 255
    return means


def _histogram(values: np.ndarray, span: tuple[float, float]) -> dict[str, list[float]]:
    counts, edges = np.histogram(values, bins=_BINS, range=span)
    return {"edges": [float(edge) for edge in edges], "counts": [int(count) for count in counts]}


def _strip(images: Images, columns: int, spec: ImageSpec) -> np.ndarray:
    """Images side by side, each in a thin frame of white; drawings are dark ink on white."""
    height, width = spec.plane
    padded = np.full((height + 2, columns * (width + 2), *spec.stored[2:]), 255, np.uint8)
    for index, image in enumerate(images):
        start = index * (width + 2) + 1
        padded[1:-1, start : start + width] = 255 - image if spec.is_drawing else image
    return padded


def _rounded(value: float) -> float:
    return round(float(value), 6)
