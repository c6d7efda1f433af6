"""Summarise a sweep of classifiers: every point against the base, in numbers and as a page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from augstudy.core import artifacts, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import InputError
from augstudy.data.dataset import load_split
from augstudy.pages import answers
from augstudy.pages import sweep_page as page
from augstudy.results import sweep as sweep_results
from augstudy.results.material import read_arm
from augstudy.settings.comparing import AskedMetric
from augstudy.stats.verdicts import MARGIN
from augstudy.steps import reports
from augstudy.tuning.points import gather
from augstudy.tuning.search import gather_trials
from augstudy.tuning.sweep import Sweep


def run(
    dataset: Path,
    out: Path,
    points: Sequence[Path],
    evaluations: tuple[Path, Path],
    sweep: Sweep,
    study: Mapping[str, Any] | None = None,
    margin: float = MARGIN,
    metric: AskedMetric = "auto",
) -> Artifact:
    """Publish what a sweep found; see :func:`augstudy.steps.reports.publish`.

    Args:
        dataset: the dataset of all points.
        out: folder of the artifact.
        points: what each worker of the sweep left.
        evaluations: of the base and of the chosen point, on the test images.
        sweep: what was asked.
        study: settings of the run, as the page shall show them.
        margin: share of the metric below which a difference does not matter.
        metric: what points are compared by.

    Raises:
        InputError: the base was not trained, or another point was evaluated than chosen.
    """
    with telemetry.stage("summarize") as stage:
        stage.progress(0, 2, "comparing points")
        data = artifacts.read(dataset, "dataset")
        workers = [artifacts.read(path, "points") for path in points]
        material = sweep_results.Material(
            dataset=data,
            workers=workers,
            points=gather(workers, load_split(data, "val").labels, metric),
            trials=gather_trials(workers),
            base=read_arm(evaluations[0], metric),
            chosen=read_arm(evaluations[1], metric),
            sweep=sweep,
            study=dict(study or {}),
        )
        evaluated = material.chosen.artifact.json("arm.json").get("point")
        if evaluated != material.best.id:
            raise InputError(
                f"{evaluations[1]} is of point {evaluated!r}, but {material.best.id!r} is best on "
                "the validation images: evaluate what 'choose' chose."
            )
        found = sweep_results.summarise(material, margin)
        stage.progress(1, 2, "drawing figures")
        inputs = {"dataset": data, "base": material.base.artifact}
        inputs |= {"chosen": material.chosen.artifact}
        inputs |= {f"points_{index}": item for index, item in enumerate(workers)}
        report = reports.publish(
            out,
            found,
            lambda: page.render(material, found),
            inputs,
            {"margin": margin, "metric": metric},
        )
        stage.progress(2, 2, answers.answer(found).answer)
    return report
