"""Summarise a sweep of classifiers: every point against the base, in numbers and as a page."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from augstudy.core import artifacts, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import InputError
from augstudy.data.dataset import load_split
from augstudy.pages import sweep_page as page
from augstudy.results import sweep as summary
from augstudy.results.material import read_arm
from augstudy.stats.verdicts import MARGIN
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
) -> Artifact:
    """Publish ``report.html``, ``summary.json`` and ``verdict.md``, as an artifact ``report``.

    Args:
        dataset: the dataset of all points.
        out: folder of the artifact.
        points: what each worker of the sweep left.
        evaluations: of the base and of the chosen point, on the test images.
        sweep: what was asked.
        study: settings of the run, as the page shall show them.
        margin: accuracy, as a share, below which a difference does not matter.

    Raises:
        InputError: the base was not trained, or another point was evaluated than chosen.
    """
    with telemetry.stage("summarize") as stage:
        stage.progress(0, 2, "comparing points")
        data = artifacts.read(dataset, "dataset")
        workers = [artifacts.read(path, "points") for path in points]
        material = summary.Material(
            dataset=data,
            workers=workers,
            points=gather(workers, load_split(data, "val").labels),
            trials=gather_trials(workers),
            base=read_arm(evaluations[0]),
            chosen=read_arm(evaluations[1]),
            sweep=sweep,
            study=dict(study or {}),
        )
        evaluated = material.chosen.artifact.json("arm.json").get("point")
        if evaluated != material.best.id:
            raise InputError(
                f"{evaluations[1]} is of point {evaluated!r}, but {material.best.id!r} is best on "
                "the validation images: evaluate what 'choose' chose."
            )
        numbers = summary.summarise(material, margin)
        stage.progress(1, 2, "drawing figures")
        inputs = {"dataset": data, "base": material.base.artifact}
        inputs |= {"chosen": material.chosen.artifact}
        inputs |= {f"points_{index}": item for index, item in enumerate(workers)}
        with artifacts.publish(out, "report", inputs=inputs, config={"margin": margin}) as folder:
            text = json.dumps(numbers, indent=1, allow_nan=False)
            (folder / "summary.json").write_text(text + "\n")
            (folder / "verdict.md").write_text(summary.markdown(numbers))
            (folder / "report.html").write_text(page.render(material, numbers))
        stage.progress(2, 2, numbers["headline"]["answer"])
    return artifacts.read(out, "report")
