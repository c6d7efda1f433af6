"""Commands that look at several runs at once: compare arms, and the web page over all runs."""

from pathlib import Path
from typing import Annotated

import typer

from augstudy.commands import options, remote
from augstudy.commands.records import RUNS, StoreUri, book


def compare(
    arms: Annotated[
        list[str], typer.Argument(metavar="RUN:ARM...", help="Such as 7:real 7:add_100, or 7.")
    ],
    html: Annotated[Path, typer.Option(help="File to write the page to.")] = Path(
        "comparison.html"
    ),
    runs_dir: options.RunsDir = RUNS,
    store: StoreUri = "",
) -> None:
    """Compare arms of one run or of several with the first one named.

    Prints the metrics with intervals, a paired test where both saw the same test images, and the
    settings that differ. The page adds learning curves, confusion matrices, and heat maps of the
    same drawings side by side. A run without an arm stands for all its arms.

    For example:

    augstudy compare 7:real 7:add_100

    augstudy compare 7:add 9:add --html wider.html
    """
    from augstudy.files import replace_text
    from augstudy.tracker.compare import compare as compared
    from augstudy.tracker.comparison_page import page, show

    kept = book(runs_dir, store)
    found = compared(kept.records(), kept.store, arms)
    show(remote.wide_console(), found)
    replace_text(html, page(found))
    remote.plain_console().print(f"Page: {html}", soft_wrap=True, markup=False)


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    options.add(app, "compare", compare, "Runs")
