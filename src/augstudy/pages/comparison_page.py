"""A comparison as people read it: a self-contained HTML page, and tables in the terminal."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from augstudy.metrics.scores import SCORES
from augstudy.pages import readings, style, verdicts, wording
from augstudy.pages.figures import arms as arm_figures
from augstudy.pages.figures import confusion, curves, pictures
from augstudy.pages.templates import environment
from augstudy.runs.compare import Comparison, Contestant, Difference
from augstudy.runs.record import Record
from augstudy.stats.codes import SCORES as METRICS

_SHOWN_CLASSES = 25
_IMAGES_A_CLASS = 2
# Two arms are compared here, neither of which is there to help.
_WORDS = {"helps": "better", "hurts": "worse"}
Heat = Mapping[str, NDArray[Any]]
Shown = tuple[int, bytes]  # its class and its pixels


def page(comparison: Comparison, link: Callable[[Record], str] | None = None) -> str:
    """The page: pictures are within it, and nothing is loaded.

    Args:
        comparison: What is compared.
        link: Gives the address of the page of a run, or an empty text.
    """
    items = _coloured(comparison)
    template = environment().get_template("compare.html.j2")
    return template.render(
        rows=[
            _row(item, colour, comparison) | {"link": link(item.record) if link else ""}
            for item, colour in items
        ],
        reference=comparison.reference.label,
        metric_names=[readings.score(name).title for name in SCORES],
        settings=[
            (name, [_short(value) for value in values]) for name, values in comparison.settings
        ],
        plots=_plots(comparison),
        curves=_curves(items),
        confusions=_confusions(comparison),
        cams=_cams(comparison),
        covers=next(
            (verdicts.covers(item.found) for item in comparison.differences if item.found), None
        ),
        margin=margin_note(comparison),
        metric=readings.metric(comparison.reference.result.metric).title,
    )


def show(console: Console, comparison: Comparison) -> None:
    """Print the metrics, the differences and the settings that differ."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("arm", no_wrap=True)
    titles = [readings.score(name).title for name in SCORES]
    for name in (*titles, f"minus {comparison.reference.label}, points", "p"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict")
    found = {item.label: item for item in comparison.differences}
    for item in comparison.contestants:
        difference = found.get(item.label)
        cells = [" ".join(_metric(item, name)) for name in SCORES]
        change, p_value, word = _change(difference)
        verdict = Text(word, style=verdicts.COLOURS.get(word, "dim"))
        table.add_row(item.label, *cells, change, p_value, verdict)
    console.print(table)
    console.print("Brackets: 95 % intervals. p is corrected for several comparisons.", style="dim")
    console.print(margin_note(comparison), style="dim")
    console.print()
    settings = Table(box=None, pad_edge=False, header_style="bold")
    settings.add_column("setting that differs", overflow="fold")
    for item in comparison.contestants:
        settings.add_column(item.label, overflow="fold")
    for name, values in comparison.settings:
        settings.add_row(Text(name), *(Text(_short(value)) for value in values))
    console.print(settings if comparison.settings else "No setting differs.")


def _coloured(comparison: Comparison) -> list[tuple[Contestant, str]]:
    """The arms with their colours."""
    colours = style.told_apart([item.result for item in comparison.contestants])
    return list(zip(comparison.contestants, colours, strict=True))


def margin_note(comparison: Comparison) -> str:
    """Which margin the verdicts use, and where it comes from."""
    margins = {item.label: item.margin for item in comparison.contestants}
    used = verdicts.margin_text(comparison.reference.margin)
    if len(set(margins.values())) == 1:
        return f"Differences smaller than {used}, the margin of the report, do not matter."
    others = (
        f"{label}: {verdicts.margin_text(margin)}"
        for label, margin in margins.items()
        if margin != comparison.reference.margin
    )
    return (
        f"The reports of these runs use different margins ({', '.join(others)}). The verdicts here "
        f"use that of {comparison.reference.label}: {used}."
    )


def _row(item: Contestant, colour: str, comparison: Comparison) -> dict[str, Any]:
    difference = next((d for d in comparison.differences if d.label == item.label), None)
    change, p_value, word = _change(difference)
    return {
        "label": item.label,
        "title": wording.title_of(item.result),
        "name": item.record["name"],
        "colour": colour,
        "date": (item.record["date"] or "")[:16],
        "seeds": len(item.result.seeds),
        "images": f"{item.result.mean_of('images'):,.0f}",
        "train": wording.percent(item.result.mean_of("train_accuracy")),
        "val": wording.percent(item.result.mean_of("val_accuracy")),
        "metrics": [_metric(item, name) for name in SCORES],
        "change": change.partition(" ")[0],
        "span": change.partition(" ")[2].strip("()"),
        "p": p_value,
        "word": word,
        "pill": verdicts.PILLS.get(word, ""),
        "note": item.record.get("note") or "",
    }


def _metric(item: Contestant, name: str) -> tuple[str, str]:
    """A score and its interval as texts; empty where the run is older than the score."""
    found = item.result.scores.get(name)
    if found is None:
        return "", ""
    span = wording.score_interval(name, found.low, found.high)
    return wording.score(name, found.value), f"({span})"


def _change(difference: Difference | None) -> tuple[str, str, str]:
    """Difference with its interval, p-value and verdict as texts."""
    if difference is None:
        return "", "", "reference"
    found = difference.found
    if found is None:
        return "", "", f"no pair: {difference.unlike}"
    word = _WORDS.get(found.verdict, found.verdict)
    return wording.change(found), wording.p_text(found.p_holm), word


def _plots(comparison: Comparison) -> dict[str, str | None]:
    metric = comparison.reference.result.metric
    name, title = METRICS[metric], readings.metric(metric).title
    pairs = _coloured(comparison)
    colours = {item.label: colour for item, colour in pairs}
    accuracy = [
        arm_figures.score(item.label, colours[item.label], item.result.scores[name])
        for item in comparison.contestants
    ]
    differences = [
        arm_figures.difference(item.label, colours[item.label], item.found)
        for item in comparison.differences
        if item.found
    ]
    reference = comparison.reference
    real = reference.result.scores[name].value
    axis = f"{title} minus that of {reference.label}, percentage points"
    return {
        "accuracy": arm_figures.whiskers(
            accuracy, 100 * real, reference.label, f"{title}, per cent"
        ),
        "difference": arm_figures.whiskers(differences, 0, "no difference", axis)
        if differences
        else None,
    }


def _curves(items: list[tuple[Contestant, str]]) -> list[tuple[str, str]]:
    runs = [(item.label, colour, item.result.history) for item, colour in items]
    return curves.all_overlaid(runs)


def _confusions(comparison: Comparison) -> dict[str, Any]:
    """The matrix of the reference, and what each other one with its classes changes."""
    reference = comparison.reference
    alike = [item for item in comparison.contestants if item.classes == reference.classes]
    first, *others = ((item.label, item.result.metrics["confusion"]["mean"]) for item in alike)
    recalls = np.diag(confusion.row_shares(np.array(first[1], np.float64)))
    shown = sorted(np.argsort(recalls, kind="stable")[:_SHOWN_CLASSES].tolist())
    return confusion.compared(first[1], others, reference.classes, shown)


def _cams(comparison: Comparison) -> list[dict[str, Any]]:
    """The same images as each network sees them: a row per image that several explain."""
    maps = [_heat(item) for item in comparison.contestants]
    places: list[dict[Shown, int]] = [
        {
            (int(label), image.tobytes()): index
            for index, (label, image) in enumerate(zip(heat["labels"], heat["images"], strict=True))
        }
        if heat
        else {}
        for heat in maps
    ]
    shared = [key for key in places[0] if any(key in other for other in places[1:])]
    # First those on which the networks differ, then those that all of them explain.
    shared.sort(key=lambda key: (key[0], not _disputed(key, maps, places), -_count(key, places)))
    rows, count = [], dict.fromkeys(range(len(comparison.reference.classes)), 0)
    for key in shared:
        count[key[0]] += 1
        if count[key[0]] <= _IMAGES_A_CLASS:
            tiles = [
                _tile(item, heat, found.get(key))
                for item, heat, found in zip(comparison.contestants, maps, places, strict=True)
            ]
            rows.append({"label": comparison.reference.classes[key[0]], "tiles": tiles})
    return rows


def _count(key: Shown, places: list[dict[Shown, int]]) -> int:
    """How many explain an image."""
    return sum(key in found for found in places)


def _disputed(key: Shown, maps: list[Heat], places: list[dict[Shown, int]]) -> bool:
    """Whether some recognise an image and others do not."""
    pairs = zip(maps, places, strict=True)
    return len({int(heat["predicted"][at[key]]) == key[0] for heat, at in pairs if key in at}) > 1


def _heat(item: Contestant) -> Heat:
    if item.heat is None:
        return {}
    with np.load(item.heat.file("maps.npz"), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _tile(item: Contestant, heat: Heat, index: int | None) -> dict[str, Any] | None:
    if index is None:
        return None
    predicted = int(heat["predicted"][index])
    return {
        "uri": pictures.heat_tile(heat["images"][index], heat["heat"][index], item.spec),
        "predicted": item.classes[predicted],
        "right": predicted == int(heat["labels"][index]),
        "confidence": wording.percent(float(heat["confidence"][index]), 0),
    }


def _short(value: Any) -> str:
    if value is None:
        return "\N{EM DASH}"
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}\N{HORIZONTAL ELLIPSIS}"
