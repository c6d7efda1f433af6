"""Runs on a cluster with what they found, read from object storage.

KFP keeps what a step wrote under ``<root>/<pipeline>/<run id>/<task>/<a random id>/<output>``. The
metadata store that the dashboard asks is on its way out of KFP, so it is not asked here.
"""

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from augstudy.cluster import costs, ir
from augstudy.cluster.kfp_api import Server, Version
from augstudy.cluster.stores import Stores
from augstudy.core.artifacts import MANIFEST
from augstudy.core.errors import DataError, InputError
from augstudy.objects import Store
from augstudy.results import files
from augstudy.results.files import AnySummary
from augstudy.results.models import Retraining
from augstudy.runs.choosing import parts_of
from augstudy.runs.record import difference_of

_AT_ONCE = 8
# Task, its output, and the file in it that says what a run found: studies, retraining.
_RESULTS = (
    ("summarize", "report", files.SUMMARY),
    ("promote", "decision", files.DECISION),
)
_SCHEMES = ("gs://", "s3://", "minio://")
SHORT = 8  # characters of a run's id that are shown, and are enough to name it


@dataclass(frozen=True)
class RemoteRun:
    """A run: ``facts`` as in run.json and a ``link``; what it found once it has succeeded.

    ``key`` is the folder of its artifacts below ``root``, which is empty for the default one.
    """

    facts: dict[str, Any]
    key: str = ""
    root: str = ""
    summary: AnySummary | None = None
    decision: Retraining | None = None
    damaged: bool = False


def collect(server: Server, stores: Stores, experiment: str, most: int) -> list[RemoteRun]:
    """The newest runs, newest first.

    Args:
        server: Where they ran.
        stores: Where their artifacts are.
        experiment: Only runs of this experiment; empty means all.
        most: So many runs at most.

    Raises:
        InputError: there is no such experiment, or nothing says where artifacts are.
        ServiceError: the server or the store cannot be reached.
    """
    return _read_all(server, stores, _listed(server, experiment, most))


def one(server: Server, stores: Stores, run_id: str) -> RemoteRun:
    """A run by its id.

    Raises:
        InputError: there is no such run, or nothing says where artifacts are.
        ServiceError: the server or the store cannot be reached.
    """
    run = server.run(run_id)
    return _read(server, run, _pipeline_name(server, run, {}), stores)


def named(
    server: Server, stores: Stores, experiment: str, most: int, names: Sequence[str]
) -> list[RemoteRun]:
    """The runs that people call by a name, or by an id or its beginning; oldest first.

    Args:
        server: Where they ran.
        stores: Where their artifacts are.
        experiment: Only runs of this experiment; empty means all.
        most: So many of the newest runs are looked through.
        names: Of runs; ``RUN:ARM`` means the run, too.

    Raises:
        InputError: there is no such run or experiment, or nothing says where artifacts are.
        ServiceError: the server or the store cannot be reached.
    """
    listed = _listed(server, experiment, most)
    wanted: dict[str, Any] = {}
    for name in names:
        found = next(
            (
                runs
                for part, _ in parts_of(name)
                if (runs := [run for run in listed if _is_called(run, part)])
            ),
            [],
        )
        if not found:
            raise InputError(
                f"There is no run {name.partition(':')[0]!r} among the newest "
                f"{len(listed)} on {server.connection.host}: see 'augstudy runs --cluster'."
            )
        wanted |= {str(run.run_id): run for run in found}
    return _read_all(server, stores, [run for run in listed[::-1] if str(run.run_id) in wanted])


def _is_called(run: Any, name: str) -> bool:
    return bool(name) and (name == run.display_name or str(run.run_id).startswith(name))


def _read_all(server: Server, stores: Stores, runs: Sequence[Any]) -> list[RemoteRun]:
    known: dict[Version, str] = {}
    names = [_pipeline_name(server, run, known) for run in runs]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda run, name: _read(server, run, name, stores), runs, names))


def facts(server: Server, experiment: str, most: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Folder below the root and facts of the newest runs; it is empty for a pipeline that is gone.

    Raises:
        InputError: there is no such experiment.
        ServiceError: the server cannot be reached.
    """
    known: dict[Version, str] = {}
    specs: dict[Version, Any] = {}
    for run in _listed(server, experiment, most):
        pipeline = _pipeline_name(server, run, known)
        found, spec = _facts(server, run, pipeline), _specification(server, run, specs)
        parameters = dict(run.runtime_config.parameters or {}) if run.runtime_config else {}
        found |= costs.reserved(run, spec, parameters)
        found["changed"] = difference_of(parameters, _told(ir.defaults(spec), parameters))
        yield f"{pipeline}/{run.run_id}" if pipeline else "", found


def _specification(server: Server, run: Any, known: dict[Version, Any]) -> Any:
    """The compiled pipeline of a run; None if it is gone."""
    reference = run.pipeline_version_reference
    if not reference or not reference.pipeline_version_id:
        return run.pipeline_spec
    version = Version(str(reference.pipeline_id), str(reference.pipeline_version_id))
    if version not in known:
        try:
            known[version] = server.pipeline_spec(version)
        except InputError:  # deleted since
            known[version] = None
    return known[version]


def _told(defaults: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """The defaults of those parameters that were given; a run need not give all."""
    return {name: defaults.get(name) for name in parameters}


def _listed(server: Server, experiment: str, most: int) -> list[Any]:
    parent = None
    if experiment:
        parent = server.find_experiment(experiment)
        if parent is None:
            raise InputError(f"There is no experiment {experiment!r} on {server.connection.host}.")
    return list(itertools.islice(server.runs(parent), most))


def _read(server: Server, run: Any, pipeline: str, stores: Stores) -> RemoteRun:
    facts, config = _facts(server, run, pipeline), run.runtime_config
    root = (config.pipeline_root if config else "") or ""
    found = RemoteRun(facts, f"{pipeline}/{run.run_id}", root)
    if facts["state"] != "succeeded" or not pipeline:
        return found
    if root and not root.startswith(_SCHEMES):
        return replace(found, damaged=True)
    store = stores.open(root)
    try:
        summary, decision = (_result(store, found.key, *place) for place in _RESULTS)
        return replace(
            found,
            summary=files.summary(summary) if summary else None,
            decision=files.decision(decision) if decision else None,
        )
    except DataError:
        return replace(found, damaged=True)


def _facts(server: Server, run: Any, pipeline: str) -> dict[str, Any]:
    config = run.runtime_config
    parameters = dict(config.parameters or {}) if config else {}
    return {
        "id": str(run.run_id)[:SHORT],
        "name": str(run.display_name),
        "pipeline": pipeline,
        "state": str(run.state or "PENDING").lower(),
        "started": run.created_at.timestamp() if run.created_at else None,
        "duration_s": _seconds(run),
        "parameters": parameters | {"level": _level(parameters)},
        "link": server.run_link(str(run.run_id)),
        "where": "cluster",
    }


def _result(store: Store, folder: str, task: str, output: str, name: str) -> bytes | None:
    """The file in which a step of a run says what it found."""
    keys = store.keys(f"{folder}/{task}/")
    # The manifest is written last: without it the rest is what a failed try left.
    whole = {key.removesuffix(MANIFEST) for key in keys if key.endswith(f"/{output}/{MANIFEST}")}
    found = [key for key in keys if key.removesuffix(name) in whole]
    return store.read(found[-1]) if found else None


def _pipeline_name(server: Server, run: Any, names: dict[Version, str]) -> str:
    """The name in the compiled pipeline, which is part of the path; empty if it is gone."""
    reference = run.pipeline_version_reference
    if not reference or not reference.pipeline_version_id:
        return ir.name_of(run.pipeline_spec)
    version = Version(str(reference.pipeline_id), str(reference.pipeline_version_id))
    if version not in names:
        try:
            names[version] = server.pipeline_name(version)
        except InputError:  # deleted since
            names[version] = ""
    return names[version]


def _level(parameters: dict[str, Any]) -> int | None:
    value = parameters.get("level") or parameters.get("train_per_class")
    return int(value) if value and isinstance(value, (int, float)) else None


def _seconds(run: Any) -> float | None:
    if not run.created_at:
        return None
    # A run that goes on has no end, or one before its beginning: 1970.
    over = run.finished_at and run.finished_at > run.created_at
    end = run.finished_at if over else datetime.now(timezone.utc)
    return max(0.0, float((end - run.created_at).total_seconds()))
