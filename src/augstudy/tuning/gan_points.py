"""What is kept of the points of a sweep of generators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augstudy.core.artifacts import Artifact
from augstudy.stats.verdicts import is_stable
from augstudy.tuning.points import in_order, records

KIND = "gan_points"
SAMPLES = "samples.npz"
SHOWN = 8
CHOOSES = "fid_qd"
# What a point is judged by; +1 where more is better.
METRICS = {"fid_qd": -1, "kid": -1, "recall": 1, "coverage": 1, "cas": 1, "gan_test": 1}


@dataclass(frozen=True)
class Drawn:
    """A point of a finished sweep: its ``runs``, one per seed, and images (C, K, ...) of each.

    A run has ``seed``, ``stability``, ``metrics`` (empty if it failed), ``best_step`` and
    ``parameters``.
    """

    place: int
    id: str
    chosen: dict[str, str]
    changes: dict[str, Any]
    seeds: list[int]
    runs: list[dict[str, Any]]
    samples: list[NDArray[np.uint8]]
    history: pd.DataFrame
    cost: dict[str, float]

    @property
    def verdicts(self) -> list[str]:
        """The stability verdict of each run."""
        return [str(run["stability"]["verdict"]) for run in self.runs]

    def by_seed(self, metric: str) -> list[float] | None:
        """A metric of each run; None if a run failed, or has not been measured so."""
        return values_of(self.runs, metric)


def values_of(runs: Sequence[Mapping[str, Any]], metric: str) -> list[float] | None:
    """A metric of each run; None if one of them has none."""
    if not all(metric in run["metrics"] for run in runs):
        return None
    return [float(run["metrics"][metric]["value"]) for run in runs]


def value_of(runs: Sequence[Mapping[str, Any]]) -> float | None:
    """What a point is chosen by, less is better; None if one of its runs is not stable."""
    if not is_stable(run["stability"]["verdict"] for run in runs):
        return None
    values = values_of(runs, CHOOSES)
    return float(np.mean(values)) if values else None


def best(points: Sequence[Drawn]) -> Drawn | None:
    """The point whose runs are all stable with the lowest mean FID-QD; None if there is none."""
    able = [(value, point) for point in points if (value := value_of(point.runs)) is not None]
    return min(able, key=lambda item: item[0])[1] if able else None


def gather(artifacts: Sequence[Artifact]) -> list[Drawn]:
    """The points of all workers, the base first and the others as in the sweep.

    Raises:
        InputError: no worker has trained the base.
    """
    return in_order(point for artifact in artifacts for point in _read(artifact))


def _read(artifact: Artifact) -> list[Drawn]:
    with np.load(artifact.file(SAMPLES), allow_pickle=False) as stored:
        return [
            Drawn(**item, samples=[stored[f"{item['id']}/{seed}"] for seed in item["seeds"]])
            for item in records(artifact)
        ]
