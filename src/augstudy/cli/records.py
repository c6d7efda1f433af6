"""What commands on runs share: where the records are, and which of them are meant."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augstudy.core.errors import InputError
from augstudy.runs import query
from augstudy.runs.record import Record, Row, build, newest_first, rows

if TYPE_CHECKING:
    from augstudy.cluster.kfp_api import Server
    from augstudy.cluster.remote_runs import RemoteRun
    from augstudy.cluster.stores import Stores
    from augstudy.runs.bucket import Bucket
    from augstudy.runs.folder import RunsFolder
    from augstudy.runs.shelf import Shelf

RUNS = Path("runs")
_LOOKED_THROUGH = 1000  # runs of a cluster, newest first
Where = Annotated[
    str,
    typer.Option(
        help="""Condition on rows: 'accuracy > 0.8 and arm == "add"'; see docs/tracker.md."""
    ),
]
Sort = Annotated[str, typer.Option(help="Sort by fields; a minus means largest first: -accuracy.")]
StoreUri = Annotated[
    str, typer.Option("--store", help="Use the runs in a bucket instead: gs://, s3:// or minio://.")
]


def book(runs_dir: Path, store: str) -> "RunsFolder | Bucket":
    """The tracker of a folder of runs, or of a bucket.

    Raises:
        InputError: there is no such folder, or the address of the bucket is wrong.
    """
    return bucket(store) if store else local_book(runs_dir)


def local_book(runs_dir: Path) -> "RunsFolder":
    """The tracker of a folder of runs, where runs that died are marked as such.

    Raises:
        InputError: there is no such folder.
    """
    from augstudy.local.runfolder import settle
    from augstudy.runs.folder import RunsFolder

    if not runs_dir.is_dir():
        raise InputError(f"There is no folder {runs_dir}: run a study first, with 'augstudy run'.")
    settle(runs_dir)
    return RunsFolder(runs_dir)


def bucket(uri: str) -> "Bucket":
    """The tracker of a bucket."""
    from augstudy.objects import open_store
    from augstudy.runs.bucket import Bucket

    return Bucket(open_store(uri.rstrip("/")))


def select(records: Iterable[Record], where: str, sort: str) -> list[Row]:
    """Rows of the records, newest run first unless `sort` says otherwise."""
    wanted = query.where(where) if where else None
    found = rows(newest_first(records))
    return query.arrange(filter(wanted, found) if wanted else found, sort)


def cluster_shelves(
    server: "Server", stores: "Stores", experiment: str, names: Sequence[str]
) -> "tuple[list[Record], Callable[[Record], Shelf]]":
    """Records of the runs of a cluster that are named, and what opens the artifacts of one."""
    from augstudy.cluster.remote_runs import named
    from augstudy.runs.shelf import Shelf

    found = named(server, stores, experiment, _LOOKED_THROUGH, names)
    roots = {run.key: run.root for run in found}

    def shelf(record: Record) -> Shelf:
        return Shelf(stores.open(roots[record["key"]]), record["key"])

    return [cluster_record(run) for run in found], shelf


def cluster_record(run: "RemoteRun") -> Record:
    """The record of a run of a cluster; the start of KFP's id stands for a number."""
    made = build(run.facts, run.summary, run.decision, damaged=run.damaged)
    return made | {"key": run.key}


def cluster_facts(server: "Server", experiment: str, most: int) -> dict[str, dict[str, Any]]:
    """What a cluster knows of its runs, by the folder of their artifacts."""
    from augstudy.cluster.remote_runs import facts

    return {key: found for key, found in facts(server, experiment, most) if key}
