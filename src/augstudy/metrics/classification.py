"""The scores of a classifier trained with several seeds, with intervals.

Point values and bootstrap share the formulas of :mod:`augstudy.metrics.scores`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats

from augstudy.core import rng
from augstudy.core.arrays import Floats
from augstudy.core.errors import DataError
from augstudy.metrics.scores import BY_CLASS, SCORES, Counts

CONFIDENCE = 0.95
RESAMPLES = 2000
_CHUNK = 250


def evaluate_predictions(
    probabilities: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    classes: Sequence[str],
    seeds: Sequence[int],
    resamples: int = RESAMPLES,
    draws: NDArray[np.integer[Any]] | None = None,
) -> dict[str, Any]:
    """Everything ``metrics.json`` holds about one arm.

    Values are means over seeds. A class that is never predicted has precision 0. Each 95 %
    interval is the percentile interval of a bootstrap that resamples test images within their
    class and, independently, seeds (the pigeonhole bootstrap of Owen, "The pigeonhole bootstrap",
    Annals of Applied Statistics 1, 2007; mildly conservative). It covers another draw of test
    images and another training run; with one seed only the former. Where all resamples agree,
    such as a perfect score, the exact binomial interval of the images counted takes its place, if
    the score is a share of them.

    Args:
        probabilities: (S, N, C), one row of class probabilities per seed and test image.
        labels: (N,), index into `classes` of each test image.
        classes: the C class names.
        seeds: the S seeds.
        resamples: bootstrap resamples.
        draws: (S,), in ascending order, the repetition of split and generators that each seed
            belongs to; of several, whole ones are resampled instead of seeds.

    Returns:
        ``{"n", "seeds", "metrics", "per_class", "confusion"}``; all numbers finite, directions
        given. ``confusion.mean`` is (C, C): rows are true classes, counts are means over seeds.

    Raises:
        DataError: shapes do not fit together, or a probability is not finite.
    """
    _check(probabilities, labels, classes, seeds)
    predicted = probabilities.argmax(axis=-1)
    confusion = confusion_matrices(predicted, labels, len(classes))
    point = _scores(_counts_of(confusion))
    if draws is None or draws[0] == draws[-1]:
        draws = np.arange(len(seeds))
    drawn = _bootstrap(predicted, labels, len(classes), resamples, draws)
    trials = _trials(confusion)
    measures = {
        name: _measure(point[name], drawn[name], trials.get(name), item.direction)
        for name, item in SCORES.items()
    }
    per_class = {
        label: {
            name: _measure(point[name][:, index], drawn[name][:, index], trials[name][index])
            for name in BY_CLASS
        }
        | {"support": int(confusion[0, index].sum())}
        for index, label in enumerate(classes)
    }
    return {
        "n": len(labels),
        "seeds": [int(seed) for seed in seeds],
        "metrics": measures,
        "per_class": per_class,
        "confusion": {"mean": confusion.mean(axis=0).tolist()},
    }


def confusion_matrices(
    predicted: NDArray[np.integer[Any]], labels: NDArray[np.integer[Any]], classes: int
) -> NDArray[np.int64]:
    """Count predictions: (S, N) class indices and (N,) labels to (S, C, C), rows = true class."""
    pairs = labels.astype(np.int64) * classes + predicted
    offsets = np.arange(len(predicted))[:, None] * classes**2
    counts = np.bincount((pairs + offsets).ravel(), minlength=len(predicted) * classes**2)
    return counts.reshape(-1, classes, classes)


def _scores(counts: Counts) -> dict[str, Floats]:
    """Those by class, shaped like the counts, and the others, without their last axis."""
    return {name: compute(counts) for name, compute in BY_CLASS.items()} | {
        name: item.compute(counts) for name, item in SCORES.items()
    }


def _check(
    probabilities: NDArray[Any], labels: NDArray[Any], classes: Sequence[str], seeds: Sequence[int]
) -> None:
    expected = (len(seeds), len(labels), len(classes))
    if probabilities.shape != expected or 0 in expected:
        raise DataError(
            f"Predictions have shape {probabilities.shape}, but {expected} (seeds, test images, "
            "classes) is needed: evaluate the classifier again."
        )
    if labels.min() < 0 or labels.max() >= len(classes):
        raise DataError(f"A test label lies outside 0..{len(classes) - 1}: ingest the data again.")
    if not np.isfinite(probabilities).all():
        raise DataError("A predicted probability is not finite: train the classifier again.")


def _counts_of(confusion: NDArray[np.int64]) -> Counts:
    """Each count (S, C)."""
    counts = confusion.astype(np.float64)
    return Counts(counts.sum(axis=2), counts.sum(axis=1), np.diagonal(counts, axis1=1, axis2=2))


def _trials(confusion: NDArray[np.int64]) -> dict[str, Floats]:
    """Images each score is a share of: the n of a binomial interval, a class or in all."""
    counts = _counts_of(confusion)
    support, predicted = counts.support.mean(axis=0), counts.predicted.mean(axis=0)
    everywhere = [name for name, item in SCORES.items() if item.share]
    by_class = {"precision": predicted, "recall": support, "f1": support}
    return by_class | dict.fromkeys(everywhere, np.asarray(support.sum()))


def _bootstrap(
    predicted: NDArray[np.integer[Any]],
    labels: NDArray[np.integer[Any]],
    classes: int,
    resamples: int,
    draws: NDArray[np.integer[Any]],
) -> dict[str, Floats]:
    """Each score of each resample: (B,) or (B, C)."""
    generator = rng.generator(0)
    seeds = len(predicted)
    called = _indicator(predicted, classes)
    hit = _indicator(np.where(predicted == labels, predicted, -1), classes)
    support = np.bincount(labels, minlength=classes).astype(np.float64)
    parts: list[dict[str, Floats]] = []
    for weights in image_weights(labels, resamples, generator):
        shape = (len(weights), seeds, classes)
        # Resampling keeps each class's size, so support is the same in every resample.
        counts = Counts(
            np.broadcast_to(support, shape),
            np.asarray((called @ weights.T).T).reshape(shape),
            np.asarray((hit @ weights.T).T).reshape(shape),
        )
        share = times_drawn(draws, len(weights), generator) / seeds
        parts.append(
            {key: np.einsum("bs,bs...->b...", share, v) for key, v in _scores(counts).items()}
        )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _indicator(chosen: NDArray[np.integer[Any]], classes: int) -> sparse.csr_array:
    """(S, N) class indices (negative: none) to a sparse 0/1 matrix (S * C, N)."""
    seed, image = np.nonzero(chosen >= 0)
    rows = seed * classes + chosen[seed, image]
    shape = (len(chosen) * classes, chosen.shape[1])
    return sparse.csr_array((np.ones(len(rows)), (rows, image)), shape=shape)


def times_drawn(
    draws: NDArray[np.integer[Any]], resamples: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """How often each bootstrap resample holds each of S runs, which go together by draw: (B, S).

    Args:
        draws: (S,), the draw of each run; draws have equally many.
        resamples: B.
        generator: source of randomness.
    """
    found, of_run = np.unique(draws, return_inverse=True)
    times = generator.multinomial(len(found), np.full(len(found), 1 / len(found)), resamples)
    return np.asarray(times[:, of_run])


def image_weights(
    labels: NDArray[np.integer[Any]], resamples: int, generator: np.random.Generator
) -> Iterator[Floats]:
    """How often each bootstrap resample holds each of N images, in chunks of rows (b, N).

    Args:
        labels: (N,); images are resampled within their label, so that class sizes stay.
        resamples: rows in all.
        generator: source of randomness.
    """
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    for start in range(0, resamples, _CHUNK):
        count = min(_CHUNK, resamples - start)
        weights = np.zeros((count, len(labels)))
        for group in groups:
            size = len(group)
            drawn = generator.integers(0, size, (count, size)) + np.arange(count)[:, None] * size
            times = np.bincount(drawn.ravel(), minlength=count * size).reshape(count, size)
            weights[:, group] = times
        yield weights


def _measure(
    point: Floats, draws: Floats, trials: Floats | None, direction: str = "higher"
) -> dict[str, Any]:
    """The record of one score from its values by seed (S,) and by resample (B,)."""
    value = float(point.mean())
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    if high - low < 1e-12 and trials is not None:
        low, high = exact_interval(value, float(trials))
    return {
        "value": value,
        "low": float(min(low, value)),
        "high": float(max(high, value)),
        "std": float(point.std(ddof=1)) if len(point) > 1 else 0.0,
        "by_seed": [float(item) for item in point],
        "direction": direction,
    }


def exact_interval(share: float, trials: float) -> tuple[float, float]:
    """Clopper-Pearson 95 % interval of a share of `trials`; nothing counted gives (0, 1)."""
    hits, tail = share * trials, (1 - CONFIDENCE) / 2
    low = stats.beta.ppf(tail, hits, trials - hits + 1) if hits > 0 else 0.0
    high = stats.beta.ppf(1 - tail, hits + 1, trials - hits) if hits < trials else 1.0
    return float(low), float(high)
