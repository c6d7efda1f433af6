"""What a person reads in the terminal before and after a run."""

import json
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from augstudy.core.formats import duration, points
from augstudy.local.runner import Result
from augstudy.local.series import Series
from augstudy.pages import wording
from augstudy.settings.arms import Arm
from augstudy.settings.base import parse
from augstudy.stats.power import forecast
from augstudy.tuning.sweep import Sweep, expand, parse_sweep


def announce(console: Console, values: Mapping[str, Any], series: Series | None = None) -> None:
    """Say what is studied, which of several runs it is, and how small an effect can be seen."""
    if series:
        title = f"Level {values['level']:,}, {series.place}"
        console.print()
        console.print(Rule(title, align="left", style="cyan"), style="bold")
    if "sweep" in values:
        _announce_sweep(console, values)
    if not {"arms", "seeds", "classes", "source"} <= set(values):
        return
    level = values.get("level") or values.get("train_per_class")
    arms = [parse(Arm, item, "an arm").label for item in values["arms"]]
    seeds = len(values["seeds"])
    console.print(
        f"{len(values['classes'])} classes of [bold]{escape(values['source'])}[/], {level} real "
        f"training images a class, {seeds} seed{'s' if seeds > 1 else ''}; arms: "
        f"{escape(', '.join(arms))}"
    )
    images = len(values["classes"]) * values.get("test_per_class", 0)
    if images and len(arms) > 1:  # 0 a class means all that are left over: not known yet
        say(console, forecast(seeds, images, len(arms) - 1))


def _announce_sweep(console: Console, values: Mapping[str, Any]) -> None:
    """Say how many trainings are ahead."""
    sweep = parse_sweep(values["sweep"])
    level = values.get("level") or values.get("train_per_class")
    console.print(
        f"{len(values['classes'])} classes of [bold]{escape(values['source'])}[/], {level} real "
        f"training images a class; {_trainings(sweep, values)}; axes: "
        f"{escape(', '.join(axis.name for axis in sweep.axes))}"
    )


def _trainings(sweep: Sweep, values: Mapping[str, Any]) -> str:
    """How many trainings a sweep takes, and what they are for."""
    seeds = len(values["seeds"])
    if sweep.search:
        trials, workers = sweep.search.trials, len(values["workers"])
        finalists = 1 + min(trials - 1, sweep.search.finalists * workers)
        return (
            f"{trials} trials, and {finalists} points with {wording.counted(seeds, 'seed')} each: "
            f"{trials + finalists * (seeds - 1)} trainings at most"
        )
    count = len(expand(sweep))
    return f"{count} points with {wording.counted(seeds, 'seed')} each: {count * seeds} trainings"


def say(console: Console, sentence: str, style: str = "") -> None:
    """Print a sentence; no line of it ends between a number and what follows, such as its unit."""
    tied = re.sub(r"(?<=\d) (?=\S)", "\N{NO-BREAK SPACE}", sentence)
    lines = textwrap.wrap(tied, console.width, break_long_words=False, break_on_hyphens=False)
    text = "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")
    console.print(Text(text, style=style), soft_wrap=True)


def show(console: Console, result: Result) -> None:
    """Print the verdict, the table of arms, and where the rest is."""
    summary, decision = (result.folder / name for name in ("summary.json", "decision.json"))
    console.print()
    if decision.is_file():
        content = json.loads(decision.read_text())
        say(console, content["reason"], "bold green" if content["promoted"] else "bold yellow")
        console.print(f"In force: {content['champion']}", markup=False)
        console.print()
    if summary.is_file():
        content = json.loads(summary.read_text())
        _verdict(console, content["headline"])
        tables = {"sweep": _points, "gan_sweep": _generators}
        console.print(tables.get(content.get("kind", ""), _arms)(content))
        if content.get("findings"):
            console.print()
            console.print(_findings(content))
        console.print("Brackets: 95 % intervals.", style="dim")
        console.print()
    say(
        console,
        f"Done in {duration(result.wall_s)}; starting the steps took {result.startup_s:.0f} s in "
        f"all, {100 * result.startup_s / result.wall_s:.0f} % of that (timings.csv).",
    )
    if result.reused:
        steps = "1 step was" if result.reused == 1 else f"{result.reused} steps were"
        console.print(f"{steps} taken from the cache ('augstudy cache').")
    what = "Report" if result.report else "Folder"
    console.print(f"{what}: {_shown(result.report or result.folder)}", soft_wrap=True, markup=False)


def show_series(console: Console, series: Series) -> None:
    """Print accuracy of every arm at every level, and where the page is."""
    from augstudy.pages import levels

    console.print()
    for curve in series.curves():
        console.print(levels.render(curve))
        console.print("Accuracy, %; brackets: 95 % intervals.", style="dim")
        for sentence in levels.worth_sentences(curve):
            say(console, sentence)
        console.print()
    console.print(f"All levels: {_shown(series.page)}", soft_wrap=True, markup=False)


_COLOURS = {"helps": "green", "hurts": "red", "no difference": "cyan", "can't tell yet": "yellow"}


def _verdict(console: Console, headline: Mapping[str, Any]) -> None:
    style = _COLOURS.get(str(headline["verdict"]), "bold")
    say(console, headline["answer"], f"bold {style}")
    say(console, headline["sentence"])
    console.print()


def _arms(summary: Mapping[str, Any]) -> Table:
    """A row an arm; fits in 80 columns."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Arm", no_wrap=True)
    table.add_column("Accuracy, %", justify="right", no_wrap=True)
    table.add_column("Minus real, points", justify="right", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    for label, arm in summary["arms"].items():
        found = arm["metrics"]["accuracy"]
        value, low, high = (100 * found[key] for key in ("value", "low", "high"))
        accuracy = f"{value:.1f} ({low:.1f} to {high:.1f})"
        table.add_row(label, accuracy, *_difference(summary["differences"].get(label)))
    return table


def _points(summary: Mapping[str, Any]) -> Table:
    """A row a point of a sweep."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Point", overflow="fold")  # combinations have long names
    table.add_column("Validation, %", justify="right", no_wrap=True)
    table.add_column("Minus base, points", justify="right", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    for name, point in summary["points"].items():
        accuracy = f"{100 * point['val_accuracy']:.1f}"
        table.add_row(name, accuracy, *_difference(summary["differences"].get(name)))
    return table


def _findings(summary: Mapping[str, Any]) -> Table:
    """A row a finding: whether it holds."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Finding")
    table.add_column("Here it", no_wrap=True)
    for found in summary["findings"]:
        word = found["judgement"]
        style = {"holds": "green", "does not hold": "red"}.get(word, "yellow")
        table.add_row(found["claim"], Text(word, style=style))
    return table


def _generators(summary: Mapping[str, Any]) -> Table:
    """A row a point of a sweep of generators."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Point", no_wrap=True)
    table.add_column("Training", no_wrap=True)
    table.add_column("FID-QD", justify="right", no_wrap=True)
    table.add_column("Minus base", justify="right", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    for name, point in summary["points"].items():
        fid = point["metrics"].get("fid_qd")
        record = summary["differences"].get(name) or {"metrics": {}, "verdict": "reference"}
        found, change = record["metrics"].get("fid_qd"), ""
        if found and len(point["seeds"]) > 1:
            change = f"{found['mean']:+.1f} ({found['low']:+.1f} to {found['high']:+.1f})"
        value = f"{fid['mean']:.1f}" if fid else ""
        table.add_row(name, ", ".join(point["verdicts"]), value, change, record["verdict"])
    return table


def _difference(found: Mapping[str, Any] | None) -> tuple[str, Text]:
    if found is None:
        return "", Text("reference", style="dim")
    mean, low, high = (points(found[key]) for key in ("mean", "low", "high"))
    word = str(found["verdict"])
    return f"{mean} ({low} to {high})", Text(word, style=_COLOURS.get(word, ""))


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
