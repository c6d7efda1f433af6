"""Command on the champions of a retraining: which there are, and which is in force."""

import getpass
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from augstudy.commands import options


def champions(
    store: Annotated[str, typer.Argument(help="Their folder: gs://, s3://, minio:// or file://.")],
    use: Annotated[str, typer.Option(metavar="NAME", help="Put this one in force (again).")] = "",
) -> None:
    """List the champions of a retraining, or roll back to one of them.

    Example: augstudy champions gs://bucket/champions/mammals --use 20261116-030109-77aa01bc
    """
    from augstudy.champions import Champions

    opened = Champions(store)
    if use:
        opened.use(use, reason=f"Put in force by {_user()}.")
    pointer = opened.pointer()
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("champion", "in force since", "why"):
        table.add_column(heading, no_wrap=heading != "why")
    for name in opened.names():
        current = name == pointer.get("champion")
        style = "bold green" if current else ""
        told = [str(pointer.get(key, "")) if current else "" for key in ("since", "reason")]
        table.add_row(*(Text(text, style=style) for text in (name, *told)))
    console = Console()
    (console if console.is_terminal else Console(width=240)).print(table)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    options.add(app, "champions", champions, "Whole pipelines")
