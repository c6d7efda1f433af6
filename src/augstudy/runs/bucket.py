"""The tracker of a bucket: records of the runs that a cluster wrote under one root.

Kubeflow Pipelines keeps what a step wrote under ``<pipeline>/<run id>/<task>/<try>/<output>``. The
record of a run lies beside it, as ``<pipeline>/<run id>/record.json``; the index of all is
``tracker/index.jsonl``, one object that is only replaced by who has seen its last version.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from augstudy.core.artifacts import MANIFEST
from augstudy.core.errors import DataError, ServiceError
from augstudy.objects import ABSENT, ConflictError, Store
from augstudy.results import files
from augstudy.runs import index
from augstudy.runs.folder import NOTE, RECORD
from augstudy.runs.index import Index
from augstudy.runs.record import Record, build

INDEX = f"tracker/{index.NAME}"
_RESULTS = (
    ("report", files.SUMMARY, files.summary),
    ("decision", files.DECISION, files.decision),
)
_TRIES = 20


class Bucket:
    """Records of the runs under the root of a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def records(self, keep: bool = True) -> list[Record]:
        """The records of the index, by number; :meth:`rebuild` brings it up to date."""
        stored = self.store.lookup(INDEX)
        known = index.parse(stored.data) if stored else Index()
        return sorted(known.records.values(), key=lambda record: record["id"])

    def note(self, key: str, text: str) -> Record:
        """Write a note on a run; an empty one takes the place of what was there, too."""
        self.store.write(f"{key}/{NOTE}", f"{text}\n".encode())
        known = {record["key"]: record for record in self.records()}
        record = known[key] | {"note": text}
        return self._take_in([record])[0]

    def rebuild(self, facts: Mapping[str, Mapping[str, Any]] | None = None) -> int:
        """Make the records of all runs from what they left; how many there are.

        A run keeps its number: from the index, or from its record where the index lost it. New runs
        get the next ones, in the order in which they began.

        Args:
            facts: What the cluster knows of its runs, by folder of their artifacts.
        """
        keys = self.store.keys()
        runs = _runs(keys) | set(facts or {})
        made = [self._make(run, keys, (facts or {}).get(run)) for run in runs]
        lost = self._kept(runs - {record["key"] for record in self.records()}, keys)
        made.sort(key=lambda record: (record["date"] or "9999", record["key"]))
        return len(self._take_in(made, lost, set(keys)))

    def _take_in(
        self,
        made: Sequence[Record],
        lost: Mapping[str, int] | None = None,
        keys: set[str] | None = None,
    ) -> list[Record]:
        """Put records into the index; where somebody else changed it meanwhile, try again."""
        for _ in range(_TRIES):
            stored = self.store.lookup(INDEX)
            known = index.parse(stored.data) if stored else Index()
            known.last_id = max(known.last_id, *(lost or {}).values(), 0)
            changed, numbered = [], []
            for item in made:
                old = known.records.get(item["key"], {})
                number = old.get("id") or (lost or {}).get(item["key"]) or known.last_id + 1
                record = item | {"id": number}
                known.put(record)
                numbered.append(record)
                missing = keys is not None and f"{item['key']}/{RECORD}" not in keys
                if record != old or missing:
                    changed.append(record)
            content = index.render(known.records.values(), known.last_id)
            try:
                self.store.replace(INDEX, content, stored.version if stored else ABSENT)
            except ConflictError:
                continue
            for record in changed:
                text = json.dumps(record, indent=1) + "\n"
                self.store.write(f"{record['key']}/{RECORD}", text.encode())
            return numbered
        raise ServiceError(f"{self.store.uri}/{INDEX} is being changed all the time: try again.")

    def _make(self, run: str, keys: Sequence[str], facts: Mapping[str, Any] | None) -> Record:
        own = [key for key in keys if key.startswith(f"{run}/")]
        damaged = False
        found: list[Any] = []
        for output, name, read in _RESULTS:
            folder = _last_whole(own, output)
            there = folder is not None and f"{folder}{name}" in own
            try:
                found.append(read(self.store.read(f"{folder}{name}")) if there else None)
            except DataError:
                damaged = True
                found.append(None)
        pipeline, _, run_id = run.partition("/")
        state = "done" if any(found) else "unknown"
        known: dict[str, Any] = {"name": run_id, "pipeline": pipeline, "state": state}
        known |= {"started": self._began(own), **(facts or {}), "where": "cluster"}
        if f"{run}/{NOTE}" in own:
            known["note"] = self.store.read(f"{run}/{NOTE}").decode(errors="replace").rstrip("\n")
        return build(known, *found, damaged=damaged) | {"key": run}

    def _began(self, keys: Sequence[str]) -> str | None:
        """When the images were read, which is the first thing that a run does."""
        folder = _last_whole(keys, "dataset")
        if folder is None:
            return None
        try:
            manifest = json.loads(self.store.read(f"{folder}{MANIFEST}"))
            return str(manifest["provenance"]["read_at"])
        except (ValueError, KeyError, TypeError):
            return None

    def _kept(self, runs: set[str], keys: Sequence[str]) -> dict[str, int]:
        """The numbers that the records of runs hold; of two with one number the first counts."""
        found: dict[str, int] = {}
        for run in sorted(runs & {key.removesuffix(f"/{RECORD}") for key in keys}):
            try:
                number = json.loads(self.store.read(f"{run}/{RECORD}"))["id"]
            except (ValueError, KeyError, TypeError):
                continue
            if isinstance(number, int) and number not in found.values():
                found[run] = number
        return found


def _runs(keys: Sequence[str]) -> set[str]:
    """Folders of runs: what has an artifact four levels below."""
    parts = (key.split("/") for key in keys)
    return {"/".join(part[:2]) for part in parts if len(part) >= 6 and part[-1] == MANIFEST}


def _last_whole(keys: Sequence[str], output: str) -> str | None:
    """The last folder of an output that has its manifest, which is written last."""
    end = f"/{output}/{MANIFEST}"
    return max((key.removesuffix(MANIFEST) for key in keys if key.endswith(end)), default=None)
