"""The tracker of a folder of runs on this machine.

Truth is what a run left in its folder; ``record.json`` beside it and ``index.jsonl`` above are
made of that, and made again where a run has changed since. Writers of the index hold a lock on the
folder, which the system takes back from one that is killed.

Whatever is in the folder, all runs are listed. One that cannot be read is damaged, and looked at
again the next time; what is no folder, or leads nowhere, is no run.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from augstudy.core.errors import InputError, ServiceError
from augstudy.core.files import append_lines, read_bytes, remove, replace_bytes, replace_text, sync
from augstudy.objects import Store, open_store
from augstudy.results import files
from augstudy.runs import index
from augstudy.runs.index import Index
from augstudy.runs.record import DAMAGED, Record, build

RUN = "run.json"
RECORD = "record.json"
NOTE = "note.txt"
DELETED = ".deleted-"  # how folders are called that are being deleted
# What a record is made of: it is made again when the size or the time of one of these changes.
_SOURCES = (RUN, files.SUMMARY, files.DECISION, NOTE)
_DIGITS = 9  # of the number of a run
_REFUSED = [-1]  # the stamp of what may not be looked at

Stamp = list[list[int]]


class RunsFolder:
    """Records of the runs under a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._index = path / index.NAME
        self._seen: dict[str, tuple[int, Stamp]] = {}  # by folder, with the folder's time
        self._known: tuple[Any, Index] | None = None  # as read last, and what the file was then

    @property
    def store(self) -> Store:
        """The folder as a store of artifacts; keys of runs are its folders."""
        return open_store(f"file://{self.path.resolve()}")

    def claim(self) -> tuple[int, Path]:
        """Make the folder of a new run; its number was never given before, not even at once.

        Raises:
            InputError: the place of the runs is no folder.
            ServiceError: it cannot be written.
        """
        with self._explained():
            self.path.mkdir(parents=True, exist_ok=True)
            with self._locked():
                known = self._load()
                taken = [int(item.name) for item in self.path.iterdir() if _is_number(item.name)]
                number = max([known.last_id, *taken]) + 1
                made = self.path / f"{number:04d}"
                made.mkdir()
                sync(self.path)
                return number, made.resolve()

    def records(self, keep: bool = True) -> list[Record]:
        """The records of all runs that are there, by number; what changed is read again.

        Args:
            keep: Whether to keep in the folder what was read again; not done where it may not be
                written.
        """
        with self._explained():
            known, folders = self._load(), self._folders()
            changed = [name for name, stamp in folders.items() if _stamp_of(known, name) != stamp]
            if changed:
                known = self._take_in(changed, keep and os.access(self.path, os.W_OK))
            found = [record for key, record in known.records.items() if key in folders]
        return sorted(found, key=lambda record: record["id"])

    def put(self, name: str) -> Record:
        """Make the record of the run in the folder `name` again, and keep it in the index."""
        with self._explained():
            return self._take_in([name], keep=True).records[name]

    def rebuild(self) -> int:
        """Make every record and the index from what the runs left; how many runs there are.

        Numbers stay as they are: they are the names of the folders or are kept in the records.
        """
        with self._explained(), self._locked():
            last_id = self._load().last_id
            fresh = Index(last_id=last_id)
            for name in sorted(self._folders(), key=_decimal_first):
                fresh.put(self._make(name, fresh))
                self._write(fresh.records[name])
            replace_bytes(self._index, index.render(fresh.records.values(), fresh.last_id))
            return len(fresh.records)

    def note(self, name: str, text: str) -> Record:
        """Write a note on a run; an empty one takes the place of what was there, too.

        Raises:
            InputError: somebody has deleted the run.
            ServiceError: it cannot be written.
        """
        with self._explained(), self._locked():
            if not (self.path / name).is_dir():
                raise InputError(f"There is no run in {self.path / name}: it was deleted.")
            replace_text(self.path / name / NOTE, f"{text}\n")
        return self.put(name)

    def delete(self, names: Iterable[str]) -> None:
        """Remove runs with all that they left; their numbers are never given again."""
        with self._explained(), self._locked():
            known = self._load()
            for name in names:
                # Out of sight at once, so that nobody lists a half of it.
                hidden = self.path / f"{DELETED}{name}"
                (self.path / name).rename(hidden)
                remove(hidden)
                known.records.pop(name, None)
            replace_bytes(self._index, index.render(known.records.values(), known.last_id))
            self._known = None

    def _take_in(self, names: list[str], keep: bool) -> Index:
        with self._locked():
            known = self._load()
            made = []
            for name in sorted(names, key=_decimal_first):
                record = self._make(name, known)
                if record != known.records.get(name):
                    made.append(record)
                known.put(record)
            if keep and made:
                for record in made:
                    self._write(record)
                if known.bloated:
                    replace_bytes(self._index, index.render(known.records.values(), known.last_id))
                else:
                    append_lines(self._index, b"".join(map(index.line, made)))
                    known.lines += len(made)
                self._known = (self._mark(), known)
            return known

    def _write(self, record: Record) -> None:
        folder = self.path / record["key"]
        if folder.is_dir():  # somebody may have deleted it meanwhile
            with contextlib.suppress(OSError):  # it is nobody's business but that run's
                replace_text(folder / RECORD, json.dumps(record, indent=1) + "\n")

    def _make(self, name: str, known: Index) -> Record:
        """The record of the run in folder `name`."""
        folder = self.path / name
        stamp = _stamp(str(folder))
        facts, damaged = _load_json(folder / RUN)
        summary, decision, unreadable = files.load(folder)
        with contextlib.suppress(OSError):
            facts["note"] = read_bytes(folder / NOTE).decode(errors="replace").rstrip("\n")
        page = "report.html" if os.path.exists(folder / "report.html") else "index.html"  # noqa: PTH110 (never raises)
        shown = name.encode(errors="replace").decode()
        facts |= {"id": self._number(name, known), "link": f"{shown}/{page}"}
        facts["name"] = facts.get("name") or shown
        record = build(facts, summary, decision, damaged=damaged or unreadable)
        if record["state"] == DAMAGED:
            stamp = []  # which no run has: it is looked at again
        record |= {"key": name, "stamp": stamp}
        return record

    def _number(self, name: str, known: Index) -> int:
        """The number of a run: its folder's name, else one that no other run has."""
        if _is_number(name):
            return int(name)
        old, _ = _load_json(self.path / name / RECORD)
        number = known.records.get(name, old).get("id")
        taken = {record["id"] for key, record in known.records.items() if key != name}
        if isinstance(number, int) and number not in taken and old.get("key", name) == name:
            return number
        return known.last_id + 1

    def _folders(self) -> dict[str, Stamp]:
        """Folders of runs, with the stamp of what a record is made of."""
        folders = []
        with os.scandir(self.path) as items:
            for item in items:
                # Links that lead nowhere or to themselves, and what somebody has just deleted.
                with contextlib.suppress(OSError):
                    if not item.name.startswith("."):
                        folders.append((item.name, item.path, item.stat().st_mtime_ns))
        # What is looked at is replaced by renaming, which changes the time of its folder.
        seen = self._seen
        self._seen = {
            name: seen[name]
            if name in seen and seen[name][0] == time and _REFUSED not in seen[name][1]
            else (time, _stamp(path))
            for name, path, time in folders
        }
        stamps = ((name, stamp) for name, (_, stamp) in self._seen.items())
        return {name: stamp for name, stamp in stamps if stamp[0] or stamp[1]}

    def _load(self) -> Index:
        """The index, read again only if the file is another."""
        mark = self._mark()
        if self._known is None or self._known[0] != mark:
            known = index.parse(read_bytes(self._index)) if mark else Index()
            self._known = (mark, known)
        return self._known[1]

    def _mark(self) -> tuple[int, ...] | None:
        """What tells a state of the index file from any other."""
        try:
            status = self._index.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (NotADirectoryError, FileExistsError) as error:
            raise InputError(
                f"{self.path} is not a folder: name another with --runs-dir."
            ) from error
        except FileNotFoundError as error:
            raise InputError(
                f"There is no {error.filename}: check the run and --runs-dir."
            ) from error
        except OSError as error:
            raise ServiceError(
                f"Cannot write to {error.filename or self.path}: {error.strerror or error}."
            ) from error


def _is_number(name: str) -> bool:
    """Whether a folder's name is the number of a run."""
    return name.isascii() and name.isdecimal() and len(name) <= _DIGITS


def _decimal_first(name: str) -> tuple[bool, int, str]:
    return (not _is_number(name), int(name) if _is_number(name) else 0, name)


def _stamp_of(known: Index, name: str) -> Any:
    return known.records.get(name, {}).get("stamp")


def _stamp(folder: str) -> Stamp:
    """Size and time of each source of a record; an empty list where it is missing."""
    stamps: Stamp = []
    for name in _SOURCES:
        try:
            status = os.stat(f"{folder}/{name}")  # noqa: PTH116 (twice as fast, and 10,000 runs are usual)
            stamps.append([status.st_size, status.st_mtime_ns])
        except OSError as error:
            # What may not be looked at is there: the run is damaged, and no other.
            missing = isinstance(error, FileNotFoundError | NotADirectoryError)
            stamps.append([] if missing else _REFUSED)
    return stamps


def _load_json(path: Path) -> tuple[dict[str, Any], bool]:
    """The content of a JSON file and whether it is there but damaged."""
    try:
        content = json.loads(read_bytes(path))
    except (FileNotFoundError, NotADirectoryError):
        return {}, False
    except (OSError, ValueError, RecursionError):
        return {}, True
    return (content, False) if isinstance(content, dict) else ({}, True)
