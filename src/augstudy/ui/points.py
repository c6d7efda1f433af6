"""What the charts of the page show: values of chosen columns, row by row, and colours."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from augstudy.core.errors import InputError
from augstudy.runs import query
from augstudy.runs.record import Row, plain
from augstudy.settings.arms import label_of

MOST = 2000  # rows that are drawn
_COLUMNS = 20


def points(found: Sequence[Row], columns: Sequence[str], colour: str) -> dict[str, Any]:
    """The values of `columns` of the rows that are drawn, and how many there are in all.

    Args:
        found: Rows of the tracker.
        columns: Fields, or settings such as ``settings.seeds``.
        colour: The column whose values have colours; only texts have.

    Raises:
        InputError: there is no such column, or there are too many.
    """
    if len(columns) > _COLUMNS:
        raise InputError(f"At most {_COLUMNS} columns can be drawn: choose fewer.")
    values = {name: query.field(name) for name in columns}
    shown = found[:MOST]
    return {
        "total": len(found),
        "rows": [
            {
                "id": row["id"],
                "arm": row["arm"],
                "values": {name: _plain(value(row)) for name, value in values.items()},
            }
            for row in shown
        ],
        "colours": _colours(shown, colour) if colour else {},
    }


def _colours(rows: Sequence[Row], name: str) -> dict[str, str]:
    """The colour of each value: of an arm its own, and else one of a palette, in order."""
    from augstudy.pages import style

    if name == "arm":
        return {row["arm"]: style.colour_of(_arm(row)) for row in rows if row["arm"]}
    value = query.field(name)
    texts = sorted({str(_plain(value(row))) for row in rows if value(row) is not None})
    return dict(zip(texts, style.palette(len(texts) + 1)[1:], strict=True))


def _arm(row: Row) -> SimpleNamespace:
    """What the colour of an arm depends on."""
    label, _, of = row["arm"].partition("@")
    kind, share = row.get("kind") or label, row.get("share")
    named = None if label == label_of(kind, share) else label
    return SimpleNamespace(arm=kind, share=share, name=named, set=of or None)


def _plain(value: Any) -> Any:
    return plain(value) if isinstance(value, list | Mapping | bool) else value
