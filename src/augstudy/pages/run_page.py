"""The page of a run's folder: links to all that the run left, arm by arm."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from augstudy.core.errors import AugstudyError
from augstudy.core.files import read_bytes, replace_text
from augstudy.pages import readings
from augstudy.pages.tables import cells, text_of
from augstudy.runs.folder import RunsFolder
from augstudy.runs.record import ARM_FIELDS, RUN_FIELDS, Record, rows
from augstudy.runs.shelf import Found, Shelf

NAME = "index.html"
REPORT = "report.html"
_MAIN = "<main>"
_LINK = f'<p class="note"><a href="{NAME}">All files of this run</a></p>'
# Files of the folder itself, and of artifacts by kind, in the order in which they are shown.
_TOP = {
    REPORT: "Report",
    "settings.yaml": "Configuration",
    "summary.json": "Results",
    "timings.csv": "Time of each step",
    "run.log": "Log",
    "record.json": "Record",
}
_SECTIONS = {
    "training": "History and learning-rate plots",
    "classes": "Confusion matrices",
    "cam": "Heat maps",
    "gan": "Synthetic images",
    "data": "Data",
}
_FILES = {
    "architecture.txt": "Architecture",
    "history.csv": "History",
    "metrics.json": "Test metrics, confusion matrix",
    "predictions.npz": "Predictions",
    "maps.npz": "Heat maps",
    "generator.keras": "Generator",
    "discriminator.keras": "Discriminator",
    "samples.npz": "Samples over time",
    "stability.json": "Stability",
    "quality.json": "Quality",
    "sheet.png": "Sheet of samples",
    "data_report.json": "Data report",
    "samples.png": "Sample of the data",
    "manifest.json": "Manifest",
}
_ARM_COLUMNS = ("arm", "seeds", "images", "val_accuracy", "accuracy")
_FEWER = ("id", "name", "where", "note", "link")  # what is said already, or may change


def write_missing(book: RunsFolder) -> None:
    """Write the page of every finished run that has none; one that is damaged is passed over."""
    for record in book.records():
        folder = book.path / record["key"]
        with contextlib.suppress(AugstudyError, OSError):
            if record["state"] != "running" and not (folder / NAME).exists():
                write(folder, record, Shelf(book.store, record["key"]))


def write(folder: Path, record: Record, shelf: Shelf) -> Path:
    """Write the page into the folder of a run, and a link to it into the report; its path."""
    replace_text(folder / NAME, render(record, shelf, top(folder)))
    with contextlib.suppress(FileNotFoundError):
        report = read_bytes(folder / REPORT).decode()
        replace_text(folder / REPORT, linked(report))
    return folder / NAME


def top(folder: Path) -> list[str]:
    """Names of the files in the folder of a run itself that the page links to."""
    return [name for name in _TOP if (folder / name).is_file()]


def linked(report: str) -> str:
    """A report with a link to the page of its run, which lies beside it."""
    return report if _LINK in report else report.replace(_MAIN, f"{_MAIN}\n{_LINK}", 1)


def render(record: Record, shelf: Shelf, names: Sequence[str]) -> str:
    """The page of a run.

    Args:
        record: Of the run.
        shelf: Its artifacts.
        names: Of the files that lie beside the page, such as the report.
    """
    from augstudy.pages.templates import environment

    (first, *_) = found = list(rows([record]))
    columns = [field for field in ARM_FIELDS if field.name in _ARM_COLUMNS or field.score]
    template = environment().get_template("run.html.j2")
    return template.render(
        record=record,
        facts=[
            (readings.field(field.name).title, text_of(field, first))
            for field in RUN_FIELDS
            if field.name not in _FEWER and text_of(field, first)
        ],
        top=[(name, _TOP[name]) for name in names],
        sections=list(_SECTIONS.items()) if REPORT in names else [],
        arms=cells(found, columns) if first["arm"] else None,
        parts=_parts(record["key"], shelf),
    )


def targets(key: str, shelf: Shelf) -> dict[str, tuple[str, str]]:
    """What the links to files of artifacts lead to: the folder in the store, and the file in it."""
    return {
        link["href"]: (item.folder, name)
        for item in shelf.found
        for name, link in _links(key, item).items()
    }


def _parts(key: str, shelf: Shelf) -> list[dict[str, Any]]:
    """Links to the files of every artifact, those of one arm together."""
    groups: dict[str, list[Mapping[str, str]]] = {}
    for item in shelf.found:
        groups.setdefault(item.arm or item.kind, []).extend(_links(key, item).values())
    return [{"name": name, "links": links} for name, links in groups.items() if links]


def _links(key: str, item: Found) -> dict[str, Mapping[str, str]]:
    """Address and title of the files of an artifact that are worth a link, by name."""
    within = item.folder.removeprefix(f"{key}/")
    titles = {name: title for name, title in _FILES.items() if name in item.manifest.files}
    titles |= {
        name: f"Model with weights, {name.split('/')[0].replace('-', ' ')}"
        for name in item.manifest.files
        if name.endswith("/model.keras") and ".." not in name
    }
    return {name: {"href": f"{within}/{name}", "title": title} for name, title in titles.items()}
