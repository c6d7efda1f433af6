"""Rows of the tracker in groups that share the value of a field or of a setting."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from augstudy.runs import query
from augstudy.runs.record import ARM_FIELDS, FIELDS, Field, Record, Row, flat, plain

# What a group has a mean of: measured values, not what was asked for nor the ends of intervals.
_MEASURED = ("share", "points", "number", "seconds")
_NOT_MEASURED = ("share", "p")
MEASURED = tuple(
    field
    for field in FIELDS.values()
    if field.kind in _MEASURED
    and field.name not in _NOT_MEASURED
    and not field.name.endswith(("_low", "_high"))
)


@dataclass(frozen=True)
class Group:
    """Rows that share a value."""

    value: Any
    rows: Sequence[Row]

    def head(self) -> dict[str, Any]:
        """What stands above the rows: value, counts, and mean, least and most of each measure.

        What is measured once per run counts once per run, however many arms that has.
        """
        runs = {row["key"]: row for row in self.rows}
        figures = {}
        for field in MEASURED:
            rows = self.rows if field in ARM_FIELDS else runs.values()
            if found := _figures(field, rows):
                figures[field.name] = found
        return {
            "value": self.value,
            "runs": len(runs),
            "rows": len(self.rows),
            "figures": figures,
        }


def groups(found: Iterable[Row], name: str, order: str = "") -> list[Group]:
    """Rows by the value of the field or setting `name`; each group keeps their order.

    Groups come by value, numbers before texts and rows without a value last, unless the rows were
    put in the `order` of that very value: then as the rows come.

    Raises:
        InputError: there is no such field.
    """
    value = query.field(name)
    members: dict[tuple[bool, Hashable], list[Row]] = {}
    for row in found:
        said = value(row)
        said = plain(said) if isinstance(said, list | Mapping) else said
        members.setdefault((isinstance(said, bool), said), []).append(row)
    made = [Group(said, rows) for (_, said), rows in members.items()]
    if order.split(",")[0].strip().lstrip("-") != name:
        made.sort(key=lambda group: (group.value is None, query.sortable(group.value)))
    return made


def settings(records: Sequence[Record]) -> list[dict[str, Any]]:
    """The settings in which runs differ, by name, each with the kind of its values."""
    values: dict[str, dict[str, Any]] = {}
    runs = Counter[str]()
    for record in records:
        for name, value in flat(record["settings"]).items():
            values.setdefault(name, {})[plain(value)] = value
            runs[name] += 1
    return [
        {"name": f"settings.{name}", "title": name, "kind": _kind(found.values())}
        for name, found in sorted(values.items())
        if len(found) + (runs[name] < len(records)) > 1
    ]


def _kind(values: Iterable[Any]) -> str:
    types = {type(value) for value in values if value is not None}
    if types <= {int}:
        return "integer" if types else "text"
    return "number" if types <= {int, float} else "text"


def _figures(field: Field, rows: Iterable[Row]) -> dict[str, float] | None:
    values = [row[field.name] for row in rows if row.get(field.name) is not None]
    if not values:
        return None
    return {"mean": sum(values) / len(values), "low": min(values), "high": max(values)}
