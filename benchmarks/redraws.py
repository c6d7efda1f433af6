"""Do studies that have nothing in common agree? Real drawings, a small classifier and generator.

    python benchmarks/redraws.py --drawings FOLDER --redraws 400

Each redraw chooses its images anew, test images included, and trains generators and classifiers
with seeds of its own. The 95 % interval of one should hold what others find on average. Images are
dealt out by the product's ``ingest``, and compared by its statistics; classifier and generator are
small ones of scikit-learn, so that there can be many redraws: a network with one hidden layer, and
a normal distribution of each class.
"""

import argparse
import os
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from augstudy.core import artifacts, rng
from augstudy.core.arrays import Floats
from augstudy.core.machine import usable_cores
from augstudy.data.dataset import Split, load_split
from augstudy.data.parts import layout_of
from augstudy.metrics.classification import exact_interval
from augstudy.settings.data import DataSettings
from augstudy.stats.draws import Draws, by_draw
from augstudy.stats.paired import by_run, paired_difference
from augstudy.stats.scatter import run_scatter
from augstudy.stats.units import Units
from augstudy.steps import ingest

CLASSES = ("bird", "cat", "dog", "fish", "flower")
COUNTS = {"train_per_class": 150, "val_per_class": 5, "test_per_class": 80, "level": 30}
DRAWS, SEEDS, OTHERS = 3, 3, 20
ARMS = ("real", "replace", "add")  # by half of the real images, and as many synthetic ones
STEPS, BATCH = 150, 30
STIFF = 30.0  # added to variances: a class has fewer images than pixels

Outcomes = NDArray[np.bool_]


class Found(NamedTuple):
    """A difference to `real` with its interval, as shares."""

    mean: float
    low: float
    high: float


def redraw(source: str, number: int) -> dict[str, list[Found]]:
    """What a study finds: with draws, and with as many runs of its first draw alone."""
    with tempfile.TemporaryDirectory() as scratch:
        settings = DataSettings(source=source, classes=CLASSES, **COUNTS, draws=DRAWS, seed=number)
        path = ingest.run(Path(scratch) / "dataset", settings).path
        layout = layout_of(path)
        parts = [artifacts.read(layout.place(path, part)) for part in layout.parts]
        correct = [
            outcomes(load_split(part, "train"), load_split(part, "test"), number, draw)
            for draw, part in enumerate(parts)
        ]
    draws = np.repeat(np.arange(DRAWS), SEEDS)
    several = np.concatenate([of_draw[:, :SEEDS] for of_draw in correct], axis=1)
    return {"draws": compared(several, draws), "seeds": compared(correct[0], None)}


def outcomes(train: Split, test: Split, number: int, draw: int) -> Outcomes:
    """What each run of each arm got right of the test images: (A, S, N); the first has more runs.

    So studies with draws and without take equally many trainings.
    """
    runs = SEEDS if draw else DRAWS * SEEDS
    generator = rng.generator(number, draw)
    real, labels = features(train.images), train.labels
    made = synthetic(real, labels, generator)
    half = generator.permutation(len(labels)) % 2 == 0
    sets = {
        "real": (real, labels),
        "replace": (np.where(half[:, None], real, made), labels),
        "add": (np.concatenate([real, made]), np.tile(labels, 2)),
    }
    seen = features(test.images)
    return np.array(
        [
            [
                classifier(*sets[arm], seed=int(seed)).predict(seen) == test.labels
                for seed in rng.generator(number, draw, 1).integers(0, rng.SEEDS, runs)
            ]
            for arm in ARMS
        ]
    )


def features(images: NDArray[np.uint8]) -> Floats:
    """Means of 4 x 4 pixels: (N, 28, 28) to (N, 49)."""
    blocks = images.reshape(len(images), 7, 4, 7, 4).mean(axis=(2, 4))
    return np.asarray(blocks.reshape(len(images), -1) / 64)


def synthetic(real: Floats, labels: NDArray[np.int32], generator: np.random.Generator) -> Floats:
    """As many images of each class, from the normal distribution of a sample of its real ones."""
    made = np.empty_like(real)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        own = real[generator.choice(rows, len(rows))]  # a generator has luck, too
        spread = np.cov(own.T) + np.eye(own.shape[1]) * (STIFF / 64) ** 2
        made[rows] = generator.multivariate_normal(own.mean(axis=0), spread, len(rows))
    return made


def classifier(images: Floats, labels: NDArray[np.int32], seed: int) -> MLPClassifier:
    """A network with one hidden layer, after as many steps whatever the arm."""
    network = MLPClassifier(
        (24,),
        batch_size=BATCH,
        learning_rate_init=0.01,
        max_iter=STEPS * BATCH // len(labels),
        tol=0.0,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is stopped on purpose
        return network.fit(images, labels)


def compared(correct: Outcomes, draws: Draws) -> list[Found]:
    """Each arm minus the first, by the product's statistics."""
    units = Units.of(correct.shape[-1])
    runs = run_scatter(np.array([by_run(by_draw(arm, draws), units) for arm in correct]))
    found = [paired_difference(arm, correct[0], runs=runs, draws=draws) for arm in correct[1:]]
    return [Found(item.mean, item.low, item.high) for item in found]


def agreeing(redraws: Sequence[Sequence[Found]]) -> Iterator[bool]:
    """Whether the intervals of each redraw hold the mean of the redraws that come next."""
    count = len(redraws)
    for number, own in enumerate(redraws):
        others = [redraws[(number + 1 + more) % count] for more in range(OTHERS)]
        for at, found in enumerate(own):
            mean = float(np.mean([other[at].mean for other in others]))
            yield found.low <= mean <= found.high


def tally(redraws: Sequence[Sequence[Found]]) -> dict[str, object]:
    """How often they agree, and how wide intervals are, in points."""
    held = list(agreeing(redraws))
    share = float(np.mean(held))
    low, high = exact_interval(share, len(redraws))  # comparisons of one are not independent
    widths = [found.high - found.low for own in redraws for found in own]
    means = np.mean([[found.mean for found in own] for own in redraws], axis=0)
    return {
        "held": round(share, 4),
        "held_low": round(low, 4),
        "held_high": round(high, 4),
        "width": round(100 * float(np.mean(widths)), 2),
        "differences": dict(zip(ARMS[1:], (100 * means).round(2).tolist(), strict=True)),
    }


def main() -> None:
    """Run all redraws and write how often they agree."""
    from common import write  # tests import all else

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--drawings", required=True, help="folder of <class>.npy files")
    parser.add_argument("--redraws", type=int, default=400)
    parser.add_argument("--processes", type=int, default=usable_cores())
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of each process
    source, began = Path(asked.drawings).resolve().as_uri(), time.monotonic()
    with ProcessPoolExecutor(asked.processes, get_context("spawn")) as pool:
        every = range(asked.redraws)
        found = list(pool.map(redraw, [source] * asked.redraws, every, chunksize=4))
    results = {
        "command": f"python benchmarks/redraws.py --drawings FOLDER --redraws {asked.redraws}",
        "redraws": asked.redraws,
        "others": OTHERS,
        "draws": DRAWS,
        "seeds": SEEDS,
        "classes": len(CLASSES),
        **COUNTS,
        "minutes": round((time.monotonic() - began) / 60, 1),
        "found": {name: tally([item[name] for item in found]) for name in ("draws", "seeds")},
    }
    write("redraws", results)


if __name__ == "__main__":
    main()
