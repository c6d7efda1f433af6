"""The record of a run: what it was asked, what it cost, and what each of its arms found.

A run is one record; an arm is one entry of its list ``arms``. Every table of runs, in the terminal,
in files and on pages, has a row for each arm, which :func:`rows` makes by joining the two; so each
of :data:`FIELDS` is a column.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Literal

from augstudy.metrics.scores import SCORES
from augstudy.results.files import AnySummary
from augstudy.results.models import Arm, GeneratorSweep, Point, Retraining, Study, Sweep
from augstudy.results.parts import Compared, Score
from augstudy.settings.arms import label_of

SCHEMA_VERSION = 1
DAMAGED = "damaged"  # the state of a run of which something cannot be read
Record = dict[str, Any]
Row = dict[str, Any]
# An id is a number, or a text where a cluster has given it.
Kind = Literal["id", "text", "date", "hash", "integer", "number", "share", "points", "seconds"]


@dataclass(frozen=True)
class Field:
    """A column: its name in ``--where`` and ``--sort``, and what its values are.

    Headings and meanings are in :mod:`augstudy.pages.readings`.
    """

    name: str
    kind: Kind
    score: bool = False  # one beside accuracy, for small tables


RUN_FIELDS = (
    Field("id", "id"),
    Field("name", "text"),
    Field("date", "date"),
    Field("pipeline", "text"),
    Field("preset", "text"),
    Field("state", "text"),
    Field("where", "text"),
    Field("user", "text"),
    Field("source", "text"),
    Field("level", "integer"),
    Field("classifier", "text"),
    Field("gan", "text"),
    Field("changed", "text"),
    Field("fid_qd", "number"),
    Field("gan_verdict", "text"),
    Field("outcome", "text"),
    Field("duration_s", "seconds"),
    Field("cpu_s", "seconds"),
    Field("gpu_s", "seconds"),
    Field("code", "text"),
    Field("data_hash", "hash"),
    Field("note", "text"),
    Field("link", "text"),
)
_FURTHER = [item for item in SCORES.values() if item.name != "accuracy"]
ARM_FIELDS = (
    Field("arm", "text"),
    Field("share", "number"),
    Field("seeds", "integer"),
    Field("images", "integer"),
    Field("train_accuracy", "share"),
    Field("val_accuracy", "share"),
    Field("accuracy", "share"),
    Field("accuracy_low", "share"),
    Field("accuracy_high", "share"),
    *(Field(it.column, "share" if it.share else "number", it.shown) for it in _FURTHER),
    Field("metric", "text"),
    Field("difference", "points"),
    Field("difference_low", "points"),
    Field("difference_high", "points"),
    Field("p", "number"),
    Field("verdict", "text"),
)
FIELDS = {field.name: field for field in (*RUN_FIELDS, *ARM_FIELDS)}
# What a record takes from the facts as it is.
_TAKEN = (
    "name",
    "pipeline",
    "preset",
    "state",
    "user",
    "host",
    "duration_s",
    "cpu_s",
    "gpu_s",
    "code",
    "version",
    "note",
    "link",
    "error",
)


def build(
    facts: Mapping[str, Any],
    summary: AnySummary | None = None,
    decision: Retraining | None = None,
    *,
    damaged: bool = False,
) -> Record:
    """The record of a run.

    Args:
        facts: What run.json holds, or the same of a run on a cluster with its ``link``.
        summary: What its report says, once there is one.
        decision: Of a retraining.
        damaged: Whether one of them was there but could not be read.
    """
    settings = _mapping(facts.get("parameters")) or (summary.study if summary else {})
    record: Record = {"schema_version": SCHEMA_VERSION, "id": facts.get("id")}
    record |= {name: facts.get(name) for name in _TAKEN}
    record |= {
        "where": facts.get("where") or "local",
        "date": utc(facts.get("started")),
        "finished": utc(facts.get("finished")),
        "settings": _as_typed(settings),
        "changed": dict(_mapping(facts.get("changed"))),
        "outcome": None,
        "arms": [],
    }
    record |= _asked(settings)
    if decision:
        record["outcome"] = "promoted" if decision.promoted else "held"
    record |= _found(summary) if summary else {}
    if mend(record) or damaged:
        record["state"] = DAMAGED
    record["state"] = record["state"] or "unknown"
    return record


def mend(record: Record) -> bool:
    """Take out of a record what cannot stand in a table of runs; whether there was anything.

    Somebody may have written it by hand: a text in the place of a number, NaN, JSON without end.
    """
    wrong = False
    for name in ("settings", "changed"):
        if not isinstance(record.get(name), dict) or not _is_plain(record[name]):
            record[name], wrong = {}, True
    if not isinstance(record.get("arms"), list):
        record["arms"], wrong = [], True
    for part, fields in [(record, RUN_FIELDS), *((arm, ARM_FIELDS) for arm in record["arms"])]:
        for field in fields:
            value = part.get(field.name)
            if field.name != "changed" and value is not None and not _TYPES[field.kind](value):
                part[field.name], wrong = None, True
    return wrong


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < _LARGEST  # NaN is not


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not _HALVES.search(value)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and _is_number(value)


_LARGEST = 2**53
_DIGITS = 9
_HALVES = re.compile("[\ud800-\udfff]")  # of characters, as bytes that are no UTF-8 become
_TYPES: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("text", "date", "hash"), _is_text),
    **dict.fromkeys(("number", "share", "points", "seconds"), _is_number),
    "integer": _is_integer,
    "id": lambda value: _is_text(value) or _is_integer(value),
}
_DEEPEST = 30


def _is_plain(value: Any, depth: int = 0) -> bool:
    """Whether a value is JSON that every reader can take, and not too deep."""
    if depth > _DEEPEST:
        return False
    if isinstance(value, dict | list):
        inside = [*value, *value.values()] if isinstance(value, dict) else value
        return all(_is_plain(item, depth + 1) for item in inside)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, int) or _is_text(value)


def rows(records: Iterable[Record]) -> Iterator[Row]:
    """A row per arm, run by run; a run without results is one row."""
    for record in records:
        shared = {name: record.get(name) for name in ("key", "settings")}
        shared |= {field.name: record.get(field.name) for field in RUN_FIELDS}
        shared["changed"] = changed_text(record.get("changed") or {})
        for arm in record.get("arms") or [dict.fromkeys(("kind", *(f.name for f in ARM_FIELDS)))]:
            yield {**shared, **arm}


def newest_first(records: Iterable[Record]) -> list[Record]:
    """Records by date, undated ones last; of equal dates the later number comes first."""
    return sorted(records, key=lambda item: (item["date"] or "", item["id"] or 0), reverse=True)


def changed_text(changed: Mapping[str, Any]) -> str:
    """Settings that differ from the base on one line: ``classifier=baseline, epochs=20``."""
    return ", ".join(f"{name}={plain(value)}" for name, value in changed.items())


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings with dotted names for what is inside a mapping."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def difference_of(values: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """What in `values` differs from `base`, with dotted names for what is inside a mapping."""
    found: dict[str, Any] = {}
    for name in sorted(set(values) | set(base)):
        value, usual = values.get(name), base.get(name)
        if isinstance(value, Mapping) and isinstance(usual, Mapping):
            inside = difference_of(value, usual)
            found |= {f"{name}.{key}": item for key, item in inside.items()}
        elif value != usual:
            found[name] = value
    return found


def utc(value: Any) -> str | None:
    """A time (ISO text or seconds since 1970) as sortable UTC text; None if it is no time."""
    try:
        if isinstance(value, int | float):
            moment = datetime.fromtimestamp(value, timezone.utc)
        else:
            moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        moment = moment.replace(tzinfo=moment.tzinfo or timezone.utc).astimezone(timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _as_typed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as a person types them: KFP wants the number of GPUs as a text."""
    gpus = str(settings.get("gpus"))
    numbered = gpus.isdecimal() and len(gpus) < _DIGITS
    return {**settings, "gpus": int(gpus)} if numbered else dict(settings)


def _asked(settings: Mapping[str, Any]) -> dict[str, Any]:
    level = settings.get("level") or settings.get("train_per_class")
    return {
        "source": settings.get("source"),
        "level": int(level) if level and _is_number(level) else None,
        "classifier": settings.get("classifier"),
        "gan": settings.get("gan"),
        "data_hash": None,
        "fid_qd": None,
        "gan_verdict": None,
    }


def _found(found: AnySummary) -> dict[str, Any]:
    data = found.data
    record = {"source": data.source, "level": data.level, "data_hash": data.hash}
    record["outcome"] = found.headline.verdict
    if isinstance(found, Study):
        return record | _studied(found)
    return record | (_swept(found) if isinstance(found, Sweep) else _swept_gans(found))


def _studied(found: Study) -> dict[str, Any]:
    figures = [item.quality.metrics for item in found.sets.values() if item.quality]
    drawn = [item["fid_qd"].value for item in figures if "fid_qd" in item]
    trained = [item.stability.verdict for item in found.sets.values() if item.stability]
    return {
        "fid_qd": min(drawn, default=None),  # of the best set
        "gan_verdict": "+".join(trained) or None,
        "arms": [
            _arm(label, arm, arm.metrics, found.differences.get(label))
            | {"kind": arm.arm, "share": arm.share, "metric": found.metric}
            for label, arm in found.arms.items()
        ],
    }


def _swept(found: Sweep) -> dict[str, Any]:
    """A sweep: a row per point. Only the base and the chosen point have seen the test images."""
    tested = {"base": found.test.base, found.chosen: found.test.chosen}
    return {
        "arms": [
            _arm(name, point, tested.get(name, {}), found.differences.get(name))
            | {"kind": "point", "metric": found.metric}
            for name, point in found.points.items()
        ]
    }


def _swept_gans(found: GeneratorSweep) -> dict[str, Any]:
    """A sweep of generators, with the figures of the one that was chosen; no accuracies."""
    drawn = found.points[found.chosen].metrics if found.chosen else {}
    stable = sum(point.stable for point in found.points.values())
    return {
        "fid_qd": drawn["fid_qd"].mean if "fid_qd" in drawn else None,
        "gan_verdict": f"{stable} of {len(found.points)} stable",
    }


def _arm(
    label: str, trained: Arm | Point, scores: Mapping[str, Score], difference: Compared | None
) -> dict[str, Any]:
    accuracy = scores.get("accuracy")
    return {
        "arm": label,
        "share": None,
        "seeds": len(trained.seeds),
        "images": trained.training_images,
        "train_accuracy": trained.train_accuracy,
        "val_accuracy": trained.val_accuracy,
        "accuracy": accuracy and accuracy.value,
        "accuracy_low": accuracy and accuracy.low,
        "accuracy_high": accuracy and accuracy.high,
        **{it.column: scores[it.name].value if it.name in scores else None for it in _FURTHER},
        "difference": difference and difference.mean,
        "difference_low": difference and difference.low,
        "difference_high": difference and difference.high,
        "p": difference and difference.p_holm,
        "verdict": difference and difference.verdict,
    }


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def plain(value: Any) -> str:
    """The value of a setting as a text: ``real+add:1`` of a list of arms."""
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return "+".join(map(_plain_part, value))
    return "+".join(map(str, value)) if isinstance(value, list) else str(value)


def _plain_part(item: Any) -> str:
    """An arm, or the like, in a list of them."""
    if not isinstance(item, Mapping):
        return str(item)
    if isinstance(item.get("arm"), str) and isinstance(item.get("share"), int | float | None):
        return label_of(item["arm"], item.get("share"), item.get("name"), item.get("set"))
    return str(item.get("name") or "_".join(map(str, item.values())))
