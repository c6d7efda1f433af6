"""The learning curve over levels: the metric of every arm against real images per class."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from augstudy.core.files import naming
from augstudy.pages import readings, style, wording, worth
from augstudy.pages.figures import levels as figures
from augstudy.pages.verdicts import margin_text
from augstudy.results import learning
from augstudy.results.files import AnySummary
from augstudy.results.material import ArmResult
from augstudy.results.models import Arm, Study
from augstudy.results.parts import Score
from augstudy.stats.codes import Metric

# Runs belong on one curve if nothing but the level, the arms and the seeds differs.
_SAME = (
    "source",
    "classes",
    "train_per_class",
    "val_per_class",
    "test_per_class",
    "data_seed",
    "test_source",
    "image_settings",
    "classifier",
    "classifier_settings",
    "gan",
    "gan_settings",
    "gan_seed",
    "judge_settings",
    "synthetic_per_class",
    "curation_settings",
)


@dataclass(frozen=True)
class Line:
    """An arm of a curve: what it is, and its metric by level, ascending."""

    label: str
    arm: Arm
    points: dict[int, Score]


@dataclass(frozen=True)
class Curve:
    """Comparable runs at two levels or more; ``learning`` says what arms are worth.

    A difference below ``margin``, a share, is said not to matter.
    """

    title: str
    levels: list[int]
    arms: list[Line]
    learning: learning.Learning
    margin: float
    metric: Metric


def curves(
    summaries: Iterable[AnySummary],
    evaluations: Mapping[int, Sequence[ArmResult]] | None = None,
) -> list[Curve]:
    """The curves that a list of results holds; of equal runs the first counts.

    Args:
        summaries: of any runs; those of sweeps, which have no arms, are left out.
        evaluations: by level, if all summaries are of one study: what arms are worth then has
            narrower intervals.
    """
    groups: dict[str, list[Study]] = {}
    for summary in summaries:
        if not isinstance(summary, Study):
            continue
        same = {name: summary.study.get(name) for name in _SAME}
        same |= {"metric": summary.metric, "folds": summary.data.folds, "draws": summary.data.draws}
        key = json.dumps(same, sort_keys=True)
        groups.setdefault(key, []).append(summary)
    several = [members for members in groups.values() if len(_levels(members)) > 1]
    return [_curve(members, evaluations) for members in several]


def render(curve: Curve) -> Table:
    """The curve as a table for a terminal: a row per arm, a column per level; accuracies in %."""
    table = Table(box=None, pad_edge=False, header_style="bold", title=Text(curve.title))
    table.title_justify = "left"
    table.add_column("arm", no_wrap=True)
    for level in curve.levels:
        table.add_column(f"level {level:,}", justify="right", no_wrap=True)
    for arm in curve.arms:
        cells = (arm.points.get(level) for level in curve.levels)
        table.add_row(arm.label, *(_cell(point).replace(" %", "") for point in cells))
    return table


def rows(curve: Curve) -> list[list[str]]:
    """The same as texts, for a page: label first, then a cell per level."""
    return [
        [arm.label, *(_cell(arm.points.get(level)) for level in curve.levels)] for arm in curve.arms
    ]


def svg(curve: Curve) -> str:
    """The curve as a data URI of an SVG image."""
    with style.figure(figures.WIDTH, figures.height(len(curve.arms))) as chart:
        _draw(chart, curve)
        return style.svg_uri(chart)


def write_png(found: list[Curve], path: Path) -> None:
    """Write the curves below each other as one PNG image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    heights = [figures.height(len(curve.arms)) for curve in found]
    with style.figure(figures.WIDTH, sum(heights)) as chart:
        parts = chart.subfigures(len(found), height_ratios=heights, squeeze=False)
        for part, curve in zip(parts[:, 0], found, strict=True):
            _draw(part, curve)
        with naming(path):
            chart.savefig(
                path, format="png", dpi=150, facecolor="white", metadata={"Software": None}
            )


def worth_rows(curve: Curve) -> list[list[str]]:
    """What each arm but `real` is worth in real images per class: label, then a cell per level."""
    records = {(item.label, item.level): item for item in curve.learning.worth}
    return [
        [
            arm.label,
            *(
                worth.cell(records[arm.label, level]) if level in arm.points else ""
                for level in curve.levels
            ),
        ]
        for arm in curve.arms
        if arm.label != "real"
    ]


def worth_sentences(curve: Curve) -> list[str]:
    """What the arms with synthetic images are worth below the largest level."""
    synthetic = {arm.label for arm in curve.arms if wording.answers(arm.arm.arm)}
    return [
        worth.sentence(item)
        for item in curve.learning.worth
        if item.label in synthetic and item.ceiling > 0
    ]


def shown(curves: Sequence[Curve]) -> dict[str, Any]:
    """What the page of a table of runs shows below it."""
    context = [
        {
            "title": curve.title,
            "metric": readings.metric(curve.metric).text,
            "image": svg(curve),
            "rows": rows(curve),
            "levels": curve.levels,
            "worth": worth_rows(curve),
            "sentences": worth_sentences(curve),
            "wide": curve.learning.basis == "summaries",
        }
        for curve in curves
    ]
    return {
        "curves": context,
        "margin": margin_text(curves[0].margin) if curves else "",
        "balanced": any(curve.metric == "balanced_accuracy" for curve in curves),
    }


def _levels(summaries: Iterable[Study]) -> set[int]:
    return {summary.data.level for summary in summaries}


def _curve(summaries: list[Study], evaluations: Mapping[int, Sequence[ArmResult]] | None) -> Curve:
    lines: dict[str, Line] = {}
    for summary in summaries:
        for label, arm in summary.arms.items():
            line = lines.setdefault(label, Line(label, arm, {}))
            line.points.setdefault(summary.data.level, summary.score(label))
    first = summaries[0]
    parts = [f"{len(first.data.classes)} classes of {first.data.source}"]
    if first.study.get("classifier"):
        parts.append(str(first.study["classifier"]))
    levels = sorted({level for line in lines.values() for level in line.points})
    ordered = [replace(line, points=dict(sorted(line.points.items()))) for line in lines.values()]
    if evaluations and set(evaluations) == set(levels):
        found = learning.learning_curve(evaluations)
    else:
        found = learning.from_summaries(summaries)
    return Curve(", ".join(parts), levels, ordered, found, first.margin, first.metric)


def _cell(point: Score | None) -> str:
    if point is None:
        return ""
    return f"{wording.percent(point.value)} ({wording.interval(point.low, point.high)})"


def _draw(chart: Any, curve: Curve) -> None:
    lines = [
        figures.Line(
            wording.title_of(arm.arm),
            style.colour_of(arm.arm),
            {at: (point.value, point.low, point.high) for at, point in arm.points.items()},
        )
        for arm in sorted(curve.arms, key=lambda arm: arm.label != "real")
    ]
    figures.draw(chart, curve.title, lines, f"{readings.metric(curve.metric).title}, %")
