"""The page of a run's folder: links to all that the run left, arm by arm."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from augstudy.core.errors import AugstudyError
from augstudy.core.files import replace_text
from augstudy.pages import readings
from augstudy.pages.tables import cells, text_of
from augstudy.runs.folder import RunsFolder
from augstudy.runs.record import ARM_FIELDS, RUN_FIELDS, Record, rows
from augstudy.runs.shelf import Found, Shelf

NAME = "index.html"
# Files of the folder itself, and of artifacts by kind, in the order in which they are shown.
_TOP = {
    "report.html": "Report",
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
    """Write the page into the folder of a run; its path."""
    from augstudy.pages.templates import environment

    (first, *_) = found = list(rows([record]))
    columns = [field for field in ARM_FIELDS if field.name in _ARM_COLUMNS or field.score]
    template = environment().get_template("run.html.j2")
    page = template.render(
        record=record,
        facts=[
            (readings.field(field.name).title, text_of(field, first))
            for field in RUN_FIELDS
            if field.name not in _FEWER and text_of(field, first)
        ],
        top=[(name, title) for name, title in _TOP.items() if (folder / name).is_file()],
        sections=list(_SECTIONS.items()) if (folder / "report.html").is_file() else [],
        arms=cells(found, columns) if first["arm"] else None,
        parts=_parts(record["key"], shelf),
    )
    replace_text(folder / NAME, page)
    return folder / NAME


def _parts(key: str, shelf: Shelf) -> list[dict[str, Any]]:
    """Links to the files of every artifact, those of one arm together."""
    groups: dict[str, list[Mapping[str, str]]] = {}
    for item in shelf.found:
        groups.setdefault(item.arm or item.kind, []).extend(_links(key, item))
    return [{"name": name, "links": links} for name, links in groups.items() if links]


def _links(key: str, item: Found) -> list[Mapping[str, str]]:
    within = item.folder.removeprefix(f"{key}/")
    titles = {name: title for name, title in _FILES.items() if name in item.manifest.files}
    titles |= {
        name: f"Model with weights, {name.split('/')[0].replace('-', ' ')}"
        for name in item.manifest.files
        if name.endswith("/model.keras")
    }
    return [{"href": f"{within}/{name}", "title": title} for name, title in titles.items()]
