"""Summarise a study: the comparison of its arms, in numbers, in words and as an HTML report."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from augstudy.core import telemetry
from augstudy.core.artifacts import Artifact
from augstudy.pages import answers, html
from augstudy.results.material import gather
from augstudy.results.study import summarise
from augstudy.settings.comparing import AskedMetric
from augstudy.stats.verdicts import MARGIN
from augstudy.steps import reports


def run(
    dataset: Path,
    out: Path,
    evaluations: Sequence[Path],
    cams: Sequence[Path] = (),
    made: Mapping[str, Mapping[str, Path]] | None = None,
    study: Mapping[str, Any] | None = None,
    left_out: Mapping[str, str] | None = None,
    margin: float = MARGIN,
    metric: AskedMetric = "auto",
    looks: Sequence[int] = (),
) -> Artifact:
    """Publish what a study found; see :func:`augstudy.steps.reports.publish`.

    Args:
        dataset: the dataset all arms share.
        out: folder of the artifact.
        evaluations: one evaluation an arm; the arm ``real`` must be among them.
        cams: heat maps of any of the arms.
        made: what there is of each set of synthetic images, and of the filter: see
            :func:`augstudy.results.material.gather`.
        study: settings of the study, as the report shall show them.
        left_out: labels of arms that could not be made, and why.
        margin: share of the metric below which a difference between arms does not matter.
        metric: what arms are compared by.
        looks: numbers of seeds after which arms are compared, see
            :mod:`augstudy.stats.sequential`; none if that is done once.

    Raises:
        InputError: the evaluations are not of the same test images, or ``real`` is missing.
    """
    with telemetry.stage("summarize") as stage:
        stage.progress(0, 3, "reading")
        material = gather(
            dataset, evaluations, cams, made or {}, study or {}, left_out or {}, metric, looks
        )
        chosen = {"study": material.study, "left_out": material.left_out, "margin": margin}
        chosen |= {"metric": metric, "looks": list(looks)}
        config = json.loads(json.dumps(chosen))
        stage.progress(1, 3, "comparing arms")
        found = summarise(material, margin)
        stage.progress(2, 3, "drawing figures")
        report = reports.publish(
            out, found, lambda: html.render(material, found), material.inputs, config
        )
        stage.progress(3, 3, answers.answer(found).answer)
    return report
