"""The statistics on as much as a large study has: seconds, and memory on top of the outcomes.

    python benchmarks/bootstrap.py --seeds 10 --images 10000 --resamples 10000

Each figure is of one comparison of two arms (a curve: of ten arms at four levels), in a process
that does nothing else. Memory is the highest that Python and NumPy had allocated at once.
"""

import argparse
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import common
import numpy as np

from augstudy.stats.learning import accuracy_draws
from augstudy.stats.paired import paired_difference
from augstudy.stats.usual import mcnemar, two_way_bootstrap

ARMS, LEVELS = 10, (25, 50, 100, 250)


def measure(work: Callable[[], Any], repeats: int) -> dict[str, Any]:
    """Seconds of each repetition, and memory of one more: counting it takes time itself."""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"seconds": common.summary(seconds), "peak_mib": round(peak / 2**20, 1)}


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    generator = np.random.default_rng(0)
    shape = (options.seeds, options.images)
    one, other = (generator.random(shape) < share for share in (0.83, 0.82))
    cells = {
        (level, str(arm)): generator.random(shape) < 0.8 for level in LEVELS for arm in range(ARMS)
    }
    works: dict[str, Callable[[], Any]] = {
        "two_way_bootstrap": lambda: two_way_bootstrap(one, other, options.resamples),
        "paired_difference": lambda: paired_difference(one, other, options.resamples),
        "mcnemar": lambda: mcnemar(one, other),
        "learning_curve": lambda: accuracy_draws(cells, True, options.resamples),
    }
    results: dict[str, Any] = {
        "command": f"python benchmarks/bootstrap.py --seeds {options.seeds} "
        f"--images {options.images} --resamples {options.resamples}",
        "seeds": options.seeds,
        "images": options.images,
        "resamples": options.resamples,
        "works": {name: measure(work, options.repeats) for name, work in works.items()},
    }
    common.write("bootstrap", results)


if __name__ == "__main__":
    main()
