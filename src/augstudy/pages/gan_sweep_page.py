"""The page of a sweep of generators: figures of every point, and what each draws."""

from collections.abc import Mapping
from typing import Any

from augstudy.data.dataset import load_spec
from augstudy.pages import stability, style, sweep_page, wording
from augstudy.pages.answers import SHARES, readable, shown
from augstudy.pages.figures import pictures
from augstudy.pages.figures import sweep as sweep_figures
from augstudy.pages.formats import duration
from augstudy.pages.templates import environment
from augstudy.pages.verdicts import PILLS
from augstudy.results.gan_sweep import Material
from augstudy.results.models import GeneratorDifference, GeneratorPoint, GeneratorSweep
from augstudy.settings.spec import ImageSpec
from augstudy.tuning.gan_points import METRICS, Drawn
from augstudy.tuning.sweep import BASE, Axis

TITLES = {
    "fid_qd": "FID-QD",
    "kid": "KID",
    "recall": "Recall",
    "coverage": "Coverage",
    "cas": "CAS",
    "gan_test": "Label fidelity",
}


def render(material: Material, summary: GeneratorSweep) -> str:
    """The page.

    Args:
        material: what the sweep left.
        summary: what it found.
    """
    drawn = {point.id: point for point in material.points}
    spec = load_spec(material.dataset)
    context = sweep_page.common(material.study, summary) | {
        "facts": _facts(summary),
        "titles": TITLES,
        "overview": _overview(material, summary),
        "axes": [_axis(axis, drawn, summary, spec) for axis in material.sweep.axes],
        "inputs": [
            (name, item.content_hash[:16])
            for name, item in (("dataset", material.dataset), ("judge", material.judge))
        ],
    }
    return environment().get_template("gan_sweep.html.j2").render(context)


def _facts(summary: GeneratorSweep) -> list[tuple[str, str]]:
    points = summary.points.values()
    return [
        (str(len(summary.points) - 1), "points beside the base"),
        (str(len(summary.seeds)), "training runs per point"),
        (f"{sum(point.stable for point in points)}", "points stable in every run"),
        (f"{summary.data.level:,}", "real images per class to learn from"),
        (f"{summary.data.images['val']:,}", "validation images to compare with"),
        (duration(summary.cost.cpu_s), "of processor time"),
    ]


def _overview(material: Material, summary: GeneratorSweep) -> str | None:
    """FID-QD of all points minus that of the base; None if nothing can be compared."""
    if len(summary.seeds) < 2:
        return None
    groups = []
    for axis in material.sweep.axes:
        names = [name for name in sweep_page.of_axis(axis, summary) if name != BASE]
        rows = [row for name in names if (row := _row(name, summary))]
        if rows:
            groups.append((axis.title, rows))
    label = "FID-QD minus that of the base; lower is better"
    return sweep_figures.ladder(groups, 0.0, label) if groups else None


def _row(name: str, summary: GeneratorSweep) -> sweep_figures.Row | None:
    record = summary.differences[name]
    found, chosen = record.metrics.get(summary.metric), summary.points[name].chosen
    if found is None:
        return None
    title = next(iter(chosen.values())) if len(chosen) == 1 else readable(name)
    good = found.mean * METRICS[summary.metric] > 0
    return sweep_figures.Row(
        title,
        style.GOOD if good else style.BAD,
        found.mean,
        found.low,
        found.high,
        record.verdict in ("better", "worse"),
    )


def _axis(
    axis: Axis, drawn: Mapping[str, Drawn], summary: GeneratorSweep, spec: ImageSpec
) -> dict[str, Any]:
    names = sweep_page.of_axis(axis, summary)
    return {
        "name": axis.name,
        "title": axis.title,
        "points": [_point(name, axis, drawn[name], summary, spec) for name in names],
    }


def _point(
    name: str, axis: Axis, drawn: Drawn, summary: GeneratorSweep, spec: ImageSpec
) -> dict[str, Any]:
    point, record = summary.points[name], summary.differences.get(name)
    word = record.verdict if record else ""
    p_value = record.p_holm if record else None
    return {
        "title": point.chosen.get(axis.name, axis.base),
        "verdicts": point.verdicts,
        "metrics": [
            (title, shown(metric, point.metrics.get(metric)), _change(metric, record))
            for metric, title in TITLES.items()
        ],
        "verdict": word,
        "pill": PILLS.get(word, ""),
        "p": wording.p_text(p_value) if p_value is not None else "",
        "reasons": _reasons(point),
        "cpu": duration(point.cpu_s),
        "sheet": _sheet(drawn, spec),
    }


def _reasons(point: GeneratorPoint) -> list[str]:
    """Why runs are not stable, each reason once."""
    told = [item.model_dump() for item in point.reasons if item.verdict != "stable"]
    return list(dict.fromkeys(filter(None, map(stability.reason, told))))


def _change(metric: str, record: GeneratorDifference | None) -> str:
    """The difference from the base, with its interval if there are several runs."""
    found = record.metrics.get(metric) if record else None
    if found is None or (found.low, found.high) == (-1.0, 1.0):
        return ""
    times = 100 if metric in SHARES else 1
    low, value, high = (times * end for end in (found.low, found.mean, found.high))
    digits = 3 if metric == "kid" else 1
    return f"{value:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"


def _sheet(drawn: Drawn, spec: ImageSpec) -> str | None:
    """Images of the first run that drew any, a row per class; None if all failed."""
    grid = next((images for images in drawn.samples if images.shape[1]), None)
    return None if grid is None else pictures.sheet(grid, spec)
