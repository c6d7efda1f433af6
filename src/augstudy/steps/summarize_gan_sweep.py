"""Summarise a sweep of generators: every point against the base, in numbers and as a page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from augstudy.core import artifacts, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.pages import answers
from augstudy.pages import gan_sweep_page as page
from augstudy.results import gan_sweep
from augstudy.steps import reports
from augstudy.tuning.gan_points import KIND, gather
from augstudy.tuning.sweep import Sweep


def run(
    dataset: Path,
    judge: Path,
    out: Path,
    points: Sequence[Path],
    sweep: Sweep,
    study: Mapping[str, Any] | None = None,
) -> Artifact:
    """Publish what a sweep found; see :func:`augstudy.steps.reports.publish`.

    Args:
        dataset: the dataset of all points.
        judge: who judged them.
        out: folder of the artifact.
        points: what each worker of the sweep left.
        sweep: what was asked.
        study: settings of the run, as the page shall show them.

    Raises:
        InputError: the base was not trained.
    """
    with telemetry.stage("summarize") as stage:
        stage.progress(0, 1, "comparing points")
        workers = [artifacts.read(path, KIND) for path in points]
        material = gan_sweep.Material(
            dataset=artifacts.read(dataset, "dataset"),
            judge=artifacts.read(judge, "judge"),
            workers=workers,
            points=gather(workers),
            sweep=sweep,
            study=dict(study or {}),
        )
        found = gan_sweep.summarise(material)
        inputs = {"dataset": material.dataset, "judge": material.judge}
        inputs |= {f"points_{index}": item for index, item in enumerate(workers)}
        report = reports.publish(out, found, lambda: page.render(material, found), inputs)
        stage.progress(1, 1, answers.answer(found).answer)
    return report
