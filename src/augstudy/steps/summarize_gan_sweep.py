"""Summarise a sweep of generators: every point against the base, in numbers and as a page."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from augstudy.core import artifacts, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.pages import gan_sweep_page as gan_page
from augstudy.results import gan_sweep as gan_summary
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
    """Publish ``report.html``, ``summary.json`` and ``verdict.md``, as an artifact ``report``.

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
        material = gan_summary.Material(
            dataset=artifacts.read(dataset, "dataset"),
            judge=artifacts.read(judge, "judge"),
            workers=workers,
            points=gather(workers),
            sweep=sweep,
            study=dict(study or {}),
        )
        numbers = gan_summary.summarise(material)
        inputs = {"dataset": material.dataset, "judge": material.judge}
        inputs |= {f"points_{index}": item for index, item in enumerate(workers)}
        with artifacts.publish(out, "report", inputs=inputs) as folder:
            text = json.dumps(numbers, indent=1, allow_nan=False)
            (folder / "summary.json").write_text(text + "\n")
            (folder / "verdict.md").write_text(gan_summary.markdown(numbers))
            (folder / "report.html").write_text(gan_page.render(material, numbers))
        stage.progress(1, 1, numbers["headline"]["answer"])
    return artifacts.read(out, "report")
