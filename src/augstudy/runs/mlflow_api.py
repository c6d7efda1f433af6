"""A tracking server of MLflow, through its REST API: runs are made there, or brought up to date."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode, urlsplit

from augstudy.core.errors import InputError, ServiceError
from augstudy.objects import open_store
from augstudy.runs.mlflow_http import AbsentError, Http

KEY = "augstudy.key"  # the tag by which a run is found again
NOTE = "mlflow.note.content"  # the tag that MLflow shows as a description, which people may edit
_PARENT = "mlflow.parentRunId"
_API = "/api/2.0/mlflow"
_PROXIED = "mlflow-artifacts"
_STORES = ("gs", "s3")
# The most that MLflow takes: of a name, of a parameter, which old servers hold to 500, of a tag.
_NAME, _VALUE, _TAG = 250, 500, 5000
_MOST = {"tags": 100, "params": 100, "metrics": 1000}  # in one request
_FOREIGN = re.compile(r"[^\w. -]")  # what names of parameters and metrics may not have everywhere

Point: TypeAlias = tuple[int, float]  # a step, and the value there


@dataclass(frozen=True)
class Entry:
    """A run as MLflow is to show it.

    ``key`` tells it from all other runs, and is how it is found again. ``began`` and ``ended`` are
    milliseconds since 1970, and ``files`` are those of this machine by their place there.
    """

    key: str
    name: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, Sequence[Point]]
    began: int
    ended: int
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class _Known:
    """A run as the server has it; ``metrics`` are the last point of each."""

    id: str
    artifacts: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, Point]

    @classmethod
    def of(cls, run: Any) -> "_Known":
        """What an answer says of a run."""
        info, data = run["info"], run.get("data", {})
        last = {it["key"]: (int(it.get("step", 0)), it["value"]) for it in data.get("metrics", ())}
        tags, params = (
            {it["key"]: it["value"] for it in data.get(kind, ())} for kind in ("tags", "params")
        )
        return cls(info["run_id"], info["artifact_uri"], tags, params, last)


def name_of(*parts: str) -> str:
    """The name of a metric or parameter: what not every server takes in it becomes ``_``."""
    return "/".join(_FOREIGN.sub("_", part).strip() for part in parts)[:_NAME]


class Server:
    """A tracking server; the constructor asks it nothing.

    Raises:
        InputError: see :class:`augstudy.runs.mlflow_http.Http`.
    """

    def __init__(self, address: str) -> None:
        self._http = Http(address)
        self.host = self._http.host

    def experiment(self, name: str) -> str:
        """The id of an experiment, which is made if there is none.

        Raises:
            InputError: it was deleted, or cannot be called so.
            ServiceError: there is no answer, a refusal, or what answers is not MLflow.
        """
        return self._http.retried(self._experiment, name)

    def put(self, experiment: str, entry: Entry, parent: str = "") -> str:
        """Make a run, or bring the one with its key up to date; its id.

        What the server has already is not sent again, but for files. A parameter that it has with
        another value stays as it is, because MLflow never changes one.

        Raises:
            InputError: the server does not take what it holds.
            ServiceError: see :meth:`experiment`; or the files are where only the server can write.
        """
        tags = {KEY: entry.key, **entry.tags} | ({_PARENT: parent} if parent else {})
        tags = {name: value[:_TAG] for name, value in tags.items()}
        known = self._http.retried(self._found_or_made, experiment, entry, tags)
        for batch in _batches(known, entry, tags):
            told = {"run_id": known.id, **batch}
            self._http.retried(self._post, "log the run", "runs/log-batch", told)
        for name, path in entry.files.items():
            self._upload(known.artifacts, name, path)
        ended = {"run_id": known.id, "status": "FINISHED", "end_time": entry.ended}
        self._http.retried(self._post, "end the run", "runs/update", ended)
        return known.id

    def link(self, experiment: str, run: str) -> str:
        """The page of a run."""
        return f"{self.host}/#/experiments/{experiment}/runs/{run}"

    def _experiment(self, name: str) -> str:
        query = urlencode({"experiment_name": name})
        doing = f"open the experiment {name!r}"
        try:
            found = self._http.ask("GET", f"{_API}/experiments/get-by-name?{query}", doing)
        except AbsentError:
            return str(self._post(doing, "experiments/create", {"name": name})["experiment_id"])
        if found["experiment"].get("lifecycle_stage") == "deleted":
            raise InputError(
                f"The experiment {name!r} at {self.host} was deleted: restore it there, or name "
                "another with --experiment."
            )
        return str(found["experiment"]["experiment_id"])

    def _found_or_made(self, experiment: str, entry: Entry, tags: Mapping[str, str]) -> _Known:
        """The run of a key: an answer that was lost on the way may have made it."""
        wanted = f"tags.`{KEY}` = '{entry.key}'"
        asked = {"experiment_ids": [experiment], "filter": wanted, "max_results": 1}
        found = self._post("look for the run", "runs/search", asked).get("runs")
        if found:
            return _Known.of(found[0])
        new = {
            "experiment_id": experiment,
            "run_name": entry.name[:_NAME],
            "start_time": entry.began,
            "tags": _listed(tags),
        }
        return _Known.of(self._post("make a run", "runs/create", new)["run"])

    def _upload(self, artifacts: str, name: str, path: Path) -> None:
        """Put a file beside a run: through the server, or into the store that it names."""
        parts = urlsplit(artifacts)
        if parts.scheme in _STORES:
            open_store(artifacts).write(name, path.read_bytes())
        elif parts.scheme == _PROXIED:
            place = quote(f"{parts.path.strip('/')}/{name}")
            target = f"/api/2.0/{_PROXIED}/artifacts/{place}"
            self._http.retried(self._http.send, target, f"take {name}", path)
        else:
            raise ServiceError(
                f"{self.host} keeps files in {artifacts}, where only it can write: start it with "
                "--serve-artifacts, and use a new experiment."
            )

    def _post(self, doing: str, call: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._http.ask("POST", f"{_API}/{call}", doing, body)


def _batches(
    known: _Known, entry: Entry, tags: Mapping[str, str]
) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """What the server lacks, in requests that it takes."""
    lacking = {
        "tags": _listed(
            {
                name: value
                for name, value in tags.items()
                if known.tags.get(name) != value and not (name == NOTE and name in known.tags)
            }
        ),
        "params": _listed(
            {key: value[:_VALUE] for key, value in entry.params.items() if key not in known.params}
        ),
        "metrics": [
            {"key": name, "value": value, "timestamp": entry.ended, "step": step}
            for name, points in entry.metrics.items()
            if known.metrics.get(name) != points[-1]
            for step, value in points
        ],
    }
    for kind, items in lacking.items():
        for first in range(0, len(items), _MOST[kind]):
            yield {kind: items[first : first + _MOST[kind]]}


def _listed(values: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in values.items()]
