"""The report as one self-contained HTML file: no network, no scripts, no fonts."""

from typing import Any

from augstudy.core.fingerprint import code_version, software
from augstudy.pages import (
    answers,
    classes,
    filtering,
    gallery,
    labels,
    readings,
    reasons,
    rounds,
    sections,
    sets,
    uncertainty,
    verdicts,
    wording,
)
from augstudy.pages.templates import environment
from augstudy.results.material import Material
from augstudy.results.models import Study

LIMIT = 2_000_000


def render(material: Material, summary: Study) -> str:
    """The report; heat maps of further arms are left out where they would make it too large.

    Args:
        material: the study's artifacts.
        summary: what it found.
    """
    context: dict[str, Any] = {
        "summary": summary,
        "head": answers.answer(summary),
        "verdict": summary.headline.verdict,
        "facts": _facts(material, summary),
        "arms": sections.arm_rows(material, summary),
        "plots": sections.arm_plots(summary),
        "remarks": sections.remarks(material, summary),
        "covers": _covers(summary),
        "forecast": verdicts.forecast(summary.power),
        "learnt": all(arm.learnt for arm in summary.arms.values()),
        "budget": sections.budget(summary),
        "reasons": reasons.box(summary),
        "rounds": rounds.section(summary),
        "sources": uncertainty.section(summary),
        "pairs": sections.pair_rows(summary),
        "controls": sections.controls(material, summary),
        "margin": verdicts.margin_text(summary.margin),
        "metric": readings.metric(summary.metric).title,
        "drawn": material.spec.is_drawing,
        "balanced": summary.metric == "balanced_accuracy",
        "beside_arms": sections.discriminator_rows(material, summary),
        "filter": filtering.section(material),
        "labels": labels.section(material, summary),
        "scores": sections.class_scores(material),
        "recalls": classes.section(summary),
        "training": sections.training(material),
        "sets": gallery.sets(material),
        "compared": sets.section(material, summary),
        "confusions": sections.confusions(material),
        "data": gallery.data(material, wording.repeated(summary.data, summary.seeds_each)),
        "settings": gallery.flat_rows(summary.study),
        "data_settings": gallery.flat_rows(material.dataset.manifest.config),
        "provenance": gallery.provenance(material),
        "software": software() | {"augstudy code": code_version()},
        "cams": [],
    }
    template = environment().get_template("report.html.j2")
    room = LIMIT - len(template.render(context).encode()) - 20_000
    context["cams"] = gallery.cams(material, summary.headline.arm, room)
    context["cams_left_out"] = len(material.cams) - len(context["cams"])
    return template.render(context)


def _facts(material: Material, summary: Study) -> list[tuple[str, str]]:
    data, seeds = summary.data, summary.seeds_each
    images, folds, draws = data.images, data.folds, data.draws
    tested, runs = "unseen test images", "training runs per arm"
    parts = [wording.counted(draws, "draw")] * (draws > 1)
    if folds:
        tested = "test images, each tested by classifiers that had not seen it"
        parts.append(wording.counted(folds, "fold"))
    if parts:
        runs += f": {', '.join(parts)}, {wording.counted(seeds, 'seed')}"
    return [
        (f"{material.level:,}", "real images per class to train on"),
        (str(len(material.classes)), "classes"),
        (str(len(material.arms)), "arms" if len(material.arms) > 1 else "arm"),
        (str(seeds * draws * max(1, folds)), runs),
        (f"{images['test']:,}", tested),
        *_visible(summary),
    ]


def _visible(summary: Study) -> list[tuple[str, str]]:
    """The smallest difference that could be expected to show."""
    power = summary.power
    if not power.comparisons or power.seeds * power.draws == 1:
        return []
    return [(f"{100 * power.detectable:.1f}", "points: smallest difference expected to show")]


def _covers(summary: Study) -> str | None:
    return next(map(verdicts.covers, summary.differences.values()), None)
