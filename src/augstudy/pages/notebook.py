"""Results as notebooks show them."""

import html
from pathlib import Path

from augstudy.pages import answers
from augstudy.pages.templates import environment
from augstudy.results.files import AnySummary


def study(found: AnySummary, report: Path) -> str:
    """The answer and its tables as a piece of HTML, with a link to the report."""
    return (
        environment()
        .get_template("notebook.html.j2")
        .render(
            said=answers.answer(found),
            grids=answers.grids(found),
            report=report,
            address=report.absolute().as_uri(),
        )
    )


def framed(page: str) -> str:
    """A whole page inside another one: neither's style reaches the other."""
    return (
        f'<iframe srcdoc="{html.escape(page, quote=True)}" sandbox '
        'style="width: 100%; height: 40rem; border: 1px solid #ccc"></iframe>'
    )
