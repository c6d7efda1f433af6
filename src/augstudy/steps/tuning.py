"""What the components of a sweep call; see :mod:`augstudy.steps.adapters`."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from augstudy.models.recipes import decoded
from augstudy.settings.parsing import parse_share
from augstudy.steps.adapters import hand_over, ordered, step
from augstudy.steps.cells import share_cores
from augstudy.steps.patience import patient


@patient
def train_points(
    dataset: str,
    out: str,
    sweep: Mapping[str, Any],
    base: Mapping[str, Any],
    seeds: Sequence[float],
    worker: str,
) -> None:
    """Train the points of a sweep that one worker is dealt, or its share of a search.

    Args:
        dataset: The dataset artifact.
        out: Where the points go.
        sweep: See Sweep.
        base: The ``recipe`` of the base, and the ``overrides`` of its settings.
        seeds: The repetitions of every point.
        worker: Its share, such as ``2 of 4``.
    """
    with _dealt("train_points", worker) as (place, workers):
        from augstudy.tuning.points import deal
        from augstudy.tuning.sweep import parse_sweep

        wanted, overrides = parse_sweep(sweep), decoded(base["overrides"])
        paths, repeated = (Path(dataset), Path(out)), [int(seed) for seed in seeds]
        share_cores()
        if wanted.mode == "search":
            from augstudy.steps import search_points

            task = search_points.Task(wanted, base["recipe"], overrides, place, workers)
            search_points.run(*paths, task, repeated, worker)
            return
        from augstudy.steps import train_points

        trials = deal(wanted, base["recipe"], overrides, place, workers)
        train_points.run(*paths, trials, repeated, worker)


@patient
def train_gan_points(
    inputs: Mapping[str, str],
    out: str,
    sweep: Mapping[str, Any],
    base: Mapping[str, Any],
    seeds: Sequence[float],
    worker: str,
) -> None:
    """Train the generators of a sweep that one worker is dealt; one that fails ends nothing.

    Args:
        inputs: The ``dataset`` and the ``judge``.
        out: Where the points go.
        sweep: See Sweep.
        base: The ``recipe`` of the base, and the ``overrides`` of its settings.
        seeds: The repetitions of every point.
        worker: Its share, such as ``2 of 4``.
    """
    with _dealt("train_gan_points", worker) as (place, workers):
        from augstudy.models.gan_recipes import gan_recipe
        from augstudy.tuning.points import deal
        from augstudy.tuning.sweep import parse_sweep

        wanted, overrides = parse_sweep(sweep), decoded(base["overrides"])
        trials = deal(wanted, base["recipe"], overrides, place, workers, gan_recipe)
        share_cores()
        from augstudy.steps.train_gan_points import run

        paths = Path(inputs["dataset"]), Path(inputs["judge"]), Path(out)
        run(*paths, trials, [int(seed) for seed in seeds], worker)


@patient
def summarize_gans(
    inputs: Mapping[str, Any], study: Mapping[str, Any], outputs: Mapping[str, str]
) -> dict[str, float]:
    """Write the page of a sweep of generators and return the flat metrics, finite numbers only.

    Args:
        inputs: The ``dataset``, the ``judge``, and the ``points`` of every worker.
        study: The parameters of the pipeline.
        outputs: See :func:`summarize`.
    """
    with step("summarize"):
        from augstudy.steps.summarize_gan_sweep import run
        from augstudy.tuning.sweep import parse_sweep

        report = run(
            Path(inputs["dataset"]),
            Path(inputs["judge"]),
            Path(outputs["report"]),
            [Path(item) for item in inputs["points"]],
            parse_sweep(study["sweep"]),
            {name: ordered(value) for name, value in study.items()},
        )
        return hand_over(report, outputs)
    raise AssertionError("unreachable: step() never swallows an error")


@patient
def choose(dataset: str, points: Sequence[str], base: str, chosen: str) -> None:
    """Choose the best of all points on the validation images.

    Args:
        dataset: The dataset artifact.
        points: What each worker left.
        base: Where the classifiers of the base go.
        chosen: Where those of the best point go.
    """
    with step("choose"):
        from augstudy.steps.choose import run

        run(Path(dataset), [Path(item) for item in points], Path(base), Path(chosen))


@patient
def summarize(
    inputs: Mapping[str, Any], study: Mapping[str, Any], outputs: Mapping[str, str]
) -> dict[str, float]:
    """Write the page of a sweep and return the flat metrics, finite numbers only.

    Args:
        inputs: The ``dataset``, the ``points`` of every worker, and the evaluations of ``base``
            and ``chosen``.
        study: The parameters of the pipeline.
        outputs: Where the ``report`` folder, the ``html``, the ``verdict`` (Markdown) and the
            ``metrics`` (JSON, for readers that cannot query metadata) go.
    """
    with step("summarize"):
        from augstudy.steps.summarize_sweep import run
        from augstudy.tuning.sweep import parse_sweep

        report = run(
            Path(inputs["dataset"]),
            Path(outputs["report"]),
            [Path(item) for item in inputs["points"]],
            (Path(inputs["base"]), Path(inputs["chosen"])),
            parse_sweep(study["sweep"]),
            {name: ordered(value) for name, value in study.items()},
            study["equivalence_margin"],
        )
        return hand_over(report, outputs)
    raise AssertionError("unreachable: step() never swallows an error")


@contextlib.contextmanager
def _dealt(stage: str, worker: str) -> Iterator[tuple[int, int]]:
    """The step of one worker of a sweep: its place among them, from 0, and how many there are."""
    with step(stage, worker):
        number, workers = parse_share(worker)
        yield number - 1, workers
