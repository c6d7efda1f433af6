"""What the components of a sweep call; see :mod:`augstudy.steps.adapters`."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from augstudy.settings.parsing import parse_share
from augstudy.steps.adapters import hand_over, step
from augstudy.steps.cells import share_cores
from augstudy.steps.patience import patient
from augstudy.steps.study import Handed, handed


@patient
def train_points(arguments: Mapping[str, Any]) -> None:
    """Train the points of a sweep that one worker is dealt, or its share of a search."""
    with _dealt("train_points", arguments) as (found, worker, place, workers):
        from augstudy.tuning.points import deal

        study = found.study
        wanted, base, seeds = study.sweep, study.base("classifier"), study.seeds
        paths = found.paths["dataset"], found.paths["points"]
        share_cores()
        if wanted.mode == "search":
            from augstudy.steps import search_points

            task = search_points.Task(wanted, *base, place, workers)
            search_points.run(*paths, task, seeds, worker)
            return
        from augstudy.steps import train_points

        trials = deal(wanted, *base, place, workers)
        train_points.run(*paths, trials, seeds, worker)


@patient
def train_gan_points(arguments: Mapping[str, Any]) -> None:
    """Train the generators of a sweep that one worker is dealt; one that fails ends nothing."""
    with _dealt("train_gan_points", arguments) as (found, worker, place, workers):
        from augstudy.models.gan_recipes import gan_recipe
        from augstudy.tuning.points import deal

        study = found.study
        trials = deal(study.sweep, *study.base("gan"), place, workers, gan_recipe)
        share_cores()
        from augstudy.steps.train_gan_points import run

        at = found.paths
        run(at["dataset"], at["judge"], at["points"], trials, study.seeds, worker)


@patient
def choose(arguments: Mapping[str, Any]) -> None:
    """Choose the best of all points on the validation images."""
    with step("choose"):
        found = handed(arguments)
        from augstudy.steps.choose import run

        at = found.paths
        run(at["dataset"], found.lists["points"], at["base"], at["chosen"])


@patient
def summarize(arguments: Mapping[str, Any]) -> dict[str, float]:
    """Write the page of a sweep and return the flat metrics, finite numbers only."""
    with step("summarize"):
        found = handed(arguments)
        from augstudy.steps.summarize_sweep import run

        at, study = found.paths, found.study
        report = run(
            at["dataset"],
            at["report"],
            found.lists["points"],
            (at["base"], at["chosen"]),
            study.sweep,
            study.record(),
            study.margin,
        )
        return hand_over(report, at)
    raise AssertionError("unreachable: step() never swallows an error")


@patient
def summarize_gans(arguments: Mapping[str, Any]) -> dict[str, float]:
    """Write the page of a sweep of generators; else like :func:`summarize`."""
    with step("summarize"):
        found = handed(arguments)
        from augstudy.steps.summarize_gan_sweep import run

        at, study = found.paths, found.study
        report = run(
            at["dataset"],
            at["judge"],
            at["report"],
            found.lists["points"],
            study.sweep,
            study.record(),
        )
        return hand_over(report, at)
    raise AssertionError("unreachable: step() never swallows an error")


@contextlib.contextmanager
def _dealt(stage: str, arguments: Mapping[str, Any]) -> Iterator[tuple[Handed, str, int, int]]:
    """The step of one worker of a sweep.

    Yields what it was handed, its share, such as ``2 of 4``, its place among the workers, from 0,
    and how many there are.
    """
    found = handed(arguments)
    worker = str(found.study.values["worker"])
    with step(stage, worker):
        number, workers = parse_share(worker)
        yield found, worker, number - 1, workers
