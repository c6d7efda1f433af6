"""What ``quality.json`` says of synthetic images, each figure beside what real ones would get.

The reference is the validation split: the GAN has not seen it, and test is read by `evaluate`
alone. The real images in the place of the synthetic ones come from the training pool.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from augstudy.core.arrays import Floats, Images, Labels
from augstudy.metrics import generative
from augstudy.metrics.classification import CONFIDENCE, exact_interval
from augstudy.metrics.figures import FIGURES, Seen
from augstudy.metrics.gan_training import coarse
from augstudy.metrics.generative import Indices

MOST = 3000
LEAST = 2 * (generative.DENSITY_K + 1)
_NEIGHBOURS = ("precision", "recall", "density", "coverage")
_WITHIN_CLASS = ("diversity",)
_SIGMAS = float(stats.norm.ppf((1 + CONFIDENCE) / 2))
_PAIRS = 4  # images, of which two halves have two each
_DIGITS = 6

Record = dict[str, Any]


def common_counts(splits: Sequence[Labels], classes: int) -> list[int]:
    """Images of each class that all of the labelled sets have; at most about `MOST` in all."""
    fewest = np.min([np.bincount(labels, minlength=classes) for labels in splits], axis=0)
    total = max(int(fewest.sum()), MOST)
    return [int(count) * MOST // total for count in fewest]


def first_of_each(labels: Labels, counts: Sequence[int]) -> Indices:
    """Rows of the first images of each class, as many as asked for, class by class."""
    found = [np.flatnonzero(labels == label)[:count] for label, count in enumerate(counts)]
    return np.concatenate(found)


def measure(
    reference: Seen, real: Seen, fake: Seen, training: Images, classes: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Every figure that needs no training, of all images and of each class.

    Args:
        reference: validation images.
        real: images of the training pool, as many, for what real ones get.
        fake: synthetic images, as many.
        training: uint8 (M, height, width[, 3]), what the GAN has learnt from.
        classes: names of the C classes.

    Returns:
        ``metrics`` and ``per_class``; each record has ``value``, ``low`` and ``high`` (a 95 %
        interval over other draws of the images), ``n``, ``direction`` and ``real``.
    """
    names = ("fid_qd", "kid", *_NEIGHBOURS)
    metrics = _seen_by_judge(reference, real, fake, names)
    metrics["gan_test"] = accuracy_record("gan_test", fake, reference)
    metrics |= _compared(reference, real, fake)
    known = coarse(training)
    usual, found = (generative.nearest(coarse(seen.images), known) for seen in (reference, fake))
    metrics |= _near_training(usual, found)
    per_class: dict[str, Any] = {
        name: _of_class(reference.of(label), real.of(label), fake.of(label))
        | _of_class_near_training(usual[reference.labels == label], found[fake.labels == label])
        for label, name in enumerate(classes)
        if (fake.labels == label).any()
    }
    per_class = {name: per_class.get(name, {}) for name in classes}
    return {"metrics": {name: metrics[name] for name in FIGURES if name in metrics}} | {
        "per_class": per_class
    }


def share_record(name: str, hits: NDArray[np.bool_], real: float) -> Record:
    """A share of images with its exact interval."""
    share = float(hits.mean())
    return _record(name, share, exact_interval(share, len(hits)), len(hits), real)


def accuracy_record(name: str, judged: Seen, real: Seen) -> Record:
    """How often the judge sees the class that an image was made for."""
    hits, real_hits = (
        generative.recognised(seen.probabilities, seen.labels) for seen in (judged, real)
    )
    return share_record(name, hits, float(real_hits.mean()))


def _seen_by_judge(
    reference: Seen, real: Seen, fake: Seen, names: Sequence[str]
) -> dict[str, Record]:
    """Those of the figures of distance and neighbourhood in the judge's features."""
    x, y, z = reference.features, fake.features, real.features
    pairs, floor = _Pairs.of(x, y), _Pairs.of(x, z).figures(names)
    errors = generative.standard_error(
        lambda rows, others: list(pairs.among(rows, others).figures(names).values()), len(x), len(y)
    )
    return {
        name: _record(name, value, _around(name, value, error, len(y)), len(y), floor[name])
        for (name, value), error in zip(pairs.figures(names).items(), errors, strict=True)
    }


@dataclass(frozen=True)
class _Pairs:
    """Two sets of features with the kernel and the distance of all pairs, computed once."""

    x: Floats
    y: Floats
    kernels: tuple[Floats, Floats, Floats]
    distances: tuple[Floats, Floats, Floats]

    @classmethod
    def of(cls, x: Floats, y: Floats) -> "_Pairs":
        return cls(x, y, generative.kernels(x, y), generative.distances(x, y))

    def among(self, rows: Indices, others: Indices) -> "_Pairs":
        """The same for some of the rows of either set."""
        own, theirs, both = np.ix_(rows, rows), np.ix_(others, others), np.ix_(rows, others)
        kernels, distances = (
            (group[0][own], group[1][theirs], group[2][both])
            for group in (self.kernels, self.distances)
        )
        return _Pairs(self.x[rows], self.y[others], kernels, distances)

    def figures(self, names: Sequence[str]) -> dict[str, float]:
        found: dict[str, float] = {}
        if "fid_qd" in names:
            found["fid_qd"] = generative.frechet_distance(self.x, self.y)
        if "kid" in names:
            found["kid"] = generative.discrepancy(*self.kernels)
        if set(names) & set(_NEIGHBOURS):
            found |= generative.neighbourhoods(*self.distances)
        return {name: found[name] for name in names}


def _compared(reference: Seen, real: Seen, fake: Seen) -> dict[str, Record]:
    """The figures that are a function of the reference and the images that are judged.

    Those of pairs within a class only where each class has images enough.
    """
    fewest = np.unique(fake.labels, return_counts=True)[1].min()
    left_out = _WITHIN_CLASS if fewest < _PAIRS else ()
    own = {
        name: item.compute
        for name, item in FIGURES.items()
        if item.compute and name not in left_out
    }
    if not own:
        return {}
    n = len(fake.labels)
    errors = generative.standard_error(
        lambda rows, others: [of(reference.at(rows), fake.at(others)) for of in own.values()], n, n
    )
    found = {}
    for (name, of), error in zip(own.items(), errors, strict=True):
        value = of(reference, fake)
        interval = _around(name, value, error, n)
        found[name] = _record(name, value, interval, n, of(reference, real))
    return found


def _near_training(usual: Floats, found: Floats) -> dict[str, Record]:
    """Memorisation: how near the nearest training image is, in pixels averaged by :func:`coarse`.

    Of the distances, those `usual` of held-out images and those `found` of synthetic ones.
    """
    value, error = float(found.mean()), float(found.std(ddof=1) / np.sqrt(len(found)))
    interval = _around("nearest_training", value, error, len(found))
    copies, real = generative.unusually_near(found, usual), float(usual.mean())
    return {
        "nearest_training": _record("nearest_training", value, interval, len(found), real),
        "near_copies": share_record("near_copies", copies, generative.UNUSUALLY_NEAR),
    }


def _of_class(reference: Seen, real: Seen, fake: Seen) -> dict[str, Record]:
    """Figures of one class, as far as it has images enough."""
    n, features = fake.features.shape
    needed = {"fid_qd": 2 * features, "kid": _PAIRS, **dict.fromkeys(_NEIGHBOURS, LEAST)}
    names = [name for name, least in needed.items() if n >= least]
    found = _seen_by_judge(reference, real, fake, names) if names else {}
    found |= {"gan_test": accuracy_record("gan_test", fake, reference)}
    return found | _compared(reference, real, fake) if n >= _PAIRS else found


def _of_class_near_training(usual: Floats, found: Floats) -> dict[str, Record]:
    """Memorisation within one class; near copies only where 1 % of its images is one at least."""
    if len(usual) < _PAIRS:
        return {}
    records = _near_training(usual, found)
    if len(usual) * generative.UNUSUALLY_NEAR < 1:
        del records["near_copies"]
    return records


def _around(name: str, value: float, error: float, n: int) -> tuple[float, float]:
    if not FIGURES[name].share:
        least = -np.inf if name == "kid" else 0.0
        return max(value - _SIGMAS * error, least), value + _SIGMAS * error
    if not error:  # no half of the images differs from another: the exact interval has a width
        return exact_interval(value, n)
    return max(value - _SIGMAS * error, 0.0), min(value + _SIGMAS * error, 1.0)


def _record(name: str, value: float, interval: tuple[float, float], n: int, real: float) -> Record:
    low, high = interval
    numbers = {"value": value, "low": low, "high": high, "real": real}
    rounded = {key: float(f"{item:.{_DIGITS}g}") for key, item in numbers.items()}
    return {**rounded, "n": n, "direction": FIGURES[name].direction}
