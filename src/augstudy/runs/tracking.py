"""Tracks finished runs with MLflow: a run there for each of ours, and one in it for each arm.

All is read from what the run left, and nothing is computed. Metrics have the names of the
tracker's fields (see :mod:`augstudy.runs.record`).
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from augstudy.core import artifacts
from augstudy.core.errors import InputError
from augstudy.core.redaction import without_secret_options, without_secrets
from augstudy.results import files
from augstudy.results.files import AnySummary
from augstudy.results.models import Study
from augstudy.runs import histories
from augstudy.runs.mlflow_api import NOTE, Entry, Point, Server, name_of
from augstudy.runs.record import ARM_FIELDS, Record, flat, plain
from augstudy.runs.shelf import Shelf

EXPERIMENT_VARIABLE = "MLFLOW_EXPERIMENT_NAME"  # that of MLflow's own client
EXPERIMENT = "augstudy"
_VERDICT = "verdict.md"
# What tags say of a run and of each of its arms.
_TAGGED = ("id", "pipeline", "preset", "source", "level", "data_hash", "code", "version", "where")
_OF_RUN = ("fid_qd", "duration_s", "cpu_s", "gpu_s")
_DIFFERENCE = ("difference", "difference_low", "difference_high", "p")


def track(
    record: Record,
    shelf: Shelf,
    server: Server,
    experiment: str = "",
    models: bool = False,
) -> str:
    """Show a finished run in an experiment; one that is there already is brought up to date.

    Args:
        record: of the run.
        shelf: its artifacts.
        server: to show it on.
        experiment: its name; without it ``MLFLOW_EXPERIMENT_NAME`` counts, then ``augstudy``. It
            is made if there is none.
        models: also keep the models of every arm there.

    Returns:
        The address of its page.

    Raises:
        InputError: the run has no results, or the server does not take what it is sent.
        ServiceError: the server cannot be used.
        DataError: an artifact is damaged.
    """
    found, whole = _of_run(record, shelf)
    named = experiment or os.environ.get(EXPERIMENT_VARIABLE) or EXPERIMENT
    place = server.experiment(named)
    parent = server.put(place, whole)
    for arm in record["arms"]:
        server.put(place, _of_arm(record, arm, found, shelf, models), parent)
    return server.link(place, parent)


def _of_run(record: Record, shelf: Shelf) -> tuple[AnySummary | None, Entry]:
    """What a run found, and how it is shown."""
    kind, file = ("report", files.SUMMARY) if shelf.of("report") else ("decision", files.DECISION)
    if not shelf.of(kind):
        raise InputError(f"Run {record['id']} has no results to track: it is {record['state']}.")
    left = artifacts.read(shelf.path(kind), kind)
    found = files.read_summary(left.path)
    names = (file, _VERDICT, *(["report.html"] if kind == "report" else []))
    told = {
        **_tags(record),
        "augstudy.verdict": record["outcome"],
        "augstudy.arm": found.headline.arm if found else None,
        "augstudy.note": record["note"],
        "mlflow.user": record["user"],
        "mlflow.source.name": "augstudy",
        NOTE: left.file(_VERDICT).read_text(encoding="utf-8"),
    }
    return found, _entry(
        record,
        name=_title(record, found),
        tags=told,
        params=flat(record["settings"]),
        metrics={name: [(0, value)] for name, value in _figures(record, found)},
        files={name: left.file(name) for name in names},
    )


def _of_arm(
    record: Record, arm: Mapping[str, Any], found: AnySummary | None, shelf: Shelf, models: bool
) -> Entry:
    """How an arm of a run, or a point of a sweep, is shown."""
    label = arm["arm"]
    metrics = {it.name: [(0, arm[it.name])] for it in ARM_FIELDS if _is_figure(arm.get(it.name))}
    params: dict[str, Any] = {"arm": label}
    if isinstance(found, Study):
        metrics |= _by_seed(found, label) | _histories(shelf, label)
        params |= {"set": found.arms[label].set, "seeds": list(found.arms[label].seeds)}
    kept: dict[str, Path] = {}
    for item in shelf.of("classifier", label)[-1:]:
        params |= flat(item.manifest.config.get("settings", {}))
        if models:
            classifier = artifacts.read(shelf.fetched(item.folder), "classifier")
            models_of = [it for it in classifier.manifest.files if it.endswith("model.keras")]
            kept = {f"models/{name}": classifier.file(name) for name in models_of}
    told = {**_tags(record), "augstudy.arm": label, "augstudy.verdict": arm["verdict"]}
    return _entry(record, label, name=label, tags=told, params=params, metrics=metrics, files=kept)


def _entry(
    record: Record,
    *part: str,
    tags: Mapping[str, Any],
    params: Mapping[str, Any],
    **shown: Any,
) -> Entry:
    """An entry of which no text holds a secret; what has no value is left out."""
    began, ended = _moment(record["date"]), _moment(record["finished"] or record["date"])
    return Entry(
        key=_key(record, *part),
        tags={name: without_secrets(str(it)) for name, it in tags.items() if it not in (None, "")},
        params={
            name_of(name): _without_secret(name, plain(it))
            for name, it in params.items()
            if it is not None
        },
        began=began,
        ended=ended,
        **shown,
    )


def _key(record: Record, *part: str) -> str:
    """What tells a run, or a part of it, from those of all other people and machines."""
    told = [record["key"]]
    if record["where"] != "cluster":  # where the key is one of KFP's
        told += [record[name] for name in ("host", "user", "date", "settings", "data_hash")]
    text = json.dumps([*told, *part], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _title(record: Record, found: AnySummary | None) -> str:
    """What tells a run from its neighbours: ``level 50, real + add:1, sets sd + gan``."""
    if found is None:
        return str(record["pipeline"] or record["name"])
    told = [f"level {record['level']}"]
    if isinstance(found, Study):
        told += [" + ".join(found.arms)]
        told += [f"sets {' + '.join(found.sets)}"] if found.sets else []
    else:
        told += [f"{len(found.points)} points"]
    return ", ".join(told)


def _tags(record: Record) -> dict[str, Any]:
    return {f"augstudy.{name}": record[name] for name in _TAGGED}


def _figures(record: Record, found: AnySummary | None) -> Iterator[tuple[str, float]]:
    """The metrics of a run: the answer, every arm's accuracies, its sets, and what it cost."""
    arms = {arm["arm"]: arm for arm in record["arms"]}
    answer = arms.get(found.headline.arm or "", {}) if found else {}
    values = {name: answer.get(name) for name in _DIFFERENCE}
    values |= {name: record[name] for name in _OF_RUN}
    for label, arm in arms.items():
        values |= {name_of(name, label): arm[name] for name in ("accuracy", "val_accuracy")}
    for name, item in found.sets.items() if isinstance(found, Study) else ():
        measured = item.quality.metrics if item.quality else {}
        values |= {name_of(figure, name): it.value for figure, it in measured.items()}
    yield from ((name, value) for name, value in values.items() if value is not None)


def _by_seed(found: Study, label: str) -> dict[str, list[Point]]:
    """The metric of a study on the test images, by seed."""
    pairs = zip(found.arms[label].seeds, found.score(label).by_seed, strict=True)
    return {f"{found.metric}/seed-{seed}": [(0, value)] for seed, value in pairs}


def _histories(shelf: Shelf, label: str) -> dict[str, list[Point]]:
    """Every column of the history of an arm by epoch: ``val_accuracy/seed-0``."""
    return {
        f"{column}/{training.name}": points
        for training in histories.of_arm(shelf, label)
        for column, points in training.curves.items()
    }


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float)


def _without_secret(name: str, value: str) -> str:
    """The value of a setting, unless the setting or the value is a secret."""
    return without_secret_options([f"{name}={value}"])[0].partition("=")[2]


def _moment(text: str | None) -> int:
    """Milliseconds since 1970 of a time as records have it; 0 if it is not known."""
    if text is None:
        return 0
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp() * 1000)
