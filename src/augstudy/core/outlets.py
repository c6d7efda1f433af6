"""The ways out for text that is not ours: notes, names, messages of servers, answers of libraries.

One for each medium: :func:`console` for tables and sentences in a terminal, :func:`guarded` for
all else that is printed or logged, :func:`cell` for CSV, and :func:`markdown` for Markdown. Pages
are made with templates that escape by themselves. No way out passes on what would command a
terminal or a spreadsheet, nor a credential that :mod:`augstudy.core.redaction` knows.
"""

import contextlib
import re
import sys
from collections.abc import Iterable, Iterator
from typing import IO, Any, TextIO, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from augstudy.core.redaction import without_secrets

# Control characters but for tab and line feed, what turns the direction of writing, separators of
# lines that only some programs know, and halves of characters, as bytes that are no UTF-8 become.
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_HALVES = re.compile("[\ud800-\udfff]")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LINE_END = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# In programs for Japanese their wide forms begin a formula, too.
_FORMULA = (*"=+-@\t|%", *"\uff1d\uff0b\uff0d\uff20")
_NOT_IN_CODE = str.maketrans({"`": "'", "|": "/", "\n": " "})
_MARKS = re.compile(r"([\\`*\[\]<>|#~!&]|(?<!\w)_|_(?!\w))")


def printable(text: str) -> str:
    """`text` without what would command a terminal, and with a mark for halves of characters."""
    return _COMMANDS.sub("", _HALVES.sub("\N{REPLACEMENT CHARACTER}", text))


def cell(value: Any) -> Any:
    """A cell of a CSV file: of text, what a spreadsheet would run as a formula gets an apostrophe.

    Line ends become line feeds, which CSV writers put between quotes; a lone carriage return they
    do not, and what follows it would begin a row.
    """
    if not isinstance(value, str):
        return value
    text = printable(_LINE_END.sub("\n", value))
    return f"'{text}" if text.lstrip(" \n").startswith(_FORMULA) or text[:1] == "\n" else text


def markdown(text: str) -> str:
    """`text` as one line of Markdown that shows it as it is, in a cell of a table as well."""
    return _MARKS.sub(r"\\\1", " ".join(printable(_LINE_END.sub(" ", text)).split()))


def code(text: str) -> str:
    """`text` as code in Markdown, in a cell of a table as well."""
    return f"`{printable(_LINE_END.sub(' ', text)).translate(_NOT_IN_CODE)}`"


class _Stream:
    """A text stream that hides credentials, and other bytes than text from a terminal.

    Characters that the stream's encoding lacks are replaced. What `trusted` writers, our consoles,
    have made may move the cursor; all others may at most choose a colour.
    """

    def __init__(self, stream: TextIO, *, trusted: bool = False) -> None:
        self.behind, self._trusted = stream, trusted

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)

    def write(self, text: str) -> int:
        """Write what may be written of `text`."""
        shown = without_secrets(text)
        shown = _HALVES.sub("\N{REPLACEMENT CHARACTER}", shown) if self._trusted else _plain(shown)
        try:
            self.behind.write(shown)
        except UnicodeEncodeError:
            encoding = self.behind.encoding or "ascii"
            self.behind.write(shown.encode(encoding, "replace").decode(encoding))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of `lines`."""
        for line in lines:
            self.write(line)


class _Console(Console):
    """A console whose tables and sentences pass on nothing but the characters in them."""

    @property
    def file(self) -> IO[str]:
        """The file to write to; a stream of :func:`guarded` is for what others print."""
        found = super().file
        stream = _Stream(getattr(found, "behind", found), trusted=True)  # type: ignore[arg-type]
        return cast("IO[str]", stream)

    @file.setter
    def file(self, new_file: IO[str]) -> None:
        self._file = new_file

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """See :meth:`rich.console.Console.render`; moves of the cursor are the console's own."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else printable(text), style, control)


def console(*, pipe_width: int | None = None, **options: Any) -> Console:
    """A console for text of any origin.

    Args:
        pipe_width: Columns of a line where the output is no terminal.
        **options: Of :class:`rich.console.Console`.
    """
    made = _Console(**options)
    if pipe_width is None or made.is_terminal:
        return made
    return _Console(width=pipe_width, **options)


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Let nothing that is printed or logged in this block command a terminal or show a secret."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (
        item if isinstance(item, _Stream) else cast("TextIO", _Stream(item)) for item in before
    )
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _plain(text: str) -> str:
    """`text` with no more than colours."""
    if text.isprintable():
        return text
    colours = _COLOUR.findall(text)
    parts = [printable(part) for part in _COLOUR.split(text)]
    return "".join(part + colour for part, colour in zip(parts, [*colours, ""], strict=True))
