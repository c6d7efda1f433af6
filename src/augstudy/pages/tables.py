"""Rows of the tracker as people and programs read them: terminal, CSV, JSON, Parquet, HTML."""

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.table import Table
from rich.text import Text

from augstudy.core import outlets
from augstudy.core.errors import InputError
from augstudy.core.files import replace_bytes, replace_text
from augstudy.pages import readings, verdicts
from augstudy.pages.formats import duration, points
from augstudy.runs.record import FIELDS, Field, Row

SHOWN = (
    "id",
    "arm",
    "date",
    "pipeline",
    "state",
    "outcome",
    "level",
    "accuracy",
    "difference",
    "verdict",
    "fid_qd",
    "duration_s",
    "changed",
    "note",
)
# Runs of a cluster are called by names, and have a page on its dashboard.
SHOWN_OF_CLUSTER = ("id", "name", *SHOWN[1:], "link")
_COLOURS = verdicts.COLOURS | {
    "promoted": "green",
    "done": "green",
    "succeeded": "green",
    "running": "yellow",
    "failed": "red",
    "damaged": "red",
    "interrupted": "red",
    "canceled": "red",
}
_LEFT = ("text", "date", "hash")
_LENGTHS = {"date": 16, "hash": 12}  # characters of a text that are shown
_FORMATS = ("csv", "json", "parquet", "html")


def columns(text: str, usual: Sequence[str] = SHOWN) -> list[Field]:
    """The fields that a text such as ``id,arm,accuracy`` names; the `usual` ones if it is empty.

    Raises:
        InputError: there is no such field.
    """
    names = [name.strip() for name in text.split(",") if name.strip()] or list(usual)
    for name in names:
        if name not in FIELDS:
            raise InputError(f"There is no column {name!r}; there are: {', '.join(FIELDS)}.")
    return [FIELDS[name] for name in names]


def text_of(field: Field, row: Mapping[str, Any]) -> str:
    """The value of a field as a person reads it; an accuracy comes with its interval."""
    value = row.get(field.name)
    if value is None:
        return ""
    if field.name in ("accuracy", "difference"):
        ends = (row.get(f"{field.name}_low"), row.get(f"{field.name}_high"))
        if None not in ends:
            low, high = (_plain(field, end) for end in ends)
            return f"{_plain(field, value)} ({low} to {high})"
    return _plain(field, value)


def cells(rows: Sequence[Row], fields: Sequence[Field], link: Any = None) -> dict[str, Any]:
    """What the macro ``tracked`` of pages shows: headings, and rows of texts.

    Args:
        rows: Of the table.
        fields: Its columns.
        link: What gives the address of a row's run, or an empty text.
    """
    heads = [
        {
            "name": field.name,
            "number": field.kind not in _LEFT,
            "reading": readings.field(field.name),
        }
        for field in fields
    ]
    texts = [[text_of(field, row) for field in fields] for row in rows]
    links = [link(row) if link else "" for row in rows]
    return {"heads": heads, "rows": list(zip(links, texts, strict=True))}


def render(rows: Sequence[Row], fields: Sequence[Field]) -> Table:
    """A table for a terminal."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for field in fields:
        table.add_column(
            readings.field(field.name).title,
            justify="left" if field.kind in _LEFT else "right",
            overflow="fold" if field.name == "link" else "ellipsis",
        )
    for row in rows:
        cells = [text_of(field, row) for field in fields]
        table.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in cells))
    return table


def write(rows: Sequence[Row], path: Path, home: Path | None = None) -> None:
    """Write all columns of the rows; the ending of the name says how.

    Args:
        rows: Of the table.
        path: File to write.
        home: Folder of the runs, so that a page can link to theirs.

    Raises:
        InputError: the ending is none of .csv, .json, .parquet and .html, or Parquet is asked for
            without pyarrow.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in _FORMATS:
        endings = ", ".join(f".{name}" for name in _FORMATS)
        raise InputError(f"{path} ends in none of {endings}: choose one of them.")
    if kind == "html":
        write_html(rows, path, home)
    else:
        {"csv": write_csv, "json": _write_json, "parquet": _write_parquet}[kind](rows, path)


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Write all columns as CSV; a reader sees either the old file or the whole new one."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(FIELDS)
    writer.writerows([outlets.cell(row.get(name)) for name in FIELDS] for row in rows)
    replace_text(path, buffer.getvalue())


def write_html(
    rows: Sequence[Row],
    path: Path,
    home: Path | None = None,
    title: str = "Runs",
    curves: Mapping[str, Any] | None = None,
) -> None:
    """Write one self-contained page: the usual columns first, then all others that hold anything.

    Args:
        rows: Of the table.
        path: File to write.
        home: Folder of the runs, so that the page can link to theirs.
        title: Of the page.
        curves: What :func:`augstudy.pages.levels.shown` says, for below the table.
    """
    from augstudy.pages.templates import environment

    names = [name for name in dict.fromkeys((*SHOWN, *FIELDS)) if name != "link"]
    fields = [FIELDS[name] for name in names if any(row.get(name) for row in rows)]
    table = cells(rows, fields, lambda row: address(row.get("link") or "", path, home))
    template = environment().get_template("rows.html.j2")
    replace_text(path, template.render(table=table, title=title, **(curves or {"curves": []})))


def address(link: str, page: Path, home: Path | None) -> str:
    """The page of a run as one that lies elsewhere links to it; empty if it cannot."""
    if link.startswith(("http://", "https://")):
        return link
    if home is None or not link:
        return ""
    return quote(Path(os.path.relpath(home.resolve() / link, page.resolve().parent)).as_posix())


def _write_json(rows: Sequence[Row], path: Path) -> None:
    content = [{name: row.get(name) for name in (*FIELDS, "settings")} for row in rows]
    replace_text(path, json.dumps(content, indent=1) + "\n")


def _write_parquet(rows: Sequence[Row], path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    numbered = all(isinstance(row.get("id"), int | None) for row in rows)
    types = {kind: pa.string() for kind in _LEFT}
    types |= {"integer": pa.int64(), "id": pa.int64() if numbered else pa.string()}
    values = {
        name: pa.array([row.get(name) for row in rows], types.get(field.kind, pa.float64()))
        for name, field in FIELDS.items()
    }
    values["settings"] = pa.array([json.dumps(row.get("settings")) for row in rows])
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(values), sink)
    replace_bytes(path, sink.getvalue().to_pybytes())


def _plain(field: Field, value: Any) -> str:
    if field.kind == "share":
        return f"{100 * value:.1f} %"
    if field.kind == "points":
        return points(value)
    if field.kind == "number":
        return f"{value:.3g}"
    if field.kind == "integer":
        return f"{value:,}"
    if field.kind == "seconds":
        return duration(value)
    return str(value)[: _LENGTHS.get(field.kind)]
