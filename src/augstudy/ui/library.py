"""What the web page asks for: rows of the tracker, and what single runs left, as plain values."""

import functools
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from augstudy.core import artifacts
from augstudy.core.errors import InputError
from augstudy.local.events import Follower, RunState, now
from augstudy.local.runfolder import EVENTS
from augstudy.pages import run_page
from augstudy.runs import query
from augstudy.runs.bucket import Bucket
from augstudy.runs.choosing import find
from augstudy.runs.folder import RunsFolder
from augstudy.runs.grouping import Group, groups, settings
from augstudy.runs.record import FIELDS, Record, Row, newest_first, rows
from augstudy.runs.shelf import Shelf
from augstudy.ui import files, points
from augstudy.ui.files import MissingPageError

PAGE = 200
_FRESH_S = 2.0
_SHELVES = 64
_SHOTS = 24
_SAMPLES_A_CLASS = 8
_SEARCHED = ("name", "arm", "pipeline", "preset", "state", "user", "source", "classifier", "gan")
_SEARCHED_LAST = ("changed", "note", "outcome", "verdict", "date")


@dataclass(frozen=True)
class Question:
    """Which rows are wanted: those that a filter and words find, in an order.

    Attributes:
        where: Filter.
        search: Words, each of which must be in a text of the row.
        sort: Fields to sort by.
        group: Field or setting by whose value the rows are put together.
        ticks: Names of arms, such as ``7:add:1``; if there are any, only these.
    """

    where: str = ""
    search: str = ""
    sort: str = ""
    group: str = ""
    ticks: tuple[str, ...] = ()


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

    def table(self, question: Question, offset: int, limit: int) -> dict[str, Any]:
        """A window of the lines of the table, and how many there are in all.

        A line is a row or, above the rows of a group, its head.
        """
        found = self._find(question)
        lines: list[Row | Group] = []
        for group in groups(found, question.group, question.sort) if question.group else ():
            lines += [group, *group.rows]
        lines = lines or list(found)
        window = lines[offset : offset + min(limit, PAGE)]
        running = sum(record["state"] == "running" for record in self._records)
        return {
            "total": len(found),
            "all": len(self._rows),
            "lines": len(lines),
            "running": running,
            "rows": [_shown(line) for line in window],
        }

    def points(self, question: Question, columns: Sequence[str], colour: str) -> dict[str, Any]:
        """What charts of some columns show."""
        with self._drawing:
            return points.points(self._find(question), columns, colour)

    def settings(self) -> list[dict[str, Any]]:
        """The settings in which runs differ."""
        return settings(self.records())

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

    def note(self, name: str, text: str) -> str:
        """Write a note on a run, as 'augstudy runs note' does; the note that it has now.

        Raises:
            InputError: there is no such run, any more.
            ServiceError: it cannot be written.
        """
        record = self.book.note(find(self.records(), name)["key"], text)
        with self._lock:
            self._read = -_FRESH_S  # what was read before is out of date
        return record["note"] or ""

    def report(self, name: str) -> str:
        """The report of a run.

        Raises:
            InputError: it has none.
        """
        path = self._of(name)[1].path("report")
        report = artifacts.read(path, "report").file(run_page.REPORT)
        return run_page.linked(report.read_text(encoding="utf-8"))

    def page(self, name: str) -> str:
        """The page of a run, which links to all that the run left."""
        record, shelf = self._of(name)
        return run_page.render(record, shelf, self._beside(record, shelf))

    def file(self, name: str, wanted: str) -> bytes:
        """A file that the page of a run links to.

        Raises:
            MissingPageError: the page has no such link, or the file is there no more.
        """
        record, shelf = self._of(name)
        if wanted in self._beside(record, shelf):
            if not isinstance(self.book, RunsFolder):
                return self.report(name).encode()
            found = files.content(self.book.path / record["key"] / wanted)
            if wanted != run_page.REPORT:
                return found
            return run_page.linked(found.decode(errors="replace")).encode()
        within = run_page.targets(record["key"], shelf)
        if wanted not in within:
            raise MissingPageError(f"Run {record['id']} has no such file.")
        folder, own = within[wanted]
        return files.content(shelf.fetched(folder) / own)

    def _beside(self, record: Record, shelf: Shelf) -> list[str]:
        """The files beside the page of a run; in a bucket there is the report alone."""
        if isinstance(self.book, RunsFolder):
            return run_page.top(self.book.path / record["key"])
        return [run_page.REPORT] if shelf.of("report") else []

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
            found = compare(self.records(), of_store(self.book.store), names)
            return page(found, lambda record: f"run/{record['id']}/")

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

    def _find(self, question: Question) -> list[Row]:
        self.records()
        wanted = query.where(question.where) if question.where.strip() else None
        words = question.search.lower().split()
        found = [
            row
            for row in self._rows
            if (wanted is None or wanted(row))
            and (not words or _says(row, words))
            and (not question.ticks or f"{row['id']}:{row['arm']}" in question.ticks)
        ]
        return query.arrange(found, question.sort)

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


def _shown(line: Row | Group) -> dict[str, Any]:
    if isinstance(line, Group):
        return {"group": line.head()}
    return {name: line.get(name) for name in (*FIELDS, "key")}
