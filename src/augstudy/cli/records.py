"""What commands on runs share: where the records are, and which of them are meant."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augstudy.core.errors import InputError
from augstudy.runs import query
from augstudy.runs.record import Record, Row, build, newest_first, rows

if TYPE_CHECKING:
    from augstudy.cluster.kfp_api import Server
    from augstudy.runs.bucket import Bucket
    from augstudy.runs.folder import RunsFolder

RUNS = Path("runs")
Where = Annotated[
    str,
    typer.Option(
        help="""Only rows such as 'accuracy > 0.8 and arm == "add"'; see docs/tracker.md."""
    ),
]
Sort = Annotated[str, typer.Option(help="Order by fields; a minus means largest first: -accuracy.")]
Limit = Annotated[int, typer.Option(min=1, help="At most so many.")]
StoreUri = Annotated[
    str, typer.Option("--store", help="Runs in a bucket instead: gs://, s3:// or minio://.")
]


def book(runs_dir: Path, store: str) -> "RunsFolder | Bucket":
    """The tracker of a folder of runs, or of a bucket.

    Raises:
        InputError: there is no such folder, or the address of the bucket is wrong.
    """
    if store:
        return bucket(store)
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


def cluster_records(server: "Server", experiment: str, most: int) -> list[Record]:
    """Records of the newest runs of a cluster, without numbers of the tracker."""
    from augstudy.cluster.remote_runs import collect

    found = collect(server, experiment, most)
    return [
        build({**run.facts, "id": None}, run.summary, run.decision, damaged=run.damaged)
        for run in found
    ]


def cluster_facts(server: "Server", experiment: str, most: int) -> dict[str, dict[str, Any]]:
    """What a cluster knows of its runs, by the folder of their artifacts."""
    from augstudy.cluster.remote_runs import facts

    return {key: found for key, found in facts(server, experiment, most) if key}
