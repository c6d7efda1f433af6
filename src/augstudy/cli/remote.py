"""What commands on a cluster share."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from augstudy.core import outlets
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
    return outlets.console(pipe_width=1000)
