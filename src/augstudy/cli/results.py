"""What a person reads in the terminal before and after a run."""

import contextlib
import itertools
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from augstudy.core.errors import InputError
from augstudy.data.listed import Listed
from augstudy.local import forecast
from augstudy.local.runner import Result
from augstudy.local.series import Series
from augstudy.pages import answers, suspicions, verdicts, wording
from augstudy.pages.formats import duration
from augstudy.results import files
from augstudy.results.power import cheapest, expected
from augstudy.runs.rounds import Round
from augstudy.settings.arms import Arm
from augstudy.settings.base import parse
from augstudy.settings.data import DataSettings
from augstudy.steps.study import Study
from augstudy.tuning.sweep import Sweep, expand, parse_sweep

FOLDS = (5, 10)  # that are proposed


def announce(
    console: Console,
    pipeline: str,
    values: Mapping[str, Any],
    runs: Path,
    series: Series | None,
    listed: Listed | None,
) -> None:
    """Say what is studied, which of several runs it is, what can be seen, and how long it takes.

    Args:
        console: where to.
        pipeline: its name.
        values: its parameters.
        runs: the folder of runs, of which an earlier one may tell the time.
        series: the study at several levels that this is a part of.
        listed: how many images there are, if that is known.
    """
    if series:
        title = f"Level {values['level']:,}, {series.place}"
        console.print()
        console.print(Rule(title, align="left", style="cyan"), style="bold")
    if "sweep" in values:
        _announce_sweep(console, values)
    if not {"arms", "seeds", "classes", "source"} <= set(values):
        return
    arms = [parse(Arm, item, "an arm").label for item in values["arms"]]
    seeds, folds = len(values["seeds"]), int(values.get("folds", 0))
    draws = int(values.get("draws", 1))
    repeated = wording.counted(seeds, "seed")
    if looks := values.get("looks"):
        repeated += f" (up to {looks[-1]})"
    if folds or draws > 1:
        trainings = draws * max(1, folds) * seeds * len(arms)
        repeated = f"{wording.runs(draws, folds, seeds)}, {trainings:,} in all"
    console.print(f"{_images(values)}, {repeated}; arms: {escape(', '.join(arms))}")
    if seeds == 1 and draws == 1 and (only := int(values["seeds"][0])) > 1:
        say(console, f"Seed {only} is one repetition; 0-{only - 1} makes {only} of them.")
    if listed and len(arms) > 1:
        _foresee(console, Study(values), listed, seeds, len(arms) - 1)
    if time := forecast.expected(runs, Path(pipeline).stem, values):
        say(
            console,
            f"It should take about {duration(time.seconds)}, judging by run {time.run}; less "
            "where results can be taken from the cache.",
        )


def _foresee(console: Console, study: Study, listed: Listed, seeds: int, compared: int) -> None:
    """Say how small an effect can be seen, and the cheapest way to see one as large as the margin.

    With folds, all images can be tested, unless the source says which ones are.
    """
    data, margin = study.data, study.comparing.equivalence_margin
    folds, draws = max(1, data.folds), data.draws
    seen = expected(seeds, listed.tested(data), compared, folds=folds, draws=draws)
    say(console, verdicts.forecast(seen))
    images = {data.folds: seen.images}
    if not any(listed.given.values()) and not data.test_source:
        for more in FOLDS:
            with contextlib.suppress(InputError):
                other = parse(DataSettings, data.model_dump() | {"folds": more}, "folds")
                images[more] = listed.tested(other)
    told = verdicts.change(cheapest(seen, margin, images), margin, seeds * folds * draws)
    if told:
        say(console, told)


def _images(values: Mapping[str, Any]) -> str:
    """Which images are trained on, as far as that is known before they are read."""
    classes = len(values["classes"])
    level = values.get("level") or values.get("train_per_class")
    known = level if values.get("train_per_class") else f"at most {level}"
    return (
        f"{classes or 'All'} classes of [bold]{escape(values['source'])}[/], "
        f"{known if level else 'all'} real training images per class"
    )


def _announce_sweep(console: Console, values: Mapping[str, Any]) -> None:
    """Say how many training runs are ahead."""
    sweep = parse_sweep(values["sweep"])
    console.print(
        f"{_images(values)}; {_trainings(sweep, values)}; axes: "
        f"{escape(', '.join(axis.name for axis in sweep.axes))}"
    )


def _trainings(sweep: Sweep, values: Mapping[str, Any]) -> str:
    """How many training runs a sweep takes, and what they are for."""
    seeds = len(values["seeds"])
    if sweep.search:
        trials, workers = sweep.search.trials, len(values["workers"])
        finalists = 1 + min(trials - 1, sweep.search.finalists * workers)
        return (
            f"{trials} trials, and {finalists} points with {wording.counted(seeds, 'seed')} each: "
            f"at most {trials + finalists * (seeds - 1)} training runs"
        )
    count = len(expand(sweep))
    each = wording.counted(seeds, "seed")
    return f"{count} points with {each} each: {count * seeds} training runs"


def say(console: Console, sentence: str, style: str = "") -> None:
    """Print a sentence; no line of it ends between a number and what follows, such as its unit."""
    tied = re.sub(r"(?<=\d) (?=\S)", "\N{NO-BREAK SPACE}", sentence)
    lines = textwrap.wrap(tied, console.width, break_long_words=False, break_on_hyphens=False)
    text = "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")
    console.print(Text(text, style=style), soft_wrap=True)


def show(console: Console, result: Result) -> None:
    """Print the verdict, the table of arms, and where the rest is."""
    summary, decision = files.read_summary(result.folder), files.read_decision(result.folder)
    console.print()
    if decision:
        style = "bold green" if decision.promoted else "bold yellow"
        say(console, verdicts.promotion(decision), style)
        console.print(f"In force: {decision.champion}", markup=False)
        console.print()
    if summary:
        said = answers.answer(summary)
        say(
            console, said.answer, f"bold {verdicts.COLOURS.get(summary.headline.verdict or '', '')}"
        )
        say(console, said.sentence)
        for sentence in wording.repeated(summary.data, summary.seeds_each):
            say(console, sentence)
        for item in summary.data.suspicions:
            say(console, f"Warning: {suspicions.sentence(item)}", "yellow")
        for grid in answers.grids(summary):
            console.print()
            console.print(_table(grid))
        console.print("Brackets: 95 % intervals.", style="dim")
        for sentence in answers.remarks(summary):
            say(console, sentence)
        console.print()
    say(
        console,
        f"Done in {duration(result.wall_s)}, of which starting the steps took "
        f"{result.startup_s:.0f} s ({100 * result.startup_s / result.wall_s:.0f} %; timings.csv).",
    )
    if result.reused:
        steps = "1 step was" if result.reused == 1 else f"{result.reused} steps were"
        console.print(f"{steps} taken from the cache ('augstudy cache').")
    what = "Report" if result.report else "Folder"
    console.print(f"{what}: {_shown(result.report or result.folder)}", soft_wrap=True, markup=False)


def show_round(console: Console, found: Round) -> None:
    """Say how a round of a study that chooses its seeds ended, and what follows."""
    seeds, missing = wording.counted(found.seeds, "seed"), ", ".join(found.open)
    takes = f", which takes about {duration(found.expected_s)}" if found.expected_s else ""
    if found.end == "told":
        said = f"After {seeds}, every arm that answers the question has its verdict."
    elif found.end == "chance":
        said = f"More seeds would tell nothing about {missing}: the classifiers only guess."
    elif found.end == "seeds":
        said = f"There is no verdict on {missing} after {seeds}, the most that were allowed."
    elif found.end == "hours":
        said = (
            f"There is no verdict on {missing} after {seeds}, and too little is left of max_hours "
            f"for the next round{takes}."
        )
    else:
        more = wording.counted((found.following or 0) - found.seeds, "more seed")
        said = f"There is no verdict on {missing} after {seeds}: going on with {more}{takes}."
    console.print()
    say(console, said, "bold")


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


def _table(grid: answers.Grid) -> Table:
    """A table that fits in 80 columns."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(grid.first, overflow="fold")  # combinations have long names
    shown = [not column.wide for column in grid.columns]
    for column in itertools.compress(grid.columns, shown):
        justify: JustifyMethod = "right" if column.number else "left"
        table.add_column(column.title, justify=justify, no_wrap=True)
    table.add_column(grid.last, no_wrap=True)
    for line in grid.lines:
        code = Text(line.code, style=verdicts.COLOURS.get(line.code, ""))
        table.add_row(line.label, *itertools.compress(line.cells, shown), code)
    return table


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
