"""What the components of a sweep call; see :mod:`augstudy.steps.adapters`."""

from augstudy.core.telemetry import Stage
from augstudy.settings.parsing import parse_share
from augstudy.steps.adapters import component, hand_over
from augstudy.steps.cells import share_cores
from augstudy.steps.study import Handed


def _worker(found: Handed) -> str:
    """The share of a worker, such as ``2 of 4``."""
    return str(found.study.values["worker"])


@component("train_points", _worker)
def train_points(found: Handed, _: Stage) -> None:
    """Train the points of a sweep that one worker is dealt, or its share of a search."""
    from augstudy.tuning.points import deal

    study = found.study
    wanted, base, seeds = study.sweep, study.base("classifier"), study.seeds
    paths, worker = (found.paths["dataset"], found.paths["points"]), _worker(found)
    metric = study.comparing.metric
    number, workers = parse_share(worker)
    share_cores()
    if wanted.mode == "search":
        from augstudy.steps import search_points

        task = search_points.Task(wanted, *base, number - 1, workers)
        search_points.run(*paths, task, seeds, worker, metric)
        return
    from augstudy.steps import train_points

    trials = deal(wanted, *base, number - 1, workers)
    train_points.run(*paths, trials, seeds, worker, metric)


@component("train_gan_points", _worker)
def train_gan_points(found: Handed, _: Stage) -> None:
    """Train the generators of a sweep that one worker is dealt; one that fails ends nothing."""
    from augstudy.models.gan_recipes import gan_recipe
    from augstudy.tuning.points import deal

    study, worker = found.study, _worker(found)
    number, workers = parse_share(worker)
    trials = deal(study.sweep, *study.base("gan"), number - 1, workers, gan_recipe)
    share_cores()
    from augstudy.steps.train_gan_points import run

    at = found.paths
    run(at["dataset"], at["judge"], at["points"], trials, study.seeds, worker)


@component("choose")
def choose(found: Handed, _: Stage) -> None:
    """Choose the best of all points on the validation images."""
    from augstudy.steps.choose import run

    at = found.paths
    metric = found.study.comparing.metric
    run(at["dataset"], found.lists["points"], at["base"], at["chosen"], metric)


@component("summarize")
def summarize(found: Handed, _: Stage) -> dict[str, str | float]:
    """Write the page of a sweep and return what the dashboard shows of it."""
    from augstudy.steps.summarize_sweep import run

    at, study = found.paths, found.study
    report = run(
        at["dataset"],
        at["report"],
        found.lists["points"],
        (at["base"], at["chosen"]),
        study.sweep,
        study.record(),
        study.comparing.equivalence_margin,
        study.comparing.metric,
    )
    return hand_over(report, at)


@component("summarize")
def summarize_gans(found: Handed, _: Stage) -> dict[str, str | float]:
    """Write the page of a sweep of generators; else like :func:`summarize`."""
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
