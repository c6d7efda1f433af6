"""What the web page asks for: rows of the tracker, and what single runs left, as plain values."""

import functools
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from augstudy.core import artifacts
from augstudy.core.errors import InputError
from augstudy.local.events import Follower, RunState, now
from augstudy.local.runfolder import EVENTS
from augstudy.runs import query
from augstudy.runs.bucket import Bucket
from augstudy.runs.choosing import find
from augstudy.runs.folder import RunsFolder
from augstudy.runs.record import FIELDS, Record, Row, newest_first, rows
from augstudy.runs.shelf import Shelf

PAGE = 200
_FRESH_S = 2.0
_SHELVES = 64
_SHOTS = 24
_SAMPLES_A_CLASS = 8
_SEARCHED = ("name", "arm", "pipeline", "preset", "state", "user", "source", "classifier", "gan")
_SEARCHED_LAST = ("changed", "note", "outcome", "verdict", "date")
_HERE = Path(__file__).parent
_FILES = {
    name: _HERE / "static" / name
    for name in ("index.html", "app.js", "dom.js", "table.js", "details.js", "app.css")
} | {"report.css": _HERE.parent / "pages" / "templates" / "report.css"}


class MissingPageError(InputError):
    """There is nothing under this name."""


class Library:
    """Answers the questions of the page; several threads may ask at once."""

    def __init__(self, book: RunsFolder | Bucket) -> None:
        self.book = book
        self._lock = threading.Lock()
        self._drawing = threading.Lock()  # Matplotlib's settings are the process's
        self._records: list[Record] = []
        self._rows: list[Row] = []
        self._read = -_FRESH_S
        self._shelf = functools.lru_cache(_SHELVES)(self._open)

    def records(self) -> list[Record]:
        """All records, at most two seconds old."""
        with self._lock:
            if time.monotonic() - self._read >= _FRESH_S:
                found = self.book.records(keep=False)
                if found != self._records:
                    self._records, self._rows = found, list(rows(newest_first(found)))
                self._read = time.monotonic()
            return self._records

    def table(self, where: str, search: str, sort: str, offset: int, limit: int) -> dict[str, Any]:
        """A window of the rows that a filter and a word find, and how many there are in all."""
        self.records()
        wanted = query.where(where) if where.strip() else None
        words = search.lower().split()
        found = [
            row
            for row in self._rows
            if (wanted is None or wanted(row)) and (not words or _says(row, words))
        ]
        window = query.arrange(found, sort)[offset : offset + min(limit, PAGE)]
        shown = [{name: row.get(name) for name in (*FIELDS, "key")} for row in window]
        running = sum(record["state"] == "running" for record in self._records)
        return {"total": len(found), "all": len(self._rows), "running": running, "rows": shown}

    def run(self, name: str) -> dict[str, Any]:
        """The record of a run, which pictures there are of it, and how far it is."""
        record, shelf = self._of(name)
        return {
            "record": record,
            "progress": self._progress(record),
            "cams": _in_order(record, shelf.arms("cam")),
            "curves": _in_order(record, shelf.arms("evaluation")),
            "gan": bool(shelf.of("gan")),
            "report": bool(shelf.of("report")),
        }

    def report(self, name: str) -> str:
        """The report of a run.

        Raises:
            InputError: it has none.
        """
        path = self._of(name)[1].path("report")
        return artifacts.read(path, "report").file("report.html").read_text(encoding="utf-8")

    def curves(self, name: str) -> dict[str, list[dict[str, str]]]:
        """Learning curves of all arms of a run as pictures, and whose colour is whose."""
        from augstudy.pages import style
        from augstudy.pages.figures import curves
        from augstudy.results.material import read_arm

        record, shelf = self._of(name)
        known = _in_order(record, shelf.arms("evaluation"))
        arms = [read_arm(shelf.path("evaluation", arm)) for arm in known]
        colours = style.told_apart(arms)
        runs = [(arm.label, colour, arm.history) for arm, colour in zip(arms, colours, strict=True)]
        with self._drawing:
            drawn = curves.all_overlaid(runs)
        pictures = [{"title": title, "uri": uri} for title, uri in drawn]
        legend = [{"title": label, "colour": colour} for label, colour, _ in runs]
        return {"pictures": pictures, "legend": legend}

    def samples(self, name: str) -> dict[str, Any]:
        """What the generator drew as it trained: a picture per step, a row per class."""
        from augstudy.data.dataset import load_spec
        from augstudy.pages.figures import pictures
        from augstudy.pages.stability import reason

        _, shelf = self._of(name)
        gan = artifacts.read(shelf.path("gan"), "gan")
        with np.load(gan.file("samples.npz"), allow_pickle=False) as stored:
            steps, images = stored["steps"], stored["images"]
        stability, spec = gan.json("stability.json"), load_spec(gan)
        chosen = np.unique(np.linspace(0, len(steps) - 1, _SHOTS).round().astype(int))
        return {
            "classes": gan.json("classes.json"),
            "verdict": stability["verdict"],
            "reason": reason(stability),
            "steps": [int(steps[shot]) for shot in chosen],
            "frames": [pictures.sheet(images[shot, :, :_SAMPLES_A_CLASS], spec) for shot in chosen],
        }

    def cams(self, name: str, arm: str) -> list[dict[str, Any]]:
        """Heat maps of an arm, image by image."""
        from augstudy.data.dataset import load_spec
        from augstudy.pages.figures import pictures

        _, shelf = self._of(name)
        cam = artifacts.read(shelf.path("cam", arm), "cam")
        classes: list[str] = cam.json("classes.json")
        spec = load_spec(cam)
        with np.load(cam.file("maps.npz"), allow_pickle=False) as stored:
            maps: Mapping[str, Any] = {name: stored[name] for name in stored.files}
        return [
            {
                "class": classes[int(maps["labels"][place])],
                "predicted": classes[int(maps["predicted"][place])],
                "confidence": float(maps["confidence"][place]),
                "uri": pictures.heat_tile(maps["images"][place], maps["heat"][place], spec),
            }
            for place in range(len(maps["labels"]))
        ]

    def comparison(self, names: Sequence[str]) -> str:
        """The page that compares arms."""
        from augstudy.pages.comparison_page import page
        from augstudy.runs.compare import compare
        from augstudy.runs.shelf import of_store

        if not all(names):
            raise InputError("Name the arms to compare, such as ?arms=7:real,7:add:1.")
        with self._drawing:
            return page(compare(self.records(), of_store(self.book.store), names))

    def _progress(self, record: Record) -> dict[str, Any] | None:
        """The steps that a run of this machine is at; None if it does not run here."""
        if record["state"] != "running" or not isinstance(self.book, RunsFolder):
            return None
        state = RunState()
        Follower(self.book.path / record["key"] / EVENTS).update(state)
        return {
            "done": len(state.finished),
            "planned": state.planned,
            "steps": [
                {
                    "title": step.title,
                    "share": step.done / step.total if step.total else None,
                    "left_s": step.seconds_left(now()),
                    "text": step.text,
                }
                for step in state.steps
                if step.running
            ],
        }

    def _of(self, name: str) -> tuple[Record, Shelf]:
        record = find(self.records(), name)
        return record, self._shelf(record["key"], record["state"])

    def _open(self, key: str, _state: str) -> Shelf:
        """A run that goes on is looked at again once its state has changed."""
        return Shelf(self.book.store, key)


def _in_order(record: Record, arms: Sequence[str]) -> list[str]:
    """Arms as the record has them, which begins with `real`."""
    order = [arm["arm"] for arm in record["arms"]]
    return sorted(arms, key=lambda arm: (order.index(arm) if arm in order else len(order), arm))


def _says(row: Row, words: Sequence[str]) -> bool:
    text = " ".join(str(row[name]) for name in (*_SEARCHED, *_SEARCHED_LAST) if row.get(name))
    text = text.lower()
    return all(word in text for word in words)


def static(name: str) -> bytes:
    """One of the page's own files; the list is all there is, so no name leads elsewhere.

    Raises:
        MissingPageError: it has no such file.
    """
    if name not in _FILES:
        raise MissingPageError(f"There is no page {name!r}.")
    return _FILES[name].read_bytes()
