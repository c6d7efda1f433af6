"""What looks surely wrong about the images of a dataset, though each of them can be read.

Codes with numbers; :mod:`augstudy.pages.suspicions` puts them into words. ``inverted``: drawings
that are mostly ink. ``dark``: no pixel is bright, as where values were scaled to 0-1 before they
became whole numbers. ``separable``: one number of each image tells a class from all others,
which no class does that is worth learning. ``left_over``: a file goes on behind its images.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augstudy.core.arrays import Images, Labels
from augstudy.settings.spec import ImageSpec

MOSTLY_INK = 0.5
DARK = 31  # of 255: the brightest pixel of images that nobody would see
_FEWEST = 10  # images on either side, so that chance separates none
_FEWEST_FOR_PIXELS = 20  # of which there are many more than of other numbers
_SEPARATE = 0.999  # of all pairs of an image of the class and another one

Suspicion = dict[str, Any]


def suspicions(
    images: Images, labels: Labels, classes: Sequence[str], spec: ImageSpec
) -> list[Suspicion]:
    """What looks wrong about the images of all splits; nothing is the usual case.

    Args:
        images: uint8 (N, height, width) or (N, height, width, 3).
        labels: (N,), their classes.
        classes: names by label.
        spec: what the images are like.
    """
    parts = [images[labels == label] for label in range(len(classes))]
    found: list[Suspicion] = []
    if spec.is_drawing:
        means = [float(part.mean() / 255) for part in parts]
        inverted = [name for name, mean in zip(classes, means, strict=True) if mean > MOSTLY_INK]
        if inverted:
            found.append(
                {"code": "inverted", "classes": inverted, "mean_ink": round(max(means), 3)}
            )
    brightest = [int(part.max(initial=0)) for part in parts]
    dark = [name for name, most in zip(classes, brightest, strict=True) if most <= DARK]
    if dark:
        most = max(item for item in brightest if item <= DARK)
        found.append({"code": "dark", "classes": dark, "brightest": most})
    return found + list(_separable(images, labels, classes))


def left_over(found: Mapping[str, int]) -> list[Suspicion]:
    """The same about the bytes behind the images of the files of classes, by name."""
    return [
        {"code": "left_over", "classes": [name], "bytes": count}
        for name, count in found.items()
        if count
    ]


def _separable(images: Images, labels: Labels, classes: Sequence[str]) -> Iterator[Suspicion]:
    """The first number for each class that tells it from all others; of two, both are named."""
    told: dict[str, list[str]] = {}
    for figure, values in _figures(images).items():
        ranks = _ranks(values)
        for label, name in enumerate(classes):
            own = labels == label
            count, others = int(own.sum()), int((~own).sum())
            if min(count, others) < _FEWEST:
                continue
            above = (ranks[own].sum() - count * (count + 1) / 2) / (count * others)
            before = any(name in names for names in told.values())
            if not before and not 1 - _SEPARATE < above < _SEPARATE:
                told.setdefault(figure, []).append(name)
    known = {name for names in told.values() for name in names}
    marked = [name for name in _marked(images, labels, classes) if name not in known]
    if marked:
        told["pixel"] = marked
    for figure, names in told.items():
        yield {"code": "separable", "figure": figure, "classes": names}


def _marked(images: Images, labels: Labels, classes: Sequence[str]) -> Iterator[str]:
    """The classes with a pixel that is brighter, or darker, in each of their images than in others.

    Such as a logo, or the frame of a scanner.
    """
    flat = images.reshape(len(images), -1)
    for label, name in enumerate(classes):
        own, others = flat[labels == label], flat[labels != label]
        if min(len(own), len(others)) >= _FEWEST_FOR_PIXELS and (
            (own.min(axis=0) > others.max(axis=0)).any()
            or (own.max(axis=0) < others.min(axis=0)).any()
        ):
            yield name


def _figures(images: Images) -> dict[str, NDArray[np.float64]]:
    """Numbers by which nothing worth learning can be told: (N,) each."""
    grey = images.mean(axis=3) if images.ndim == 4 else images.astype(np.float64)
    edge = [grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]]
    found = {
        "brightness": grey.mean(axis=(1, 2)),
        "contrast": grey.std(axis=(1, 2)),
        "edge": np.concatenate(edge, axis=1).mean(axis=1),
    }
    if images.ndim == 4:
        means = images.mean(axis=(1, 2))
        found |= {"red": means[:, 0], "green": means[:, 1], "blue": means[:, 2]}
    return found


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1, the mean of them for equal values."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean: NDArray[np.float64] = (last - (counts - 1) / 2)[place]
    return mean
