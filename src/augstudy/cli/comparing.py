"""Commands on several runs at once: compare arms, and serve the web page of all runs."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augstudy.cli import options, remote
from augstudy.cli.records import RUNS, StoreUri, book, cluster_shelves

if TYPE_CHECKING:
    from augstudy.runs.compare import Comparison
    from augstudy.runs.record import Record


def compare(
    arms: Annotated[
        list[str], typer.Argument(metavar="RUN:ARM...", help="For example 7:real 7:add:1, or 7.")
    ],
    html: Annotated[Path, typer.Option(help="File to write the page to.")] = Path(
        "comparison.html"
    ),
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
    """Compare arms, of one run or of several, with the first one named.

    Prints the metrics with intervals, a paired test if both saw the same test images, and the
    settings that differ. The page adds learning curves, confusion matrices, and heat maps of the
    same images side by side. A run without an arm stands for all its arms. With --cluster or
    --host, name the runs of a cluster by the id or the name that 'runs --cluster' shows; the
    beginning of an id is enough.

    For example:

    augstudy compare 7:real 7:add:1

    augstudy compare 7:add 9:add --html wider.html

    augstudy compare --cluster 3f1c2ab4:add 9d07e65b:add
    """
    from augstudy.core.files import check_place
    from augstudy.runs.compare import compare as compared
    from augstudy.runs.shelf import of_store

    check_place(html, "file")
    if cluster or host:
        server = remote.connect(host, namespace, token, pipeline_root)
        with remote.stores(server, context) as stores:
            records, shelf = cluster_shelves(server, stores, experiment, arms)
            _show(compared(records, shelf, arms), html)
    else:
        kept = book(runs_dir, store)
        found = compared(kept.records(), of_store(kept.store), arms)
        _show(found, html, None if store else runs_dir)


def _show(found: "Comparison", html: Path, home: Path | None = None) -> None:
    """Print a comparison and write its page, which links to the runs in the folder `home`."""
    from augstudy.core.files import replace_text
    from augstudy.pages import run_page, tables
    from augstudy.pages.comparison_page import page, show

    def link(record: "Record") -> str:
        beside = f"{record['key']}/{run_page.NAME}"
        there = home is not None and (home / beside).is_file()
        return tables.address(beside, html, home) if there else ""

    show(remote.wide_console(), found)
    replace_text(html, page(found, link))
    remote.plain_console().print(f"Page: {html}", soft_wrap=True, markup=False)


def ui(
    host: Annotated[
        str, typer.Option(help="Address to listen on. Any but loopback lets other people read.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 means any free port.")] = 8765,
    edit: Annotated[
        bool, typer.Option("--edit", help="Let the page change notes; only on this machine.")
    ] = False,
    runs_dir: options.RunsDir = RUNS,
    store: StoreUri = "",
) -> None:
    """Serve a web page of all runs: table, charts, learning curves, comparisons, heat maps.

    The page is read-only, unless --edit lets it change notes, and loads nothing from other servers.
    Only this machine can open it unless --host says otherwise. Ctrl-C stops the server.

    For example:

    augstudy ui

    augstudy ui --edit

    augstudy ui --store gs://bucket/runs --port 9000
    """
    from augstudy.ui.library import Library
    from augstudy.ui.server import Server

    console = remote.plain_console()
    library = Library(book(runs_dir, store))
    with Server(library, host, port, edit) as server:
        library.records()  # so that the first page need not wait
        if not server.on_loopback:
            console.print("[yellow]Everybody who can reach this machine can read the runs.[/]")
        console.print(f"{server.url}  (Ctrl-C stops it)", soft_wrap=True, markup=False)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    options.add(app, "compare", compare, "Runs")
    options.add(app, "ui", ui, "Runs")
