"""Rows of the tracker as people and programs read them: terminal, CSV, JSON, Parquet, HTML."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from augstudy.core.errors import InputError
from augstudy.core.files import replace_bytes, replace_text
from augstudy.pages import readings
from augstudy.pages.formats import duration, points
from augstudy.runs.record import FIELDS, Field, Row

SHOWN = (
    "id",
    "arm",
    "date",
    "pipeline",
    "state",
    "level",
    "accuracy",
    "difference",
    "verdict",
    "fid_qd",
    "duration_s",
    "changed",
    "note",
)
_COLOURS = {
    "helps": "green",
    "hurts": "red",
    "done": "green",
    "succeeded": "green",
    "running": "yellow",
    "failed": "red",
    "damaged": "red",
    "interrupted": "red",
    "canceled": "red",
}
_RIGHT = ("integer", "number", "share", "points", "seconds")
_FORMATS = ("csv", "json", "parquet", "html")


def columns(text: str) -> list[Field]:
    """The fields that a text such as ``id,arm,accuracy`` names; the usual ones if it is empty.

    Raises:
        InputError: there is no such field.
    """
    names = [name.strip() for name in text.split(",") if name.strip()] or list(SHOWN)
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


def render(rows: Sequence[Row], fields: Sequence[Field]) -> Table:
    """A table for a terminal."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for field in fields:
        table.add_column(
            readings.field(field.name).title, justify="right" if field.kind in _RIGHT else "left"
        )
    for row in rows:
        cells = [text_of(field, row) for field in fields]
        table.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in cells))
    return table


def write(rows: Sequence[Row], path: Path) -> None:
    """Write all columns of the rows; the ending of the name says how.

    Raises:
        InputError: the ending is none of .csv, .json, .parquet and .html, or Parquet is asked for
            without pyarrow.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in _FORMATS:
        endings = ", ".join(f".{name}" for name in _FORMATS)
        raise InputError(f"{path} ends in none of {endings}: choose one of them.")
    path.parent.mkdir(parents=True, exist_ok=True)
    writers = {"csv": _write_csv, "json": _write_json, "html": _write_html}
    writers.get(kind, _write_parquet)(rows, path)


def _write_csv(rows: Sequence[Row], path: Path) -> None:
    import pandas as pd

    from augstudy.pages import overview

    # As objects, or a column of whole numbers with a gap would become one of fractions.
    frame = pd.DataFrame(list(rows), columns=list(FIELDS), dtype=object)
    overview.write_csv(frame, path)


def _write_json(rows: Sequence[Row], path: Path) -> None:
    content = [{name: row.get(name) for name in (*FIELDS, "settings")} for row in rows]
    replace_text(path, json.dumps(content, indent=1) + "\n")


def _write_html(rows: Sequence[Row], path: Path) -> None:
    from augstudy.pages.templates import environment

    fields = [field for field in FIELDS.values() if any(row.get(field.name) for row in rows)]
    cells = [[text_of(field, row) for field in fields] for row in rows]
    numeric = [field.kind in _RIGHT for field in fields]
    template = environment().get_template("rows.html.j2")
    replace_text(
        path,
        template.render(
            fields=[readings.field(field.name) for field in fields], rows=cells, numeric=numeric
        ),
    )


def _write_parquet(rows: Sequence[Row], path: Path) -> None:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(
            "Parquet needs the package pyarrow: pip install 'augstudy[parquet]', or write .csv."
        ) from error
    types = {"text": pa.string(), "integer": pa.int64()}
    numbered = all(isinstance(row.get("id"), int | None) for row in rows)
    values = {
        name: pa.array([row.get(name) for row in rows], types.get(field.kind, pa.float64()))
        for name, field in FIELDS.items()
        if name != "id"
    }
    # Runs of a cluster have no number but an id.
    kind = pa.int64() if numbered else pa.string()
    values = {"id": pa.array([row.get("id") for row in rows], kind), **values}
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
        return str(value) if field.name == "id" else f"{value:,}"
    if field.kind == "seconds":
        return duration(value)
    text = str(value)
    return text[:16] if field.name == "date" else text[:12] if field.name == "data_hash" else text
