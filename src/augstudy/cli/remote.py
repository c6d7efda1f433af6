"""What commands on a cluster share, and the overview of its runs."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from augstudy.core import outlets
from augstudy.core.errors import InputError
from augstudy.core.redaction import conceal

if TYPE_CHECKING:
    from augstudy.cluster.connection import Connection
    from augstudy.cluster.kfp_api import Server
    from augstudy.cluster.stores import Stores


def connect(
    host: str | None, namespace: str | None, token: str | None, pipeline_root: str | None
) -> "Server":
    """The server that options, environment and settings name; it was asked once."""
    from augstudy.cluster.kfp_api import Server

    wanted = {"host": host, "namespace": namespace, "token": token, "pipeline_root": pipeline_root}
    return Server(settings(**wanted))


def settings(**options: str | None) -> "Connection":
    """The connection to KFP that options, environment and settings describe.

    From here on its token is hidden in all that is written.

    Raises:
        InputError: one of them is wrong, or an address carries credentials.
    """
    from augstudy.cluster import connection

    found = connection.settings(**options)
    conceal(found.token.get_secret_value() if found.token else None)
    return found


def stores(server: "Server", context: str) -> "Stores":
    """The stores of a cluster's runs, for a ``with`` block; tells which root it found where."""
    from augstudy.cluster.stores import Stores

    return Stores(
        server.connection, context, lambda text: plain_console().print(escape(text), style="dim")
    )


def plain_console() -> Console:
    """A console for sentences."""
    return outlets.console(pipe_width=100, highlight=False)


def wide_console() -> Console:
    """A console for tables: a pipe has no width, so nothing is cut there."""
    return outlets.console(pipe_width=280)


def show_runs(
    server: "Server",
    stores: "Stores",
    experiment: str,
    most: int,
    csv: Path | None,
    html: Path | None,
    png: Path | None,
) -> None:
    """Print the runs of a cluster and their learning curves; write them where asked to.

    Raises:
        InputError: a picture is wanted of curves that there are not.
    """
    from augstudy.cluster.remote_runs import collect
    from augstudy.pages import levels, overview

    found = collect(server, stores, experiment, most)
    frame = overview.frame_of(
        [overview.row(run.facts, run.summary, run.decision, run.damaged) for run in found]
    )
    curves = levels.curves(run.summary for run in found if run.summary is not None)
    if png is not None and not curves:
        raise InputError(
            "There is no learning curve to draw: it needs finished runs of one study at two levels."
        )
    if csv is not None:
        overview.write_csv(frame, csv)
    if html is not None:
        overview.write_html(frame, html, curves)
    if png is not None:
        levels.write_png(curves, png)
    console = wide_console()
    console.print(overview.render_table(frame))
    for curve in curves:
        console.print()
        console.print(levels.render(curve))
