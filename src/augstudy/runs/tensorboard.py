"""Writes the histories of a run's trainings as event files, which TensorBoard reads.

Equal histories give equal files under equal names, so that writing again changes nothing. Events
have the time at which the run began, because histories know epochs and steps alone.
"""

import importlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from augstudy.core.errors import InputError, of_system
from augstudy.core.files import DRAFT
from augstudy.core.outlets import markdown
from augstudy.core.redaction import without_secret_options
from augstudy.runs import histories
from augstudy.runs.histories import Training
from augstudy.runs.record import Record, flat, plain
from augstudy.runs.shelf import Shelf

_NAME = "events.out.tfevents.0.augstudy"
_FOREIGN = re.compile(r"[^A-Za-z0-9@+. -]+|^\.+")
_VERSION = "brain.Event:2"  # of the format
_FACTS = ("id", "name", "date", "pipeline", "preset", "state", "source", "level", "outcome", "note")


def write(record: Record, shelf: Shelf, out: Path) -> int:
    """Write ``OUT/<run>/<arm>/seed-<seed>/``, a folder for each training; how many there are.

    Raises:
        InputError: the run has no finished training, or `out` cannot be written.
        DataError: an artifact is damaged.
    """
    trainings = histories.of_run(shelf)
    if not trainings:
        raise InputError(f"Run {record['id']} has no finished training: it is {record['state']}.")
    began = _seconds(record["date"])
    home = out / _safe(str(record["id"]))
    facts = {name: record[name] for name in _FACTS if record.get(name) not in (None, "")}
    try:
        # A fact comes before the setting of its name: a level of 0 there means all images.
        told = facts | flat(record["settings"]) | facts
        _write(home, began, {"run": _table(told)})
        for training in trainings:
            texts = {"settings": _table(flat(training.settings))} if training.settings else {}
            folder = home / _safe(training.of) / _safe(training.name)
            _write(folder, began, texts, training)
    except OSError as error:
        raise of_system(error, out) or error from error
    return len(trainings)


def _write(
    folder: Path, time: float, texts: Mapping[str, str], training: Training | None = None
) -> None:
    """Write one event file; a reader sees the old one or the whole new one."""
    tf = _tensorflow()
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{DRAFT}events"
    try:
        with tf.io.TFRecordWriter(str(draft)) as writer:
            for event in _events(texts, training):
                writer.write(tf.compat.v1.Event(wall_time=time, **event).SerializeToString())
        draft.replace(folder / _NAME)
    except tf.errors.OpError as error:
        raise InputError(f"{folder} cannot be written: {error.message}.") from error
    finally:
        draft.unlink(missing_ok=True)


def _tensorflow() -> Any:
    """TensorFlow, which is large; ours is imported first, because it keeps TensorFlow quiet."""
    importlib.import_module("augstudy.models.backend")
    return importlib.import_module("tensorflow")


def _events(texts: Mapping[str, str], training: Training | None) -> Iterator[dict[str, Any]]:
    """What the events of a file hold: its format, texts, and the curves, by epoch or step."""
    tf = _tensorflow()
    summary = tf.compat.v1.Summary
    yield {"file_version": _VERSION}
    for name, text in texts.items():
        plugin = tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": "text"})
        told = summary.Value(tag=name, metadata=plugin, tensor=tf.make_tensor_proto([text]))
        yield {"step": 0, "summary": summary(value=[told])}
    for name, points in training.curves.items() if training else ():
        for step, value in points:
            scalar = summary.Value(tag=name, simple_value=value)
            yield {"step": step, "summary": summary(value=[scalar])}


def _table(values: Mapping[str, Any]) -> str:
    """The settings that are set as a table in Markdown, without secrets."""
    lines = ["| setting | value |", "| --- | --- |"]
    for name, value in values.items():
        if value is None:
            continue
        shown = without_secret_options([f"{name}={plain(value)}"])[0].partition("=")[2]
        lines.append(f"| {markdown(name)} | {markdown(shown)} |")
    return "\n".join(lines)


def _safe(name: str) -> str:
    """A name as one of a folder: ``add:1`` is ``add_1``."""
    return _FOREIGN.sub("_", name)


def _seconds(date: str | None) -> float:
    if date is None:
        return 0.0
    return datetime.fromisoformat(date).replace(tzinfo=timezone.utc).timestamp()
