"""Shows a run while it goes on: a live table on a terminal or in a notebook, lines elsewhere."""

from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text
from typing_extensions import Self

from augstudy.core.outlets import printable
from augstudy.local.events import RunState, Step, now
from augstudy.pages.formats import duration

_BAR = 16
_NAMES = 25  # columns for the title of a step: "train_cnn mislabelled:0.3"
SILENCE_S = 30.0  # seconds without a line, at most, while a step is at work
_REDRAWN_S = 1.0  # how often a notebook is sent the steps again, at most
_MARKS = {"done": ("✓", "green"), "stopped": ("■", "yellow")}
_FAILED = ("✗", "red")


class Display:
    """Draws the state of a run; a context manager."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, state: RunState) -> None:
        """Draw what changed."""
        raise NotImplementedError


def make(console: Console, place: str = "") -> Display:
    """The display that suits the console; `place` says which of several runs it is."""
    if console.is_jupyter and not console.quiet:
        return NotebookDisplay(place)
    return LiveDisplay(console, place) if console.is_terminal else LineDisplay(console)


class NotebookDisplay(Display):
    """All steps in one output of a notebook's cell, which is replaced as they go on."""

    def __init__(self, place: str = "") -> None:
        self._place = place
        self._state = RunState()
        self._began = self._drawn = now()
        self._output: Any = None

    def __exit__(self, *_: object) -> None:
        self._draw()

    def update(self, state: RunState) -> None:
        """Show the steps again, unless that was done just now."""
        self._state = state
        if now() - self._drawn >= _REDRAWN_S:
            self._draw()

    def _draw(self) -> None:
        from IPython.display import display

        self._drawn = now()
        lines = [_plain_row(step) for step in self._state.steps]
        lines.append(f"  {_footer(self._state, self._began, self._place)}")
        shown = {"text/plain": printable("\n".join(lines))}
        if self._output:
            self._output.update(shown, raw=True)
        else:
            self._output = display(shown, raw=True, display_id=True)


class LineDisplay(Display):
    """A line when a step begins, when it ends, and at times in between; for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: dict[int, str] = {}
        self._said = now()

    def update(self, state: RunState) -> None:
        """Print the steps that began or ended since the last call, or how far they are."""
        for at, step in enumerate(state.steps):
            told = self._told.get(at)
            if told is None:
                self._say(f"{step.title}: started")
            if told != "over" and not step.running:
                ended = f"{step.title}: {step.state} in {duration(step.elapsed(now()))}"
                self._say(f"{ended} ({step.text})" if step.text else ended)
            self._told[at] = "started" if step.running else "over"
        if now() - self._said >= SILENCE_S:
            self._say("; ".join(_how_far(step) for step in state.steps if step.running))

    def _say(self, text: str) -> None:
        self._said = now()
        if text:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def _how_far(step: Step) -> str:
    """The progress of a step at work: "train_gan: 40 % in 4 min 10 s, 6 min 15 s left"."""
    share = f"{100 * step.done / step.total:.0f} % in " if step.total > 0 else "at work for "
    left = step.seconds_left(now())
    remaining = f", {duration(left)} left" if left is not None else ""
    detail = f" ({step.text})" if step.text else ""
    return f"{step.title}: {share}{duration(step.elapsed(now()))}{remaining}{detail}"


class LiveDisplay(Display):
    """Finished steps above, ticked; below them a bar for each step at work."""

    def __init__(self, console: Console, place: str = "") -> None:
        self._console = console
        self._place = place
        self._ticked: set[int] = set()
        self._state = RunState()
        self._began = now()
        self._spinner = Spinner("dots", style="cyan")
        self._live = Live(
            console=console,
            get_renderable=self._render,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def update(self, state: RunState) -> None:
        """Tick the steps that ended; the rest is redrawn by itself."""
        self._state = state
        for at, step in enumerate(list(state.steps)):
            if at not in self._ticked and not step.running:
                self._ticked.add(at)
                self._console.print(_ticked_row(step))

    def _render(self) -> RenderableType:
        steps = [step for step in list(self._state.steps) if step.running]
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(width=1)
        table.add_column(width=_NAMES, no_wrap=True)
        table.add_column(width=_BAR)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for step in steps:
            table.add_row(self._spinner, Text(step.title), *_progress_cells(step))
        footer = Text(_footer(self._state, self._began, self._place), style="dim")
        return Group(table, Padding(footer, (0, 0, 0, 3)))


def _footer(state: RunState, began: float, place: str) -> str:
    count = f"{len(state.finished)} of {state.planned or '…'} steps"
    return " · ".join([count, duration(now() - began), *([place] if place else [])])


def _plain_row(step: Step) -> str:
    if step.running:
        return f"  {_how_far(step)}"
    mark, _ = _MARKS.get(step.state, _FAILED)
    row = f"{mark} {step.title:{_NAMES}} {duration(step.elapsed(now())):>8}  {step.text}"
    return row.rstrip()


def _ticked_row(step: Step) -> Table:
    mark, style = _MARKS.get(step.state, _FAILED)
    row = Table.grid(padding=(0, 2), expand=True)
    row.add_column(width=1)
    row.add_column(width=_NAMES, no_wrap=True)
    row.add_column(width=8, justify="right", no_wrap=True)
    row.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    row.add_row(
        Text(mark, style=style),
        Text(step.title),
        Text(duration(step.elapsed(now())), style="cyan" if step.state == "done" else style),
        Text(step.text, style="dim"),
    )
    return row


def _progress_cells(step: Step) -> tuple[RenderableType, RenderableType]:
    if step.state == "starting":
        return Text("starting", style="dim"), Text("")
    if step.total <= 0:
        return Text("working", style="dim"), Text(escape(step.text), style="dim")
    left = step.seconds_left(now())
    remaining = f"{duration(left)} left" if left is not None else ""
    text = "  ".join(part for part in (remaining, step.text) if part)
    bar = ProgressBar(
        total=step.total,
        completed=step.done,
        width=_BAR,
        complete_style="cyan",
        finished_style="green",
    )
    return bar, Text(text, style="dim")
