"""What KFP's API refuses of parameters, filters and sorting, and how it gives lists in pages."""

import json
from typing import Any

Record = dict[str, Any]
_OPERATIONS = {"EQUALS": 1, "NOT_EQUALS": 2, "IN": 8, "IS_SUBSTRING": 9}
_JSON_TYPES = {
    "STRING": str,
    "NUMBER_INTEGER": (int, float),
    "NUMBER_DOUBLE": (int, float),
    "BOOLEAN": bool,
    "LIST": list,
    "STRUCT": dict,
}


class RefusedError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def check_parameters(known: Record, given: Record) -> None:
    for name, definition in known.items():
        if name not in given:
            if "defaultValue" not in definition and not definition.get("isOptional"):
                raise RefusedError(400, f"parameter {name} is not optional, yet has no value")
        elif not _is_a(given[name], definition["parameterType"]):
            kind = definition["parameterType"].lower()
            raise RefusedError(400, f"input parameter {name} requires type {kind}")
    extra = sorted(set(given) - set(known))
    if extra:
        message = f"parameter(s) provided are not required by pipeline: {', '.join(extra)}"
        raise RefusedError(400, message)


def _is_a(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "BOOLEAN"
    return isinstance(value, _JSON_TYPES[kind])


def belongs(item: Record, namespace: str | None, parent: str | None) -> bool:
    if parent and item.get("experiment_id") != parent:
        return False
    return not namespace or item.get("namespace", namespace) == namespace


def page(what: str, records: list[Record], query: dict[str, str]) -> Record:
    found = [item for item in records if _passes(item, query.get("filter"))]
    field, _, direction = (query.get("sort_by") or "created_at").partition(" ")
    if any(field not in item for item in found):
        raise RefusedError(400, f"Invalid sorting field: {field}")
    found.sort(key=lambda item: item[field], reverse=direction == "desc")
    start = int(query.get("page_token") or 0)
    end = start + min(int(query.get("page_size") or 20), 200)
    answer: Record = {what: found[start:end], "total_size": len(found)}
    if end < len(found):
        answer["next_page_token"] = str(end)
    return answer


def _passes(item: Record, text: str | None) -> bool:
    predicates = json.loads(text).get("predicates", []) if text else []
    for predicate in predicates:
        operation = predicate.get("operation")
        number = _OPERATIONS.get(operation, operation)
        if predicate.get("key") not in ("display_name", "name", "storage_state"):
            raise RefusedError(400, f"no such field: {predicate.get('key')}")
        value = str(item.get(predicate["key"], ""))
        wanted = predicate.get("stringValue", predicate.get("string_value"))
        several = predicate.get("stringValues", predicate.get("string_values")) or {}
        passed = {
            1: value == wanted,
            2: value != wanted,
            8: value in several.get("values", []),
            9: str(wanted) in value,
        }
        if number not in passed:
            raise RefusedError(400, f"unknown operation {operation}")
        if not passed[number]:
            return False
    return True
