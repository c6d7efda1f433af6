"""How often intervals hold the truth, verdicts are wrong, and plans come true: by simulation.

    python benchmarks/coverage.py --studies 2000

The studies are those of ``simulated.py``. Each case is simulated without any difference between
arms, and with one of three points. Beside our intervals stand those that others report. The plan
is what ``detectable`` says of 1,000 images before a run; half as many studies of three sizes say
what they find four times in five.
"""

import argparse
import itertools
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from functools import partial
from typing import Any, NamedTuple, cast

import common
import numpy as np
from rich.progress import Progress
from scipy import stats
from simulated import (
    ASSUMED_RUNS,
    Case,
    Compared,
    Stopped,
    compared,
    held,
    misjudged,
    sees,
    stopped,
)

from augstudy.core.machine import usable_cores
from augstudy.metrics.classification import exact_interval
from augstudy.stats.power import POWER, assumed_noise, detectable

SIZE = 0.03
CASES = {
    "one_seed": Case(seeds=1),
    "three_seeds": Case(seeds=3, training=1),
    "five_seeds": Case(training=1),
    "unsteady_runs": Case(seeds=3, runs=2),
    "unequal_classes": Case(classes=(200, 120, 60, 20)),
    "groups": Case(sizes=(8,) * 50),
    "unequal_groups": Case(classes=(90,) * 5, sizes=(30, 20, 10, 5, 3, 2, 2, 1, 1, 1) * 6),
    "folds": Case(parts=5, training=1),
    "folds_and_seeds": Case(parts=5, runs=0.5, alike=1),
    "folds_and_groups": Case(parts=5, sizes=(8,) * 50, training=1),
    "draws": Case(seeds=3, draws=3, drawn=1),
    "draws_of_one_seed": Case(seeds=1, draws=5, drawn=1.5),
    "draws_and_folds": Case(seeds=2, draws=3, drawn=1, parts=5),
    "draws_and_arms": Case(seeds=2, draws=3, drawn=1, arms=4),
    "six_arms": Case(seeds=3, arms=6),
    "classes": Case(per_class=True),
}
SETTINGS = (0.0, SIZE)
AROUND = (0.8, 1.0, 1.2)  # times the size that is planned
LOOKS = (3, 5, 8, 12)  # those of --seeds auto
ROUNDS = {"two_arms": Case(seeds=12), "five_arms": Case(seeds=12, arms=5)}
AT_ONCE = 50  # studies that a process is asked for

Found = list[Compared]  # by one study


class Plan(NamedTuple):
    """A study of 1,000 images in 5 classes: a fifth are test images, or all are, in five folds."""

    layout: str
    seeds: int
    comparisons: int

    def case(self) -> Case:
        """What it looks like, with the noise that is assumed before a run."""
        classes, parts = ((200,) * 5, 5) if self.layout == "folds" else ((40,) * 5, 1)
        return Case(self.seeds, classes, (), parts, self.comparisons + 1, runs=ASSUMED_RUNS)

    def detectable(self) -> float:
        """The difference that it is said to find four times in five, as a share."""
        case = self.case()
        noise = assumed_noise(self.comparisons, folds=case.parts)
        return detectable(noise, self.seeds, sum(case.classes), self.comparisons)


PLANS = [Plan(*it) for it in itertools.product(("split", "folds"), (3, 5), (1, 4))]


class Chunk(NamedTuple):
    """Some studies of a case, or of a plan, of which it is only asked what they see."""

    key: tuple[int, ...]
    case: Case
    size: float
    studies: range
    resamples: int

    def run(self) -> tuple[list[Any], float]:
        """What every study finds, and the processor seconds that it took."""
        began = time.process_time()
        made = cast(Any, (compared, sees, partial(stopped, looks=LOOKS))[self.key[0]])
        found = [
            made(self.case, self.size, self.resamples, *self.key, study) for study in self.studies
        ]
        return found, time.process_time() - began


def work(studies: int, resamples: int) -> Iterator[Chunk]:
    """Everything to be simulated: cases by setting, then plans by size."""
    todo = [
        ((0, at, setting), case, size, studies)
        for at, case in enumerate(CASES.values())
        for setting, size in enumerate(SETTINGS)
    ]
    todo += [
        ((1, at, step), plan.case(), plan.detectable() * times, max(1, studies // 2))
        for at, plan in enumerate(PLANS)
        for step, times in enumerate(AROUND)
    ]
    todo += [
        ((2, at, setting), case, size, studies)
        for at, case in enumerate(ROUNDS.values())
        for setting, size in enumerate(SETTINGS)
    ]
    for key, case, size, count in todo:
        for start in range(0, count, AT_ONCE):
            yield Chunk(key, case, size, range(start, min(start + AT_ONCE, count)), resamples)


def simulated(
    chunks: Sequence[Chunk], processes: int
) -> tuple[dict[tuple[int, ...], list[Any]], float]:
    """What all studies find, by key, in their order, and the processor seconds that they took."""
    found: dict[tuple[int, ...], dict[int, list[Any]]] = {}
    seconds = 0.0
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawning) as pool, Progress() as progress:
        task = progress.add_task("Studies", total=sum(len(chunk.studies) for chunk in chunks))
        running = {pool.submit(chunk.run): chunk for chunk in chunks}
        for done in as_completed(running):
            chunk = running[done]
            studies, took = done.result()
            found.setdefault(chunk.key, {})[chunk.studies.start] = studies
            seconds += took
            progress.advance(task, len(chunk.studies))
    return {
        key: [study for start in sorted(parts) for study in parts[start]]
        for key, parts in found.items()
    }, seconds


def share(value: float, trials: int) -> dict[str, float]:
    """A share of so many studies, with its exact 95 % interval."""
    low, high = exact_interval(value, trials)
    return {"share": round(value, 4), "low": round(low, 4), "high": round(high, 4)}


def tally(none: Sequence[Found], some: Sequence[Found]) -> dict[str, Any]:
    """What studies of a case come to, without any difference and with some; widths in points.

    Comparisons of one study are not independent, so as many are counted as there are studies.
    """
    studies = [*none, *some]
    rows = [row for study in studies for row in study]
    names = list(rows[0].intervals)
    widths = {name: np.mean([np.ptp(row.intervals[name]) for row in rows]) for name in names}
    right = np.mean([row.verdict == "helps" for study in some for row in study if row.truth > 0])
    return {
        "coverage": {name: share(held(studies, name), len(studies)) for name in names},
        "coverage_none": share(held(none, "ours"), len(none)),
        "coverage_some": share(held(some, "ours"), len(some)),
        "coverage_overall": share(held(some, "ours", overall=True), len(some)),
        "width": {name: round(100 * float(width), 2) for name, width in widths.items()},
        "false_verdicts": share(misjudged(none), len(none)),
        "wrong_verdicts": share(misjudged(some), len(some)),
        "found": share(float(right), len(some)),
    }


def crossing(plan: Plan, seen: Sequence[Sequence[bool]]) -> dict[str, Any]:
    """The difference that studies of a plan find four times in five, with a 95 % interval.

    Args:
        plan: the plan.
        seen: for each of :data:`AROUND`, whether studies saw a difference of so many times the
            planned one.
    """
    planned, count = plan.detectable(), len(seen[0])
    sizes, shares = planned * np.array(AROUND), np.mean(seen, axis=1)
    kept = np.clip(shares, 1 / (2 * count), 1 - 1 / (2 * count))
    slope = np.polyfit(sizes, stats.norm.ppf(kept), 1)[0]
    middle = share(float(shares[1]), count)
    found = {
        end: 100 * float(planned + (stats.norm.ppf(POWER) - stats.norm.ppf(at)) / slope)
        for end, at in (("value", kept[1]), ("low", middle["high"]), ("high", middle["low"]))
    }
    return {
        **plan._asdict(),
        "planned": round(100 * planned, 3),
        "power": middle,
        "simulated": {end: round(value, 3) for end, value in found.items()},
    }


def rounds(case: Case, none: Sequence[Stopped], some: Sequence[Stopped]) -> dict[str, Any]:
    """What studies come to that are looked at after every round of seeds."""
    return {
        "looks": list(LOOKS),
        "comparisons": case.arms - 1,
        "false_verdicts": share(float(np.mean([it.clear for it in none])), len(none)),
        "false_unpaid": share(float(np.mean([it.naive for it in none])), len(none)),
        "found": share(
            min(1.0, float(np.mean([it.helps for it in some])) * _better(case)), len(some)
        ),
        "seeds_none": round(float(np.mean([it.seeds for it in none])), 1),
        "seeds_some": round(float(np.mean([it.seeds for it in some])), 1),
    }


def _better(case: Case) -> float:
    """Comparisons of a study for each that is with a better arm: every second arm is."""
    return (case.arms - 1) / (case.arms // 2)


def main() -> None:
    """Simulate and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--studies", type=int, default=2000, help="of each case and setting")
    parser.add_argument("--resamples", type=int, default=1000, help="of each bootstrap")
    parser.add_argument("--processes", type=int, default=usable_cores())
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of each process
    found, seconds = simulated(list(work(asked.studies, asked.resamples)), asked.processes)
    cases = {
        name: {**asdict(case), **tally(*(found[0, at, step] for step in range(len(SETTINGS))))}
        for at, (name, case) in enumerate(CASES.items())
    }
    plans = [
        crossing(plan, [found[1, at, step] for step in range(len(AROUND))])
        for at, plan in enumerate(PLANS)
    ]
    looked = {
        name: rounds(case, *(found[2, at, step] for step in range(len(SETTINGS))))
        for at, (name, case) in enumerate(ROUNDS.items())
    }
    results = {
        "command": f"python benchmarks/coverage.py --studies {asked.studies} "
        f"--resamples {asked.resamples}",
        "studies": asked.studies,
        "resamples": asked.resamples,
        "cpu_s": round(seconds),
        "difference": 100 * SIZE,
        "cases": cases,
        "plans": plans,
        "rounds": looked,
    }
    common.write("coverage", results)


if __name__ == "__main__":
    main()
