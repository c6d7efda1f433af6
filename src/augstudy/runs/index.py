"""The index of records: one JSON object a line, so that adding one writes one line.

The first line says the highest number ever given; each other line is a record, and of two with one
``key`` the later counts. A line that a killed writer left unfinished is no JSON, and is skipped.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from augstudy.runs.record import SCHEMA_VERSION, Record, mend
from augstudy.settings.arms import spelled

NAME = "index.jsonl"


@dataclass
class Index:
    """What an index holds: records by key (folder of the run), and the highest number given."""

    records: dict[str, Record] = field(default_factory=dict)
    last_id: int = 0
    lines: int = 0

    def put(self, record: Record) -> None:
        """Add a record, or replace the one with its key."""
        self.records[record["key"]] = record
        self.last_id = max(self.last_id, record["id"])

    @property
    def bloated(self) -> bool:
        """Whether most lines are of no use any more."""
        return self.lines > 2 * len(self.records) + 100


def parse(content: bytes) -> Index:
    """Read an index; lines that are damaged or of another version are skipped."""
    found = Index()
    for line in content.splitlines():
        try:
            item = json.loads(line)
            if item.get("schema_version") != SCHEMA_VERSION:
                continue
            if "last_id" in item:
                found.last_id = max(found.last_id, int(item["last_id"]))
            elif isinstance(item["key"], str) and isinstance(item["id"], int):
                for arm in item["arms"]:
                    arm["arm"] = spelled(arm["arm"])
                if not mend(item):
                    found.put(item)
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
            continue
        finally:
            found.lines += 1
    return found


def render(records: Iterable[Record], last_id: int) -> bytes:
    """The whole index, by number."""
    head = {"schema_version": SCHEMA_VERSION, "last_id": last_id}
    ordered = sorted(records, key=lambda record: record["id"])
    return b"".join(line(item) for item in [head, *ordered])


def line(item: Record) -> bytes:
    """A record as a line."""
    return json.dumps(item, separators=(",", ":")).encode() + b"\n"
