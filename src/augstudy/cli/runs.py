"""Commands on runs: list them, show one, write a note on one, export and rebuild the records."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text
from typer.core import TyperGroup

from augstudy.cli import options, remote
from augstudy.cli.comparing import compare
from augstudy.cli.records import (
    RUNS,
    Sort,
    StoreUri,
    Where,
    book,
    cluster_facts,
    cluster_record,
    local_book,
    select,
)
from augstudy.cli.tracking import tensorboard, track
from augstudy.core.errors import InputError
from augstudy.core.files import check_place

if TYPE_CHECKING:
    from augstudy.cluster.kfp_api import Server
    from augstudy.cluster.stores import Stores
    from augstudy.pages.levels import Curve
    from augstudy.runs.record import Row

Columns = Annotated[str, typer.Option(help="Columns to show, such as id,arm,accuracy.")]
Csv = Annotated[Path | None, typer.Option(help="Also write the table as CSV here.")]
Html = Annotated[Path | None, typer.Option(help="Also write it as an HTML page here.")]
Png = Annotated[Path | None, typer.Option(help="With --cluster: also draw accuracy by level here.")]
Most = Annotated[int | None, typer.Option(min=1, help="Largest number of rows, or of runs there.")]
_SHOWN = 100  # rows, unless a limit says otherwise
_LOOKED_THROUGH = 1000  # runs of a cluster, likewise
RunName = Annotated[str, typer.Argument(metavar="RUN", help="Number or name of a run.")]


def list_(
    where: Where = "",
    sort: Sort = "",
    columns: Columns = "",
    limit: Most = None,
    csv: Csv = None,
    html: Html = None,
    png: Png = None,
    runs_dir: options.RunsDir = RUNS,
    store: StoreUri = "",
    cluster: options.Cluster = False,
    host: options.Host = None,
    namespace: options.Namespace = None,
    token: options.Token = None,
    pipeline_root: options.Root = None,
    context: options.Context = "",
    experiment: options.Experiment = "",
) -> None:
    """List the runs, newest first: what they were asked and what each of their arms found.

    Those of this machine; with --host or --cluster those of a cluster, and below them accuracy by
    level where a study ran at several levels. There is a row for each arm of a run. --csv writes
    every column, like 'augstudy runs export'. 100 rows are shown, and all are written; with --limit
    so many are shown and written.

    For example:

    augstudy runs --csv overview.csv

    augstudy runs --where 'accuracy > 0.8 and arm == "add:1"' --sort -accuracy

    augstudy runs --host http://localhost:8080 --experiment levels --html levels.html
    """
    from augstudy.pages import tables

    for file in filter(None, (csv, html, png)):
        check_place(file, "file")
    clustered = bool(host or cluster)
    if png is not None and not clustered:
        raise InputError("--png draws the runs of a cluster: add --cluster or --host.")
    fields = tables.columns(columns, tables.SHOWN_OF_CLUSTER if clustered else tables.SHOWN)
    curves: list[Curve] = []
    if clustered:
        server = remote.connect(host, namespace, token, pipeline_root)
        with remote.stores(server, context) as stores:
            most = limit or _SHOWN
            found, curves = _of_cluster(server, stores, experiment, most, where, sort)
    else:
        found = select(book(runs_dir, store).records(), where, sort)
    _write(found[:limit], curves, csv, html, png, None if store or clustered else runs_dir)
    shown = found[: limit or _SHOWN]
    console = remote.wide_console()
    console.print(tables.render(shown, fields))
    if len(found) > len(shown):
        remote.plain_console().print(f"{len(found) - len(shown)} more: raise --limit.")
    if curves:
        from augstudy.pages import levels

        for curve in curves:
            console.print()
            console.print(levels.render(curve))


def _of_cluster(
    server: "Server", stores: "Stores", experiment: str, most: int, where: str, sort: str
) -> "tuple[list[Row], list[Curve]]":
    """Rows of a cluster's runs, and the learning curves of the runs that they are of."""
    from augstudy.cluster.remote_runs import collect
    from augstudy.pages import levels

    runs = collect(server, stores, experiment, most)
    found = select(map(cluster_record, runs), where, sort)
    listed = {row["key"] for row in found}
    return found, levels.curves(run.summary for run in runs if run.summary and run.key in listed)


def _write(
    found: "list[Row]",
    curves: "list[Curve]",
    csv: Path | None,
    html: Path | None,
    png: Path | None,
    home: Path | None,
) -> None:
    """Write the files that were asked for.

    Raises:
        InputError: a picture is wanted of curves that there are not.
    """
    from augstudy.pages import levels, tables

    if png is not None and not curves:
        raise InputError(
            "There is no learning curve to draw: it needs finished runs of one study at two levels."
        )
    if csv is not None:
        tables.write_csv(found, csv)
    if html is not None:
        tables.write_html(found, html, home, curves=levels.shown(curves))
    if png is not None:
        levels.write_png(curves, png)


def show(
    run: RunName,
    runs_dir: options.RunsDir = RUNS,
    store: StoreUri = "",
) -> None:
    """Show the record of a run: settings, costs, and what each arm found.

    Example: augstudy runs show 7
    """
    from augstudy.pages import readings, run_page, tables
    from augstudy.runs.choosing import find
    from augstudy.runs.record import ARM_FIELDS, RUN_FIELDS, rows

    record = find(book(runs_dir, store).records(), run)
    console = remote.wide_console()
    found = list(rows([record]))
    for field in RUN_FIELDS:
        if text := tables.text_of(field, found[0]):
            console.print(
                Text.assemble((f"{readings.field(field.name).title:12} ", "dim"), text),
                soft_wrap=True,
            )
    page = runs_dir / record["key"] / run_page.NAME
    if not store and page.is_file():
        console.print(Text.assemble((f"{'All files':12} ", "dim"), str(page)), soft_wrap=True)
    if record["arms"]:
        ends = ("_low", "_high")
        fields = [item for item in ARM_FIELDS if not item.name.endswith(ends)]
        console.print()
        console.print(tables.render(found, fields))
        console.print("Brackets: 95 % intervals; differences in points.", style="dim")


def note(
    run: RunName,
    text: Annotated[str, typer.Argument(help="Text of the note; '' removes it.")],
    runs_dir: options.RunsDir = RUNS,
    store: StoreUri = "",
) -> None:
    """Write a note on a run; it replaces the one that was there.

    Example: augstudy runs note 7 "learning rate too high, see 9"
    """
    from augstudy.runs.choosing import find

    kept = book(runs_dir, store)
    record = find(kept.records(), run)
    kept.note(record["key"], text)
    remote.plain_console().print(f"Noted on run {record['id']}.")


def delete(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Numbers or names of runs.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    runs_dir: options.RunsDir = RUNS,
) -> None:
    """Delete runs of this machine with everything in their folders; it asks before.

    Numbers of deleted runs are never given again. What the cache holds of them stays there (see
    'augstudy cache').

    Example: augstudy runs delete 3 4
    """
    from augstudy.local.runfolder import refresh_overview
    from augstudy.runs.choosing import find

    kept = local_book(runs_dir)
    records = kept.records()
    chosen = {record["key"]: record for record in (find(records, name) for name in runs)}
    for record in chosen.values():
        if record["state"] == "running":
            raise InputError(f"Run {record['id']} is running: stop it before you delete it.")
    named = ", ".join(str(record["id"]) for record in chosen.values())
    console = remote.plain_console()
    if not yes:
        if not sys.stdin.isatty():
            raise InputError(f"Nobody can be asked whether to delete {named}: add --yes.")
        if not typer.confirm(f"Delete run {named} with everything in {runs_dir}/?"):
            console.print("Nothing was deleted.")
            return
    kept.delete(chosen)
    if trouble := refresh_overview(runs_dir):
        console.print(trouble, soft_wrap=True, markup=False)
    console.print(f"Deleted run {named}.", markup=False)


def export(
    file: Annotated[Path, typer.Argument(help="File to write: .csv, .json, .parquet or .html.")],
    where: Where = "",
    sort: Sort = "",
    runs_dir: options.RunsDir = RUNS,
    store: StoreUri = "",
) -> None:
    """Write every field of the runs, one row per arm, for other programs.

    Example: augstudy runs export runs.parquet --where 'state == "done"' --sort level,arm
    """
    from augstudy.pages import tables

    check_place(file, "file")
    found = select(book(runs_dir, store).records(), where, sort)
    tables.write(found, file, None if store else runs_dir)
    remote.plain_console().print(f"{len(found)} row(s) in {file}.", soft_wrap=True, markup=False)


def reindex(
    runs_dir: options.RunsDir = RUNS,
    store: StoreUri = "",
    cluster: options.Cluster = False,
    host: options.Host = None,
    namespace: options.Namespace = None,
    token: options.Token = None,
    pipeline_root: options.Root = None,
    context: options.Context = "",
    experiment: options.Experiment = "",
    limit: Most = None,
) -> None:
    """Rebuild the records and their index from what the runs left.

    With --store, rebuilds those of a bucket that a cluster's runs write to; with --cluster or
    --host, also asks the cluster for their names, times and costs.

    For example:

    augstudy runs reindex

    augstudy runs reindex --store gs://bucket/runs --cluster
    """
    from augstudy.pages import run_page
    from augstudy.runs.bucket import Bucket
    from augstudy.runs.folder import RunsFolder

    if cluster or host:
        server = remote.connect(host, namespace, token, pipeline_root)
        with remote.stores(server, context) as stores:
            kept_there = Bucket(stores.open(store))
            count = kept_there.rebuild(cluster_facts(server, experiment, limit or _LOOKED_THROUGH))
    else:
        if limit is not None:
            raise InputError("--limit is about the runs of a cluster: add --cluster or --host.")
        kept = book(runs_dir, store)
        count = kept.rebuild()
        if isinstance(kept, RunsFolder):
            run_page.write_missing(kept)
    remote.plain_console().print(f"{count} run(s).")


class _Group(TyperGroup):
    """``runs`` and ``runs --csv FILE`` mean ``runs list``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(cls=_Group)
    commands: dict[str, Callable[..., None]] = {
        "list": list_,
        "show": show,
        "note": note,
        "delete": delete,
        "export": export,
        "track": track,
        "tensorboard": tensorboard,
        "compare": compare,
        "reindex": reindex,
    }
    for name, command in commands.items():
        options.add(group, name, command, "Commands")
    text = "List all runs, newest first; filter, show, compare, annotate, export and delete them."
    app.add_typer(group, name="runs", help=text, short_help=text, rich_help_panel="Runs")
