"""The command on the cache that local runs share."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from augstudy.cli import options
from augstudy.core import outlets
from augstudy.core.cache import VARIABLE, Cache, active
from augstudy.core.errors import InputError

_RUNS = Path("runs")


def folder(runs: Path) -> Path:
    """Where runs in the folder `runs` have their cache: ``AUGSTUDY_CACHE``, else inside it."""
    named = active()
    return named.root if named else runs / ".cache"


def cache(
    action: Annotated[str, typer.Argument(help="show or clear.")] = "show",
    runs_dir: options.RunsDir = _RUNS,
    unused_days: Annotated[
        float, typer.Option(min=0, help="With clear: only what no run has used for this many days.")
    ] = 0,
) -> None:
    """Show how much the cache of finished steps holds, or clear it.

    'augstudy run' stores the result of each step and each seed under a hash of all that it depends
    on: inputs, settings, code, library versions and threads. A run that was interrupted, or that
    shares steps with another, takes these results from the cache. It is in runs/.cache, or where
    AUGSTUDY_CACHE says. It shares its files with the run folders, so it takes no extra space while
    those exist.

    Example: augstudy cache clear --unused-days 30
    """
    store = Cache(folder(runs_dir))
    if action not in ("show", "clear"):
        raise InputError(f"There is no action {action!r}: use show or clear.")
    console = outlets.console(highlight=False, soft_wrap=True)
    if action == "clear":
        console.print(f"Removed {store.clear(unused_days):,} entries and checkpoints.")
    found = store.measure()
    console.print(
        f"{escape(os.path.relpath(store.root))}: {found.entries:,} entries, {_mib(found.size)}, "
        f"of which {_mib(found.own)} are in no run folder."
    )
    if action == "show" and os.environ.get(VARIABLE):
        console.print(f"{VARIABLE} names it.")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    options.add(app, "cache", cache, "Whole pipelines")


def _mib(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB"
