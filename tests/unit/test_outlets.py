"""Foreign text commands neither a terminal nor a spreadsheet, and shows in Markdown as it is."""

import csv
import io
import re
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from augstudy.core import outlets
from augstudy.pages import tables
from augstudy.runs.record import FIELDS

COMMANDS = (
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "\x1b]52;c;aGk=\x1b\\",
    "\x9b31mred",
    "one\rtwo",
    "a\x08b",
    "\u202eesrever",
    "\u2066isolated",
    "caf\udce9",
    "nul\0",
)
UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
FORMULAS = ("=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "\n=1", " =1", "x\r=1", "\uff1d1", "\x1b=1")


@pytest.mark.parametrize("foreign", COMMANDS)
def test_a_console_prints_no_command(foreign: str) -> None:
    stream = io.StringIO()
    console = outlets.console(file=stream, width=60, force_terminal=True, color_system=None)
    table = Table(foreign, title=foreign)
    table.add_row(Text(foreign, style="bold"))
    console.print(table)
    console.print(foreign, markup=False, soft_wrap=True)
    console.print(Text(foreign))
    assert not UNWANTED.search(stream.getvalue())


@pytest.mark.parametrize("foreign", COMMANDS)
def test_what_is_printed_and_logged_holds_no_command(
    foreign: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with outlets.guarded():
        sys.stdout.write(foreign)
        sys.stderr.writelines([foreign])
        Console(force_terminal=False).print(Text(foreign))
    said = capsys.readouterr()
    assert not UNWANTED.search(re.sub(r"\x1b\[[0-9;]*m", "", said.out + said.err))


def test_consoles_of_our_own_may_move_the_cursor() -> None:
    stream = io.StringIO()
    console = outlets.console(file=stream, force_terminal=True, width=40)
    with Live("one", console=console, auto_refresh=False) as live:
        live.update("two", refresh=True)
    assert "\x1b[?25l" in stream.getvalue()


def test_a_stream_without_the_characters_gets_a_mark() -> None:
    raw = io.BytesIO()
    console = outlets.console(file=io.TextIOWrapper(raw, encoding="ascii"), width=40)
    console.print("done ✓")
    assert raw.getvalue() == b"done ?\n"


def test_every_console_is_one_of_ours() -> None:
    package = Path(outlets.__file__).parent
    own = {path.name for path in package.rglob("*.py") if "Console(" in path.read_text()}
    assert own == {"outlets.py"}


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_begins_a_formula(text: str, tmp_path: Path) -> None:
    tables.write([dict.fromkeys(FIELDS) | {"note": text, "arm": text}], tmp_path / "a.csv")
    content = (tmp_path / "a.csv").read_bytes().decode()
    assert "\r" not in content
    rows = list(csv.reader(io.StringIO(content, newline="")))
    assert len(rows) == 2
    cells = [cell for cell in rows[1] if cell]
    assert len(cells) == 2
    for cell in cells:
        assert cell[0] not in "=+-@\t\r\n \uff1d", cell
        # Nor does a line of the file, for readers that know no quotes.
    lines = re.split("[\r\n]", content)
    assert not any(line.startswith(("+", "-", "@", "\t")) for line in lines)


def test_numbers_stay_numbers() -> None:
    assert [outlets.cell(value) for value in (-1, -0.5, None, True)] == [-1, -0.5, None, True]


def test_half_a_character_does_not_stop_an_export(tmp_path: Path) -> None:
    rows = [dict.fromkeys(FIELDS) | {"note": "caf\udce9", "settings": {}}]
    for name in ("a.csv", "a.json", "a.html"):
        tables.write(rows, tmp_path / name)
        assert "caf" in (tmp_path / name).read_text()


@pytest.mark.parametrize(
    "text",
    ["<script>x</script>", "[a](http://b)", "![a](b)", "*a* _b_ `c` ~~d~~", "# a", "a | b", "a\nb"],
)
def test_markdown_shows_text_as_it_is(text: str) -> None:
    shown = " ".join(text.split())
    rows = f"| x |\n| --- |\n| {outlets.markdown(text)} |\n"
    tokens = MarkdownIt("commonmark").enable("table").enable("strikethrough").parse(rows)
    cells = [token for token in tokens if token.type == "inline"]
    assert len(cells) == 2
    children = cells[1].children or []
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children) == shown
