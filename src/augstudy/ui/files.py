"""Files that the web page hands out: its own, and those of a run; each is on a list."""

from pathlib import Path

from augstudy.core.errors import InputError
from augstudy.core.files import read_bytes

_HERE = Path(__file__).parent
_SCRIPTS = (
    "app.js",
    "axes.js",
    "charts.js",
    "choices.js",
    "details.js",
    "dom.js",
    "links.js",
    "note.js",
    "parallel.js",
    "scatter.js",
    "table.js",
)
_STATIC = {
    name: _HERE / "static" / name for name in ("index.html", "app.css", "charts.css", *_SCRIPTS)
} | {"report.css": _HERE.parent / "pages" / "templates" / "report.css"}
_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css", "png": "image/png"}
# What a browser shows as a text; anything else is saved.
_TEXTS = ("csv", "json", "log", "md", "txt", "yaml")


class MissingPageError(InputError):
    """There is nothing under this name."""


def static(name: str) -> bytes:
    """One of the page's own files; the list is all there is, so no name leads elsewhere.

    Raises:
        MissingPageError: it has no such file.
    """
    if name not in _STATIC:
        raise MissingPageError(f"There is no page {name!r}.")
    return _STATIC[name].read_bytes()


def content(path: Path) -> bytes:
    """The content of a file of a run.

    Raises:
        MissingPageError: somebody has deleted it, or made it something else.
    """
    try:
        return read_bytes(path)
    except OSError as error:
        raise MissingPageError(f"{path.name} cannot be read: {error.strerror}.") from error


def kind(name: str) -> str:
    """The type of a file, by the ending of its name."""
    ending = name.rpartition(".")[2]
    return _TYPES.get(ending, "text/plain" if ending in _TEXTS else "application/octet-stream")
