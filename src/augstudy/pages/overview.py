"""The experiment tracker: one table over all runs of a folder, newest first."""

import contextlib
import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.table import Table
from rich.text import Text

from augstudy.core import outlets
from augstudy.core.files import replace_text
from augstudy.pages import levels, wording
from augstudy.pages.formats import duration, points
from augstudy.pages.templates import environment
from augstudy.pages.verdicts import COLOURS, margin_text
from augstudy.results import files
from augstudy.results.files import AnySummary
from augstudy.results.models import GeneratorSweep, Retraining, Sweep
from augstudy.results.parts import Compared, Score
from augstudy.runs.folder import NOTE
from augstudy.runs.record import utc

COLUMNS = (
    "id",
    "date",
    "pipeline",
    "user",
    "state",
    "duration_s",
    "source",
    "level",
    "arms",
    "best_arm",
    "real_accuracy",
    "best_accuracy",
    "difference",
    "ci_low",
    "ci_high",
    "verdict",
    "note",
)
REMOTE_COLUMNS = (*COLUMNS, "link")
_STATE_COLOURS = {
    "done": "green",
    "succeeded": "green",
    "canceled": "red",
    "failed": "red",
    "interrupted": "red",
    "damaged": "red",
    "running": "yellow",
}


def collect(runs_dir: Path) -> pd.DataFrame:
    """One row per run under `runs_dir`, newest first; unfinished and damaged runs are rows too.

    A run folder holds ``run.json`` and, once finished, ``summary.json``. Accuracies and
    differences are shares; ``level`` is real training images per class. What is unknown is missing.
    """
    folders = [item for item in sorted(runs_dir.glob("*")) if _is_run(item)]
    frame = pd.DataFrame([_row(folder) for folder in folders], columns=list(COLUMNS))
    # Undated runs come last; of equal dates the later id comes first.
    return frame.iloc[::-1].sort_values("date", ascending=False, kind="stable", ignore_index=True)


def rows_of(folders: Sequence[Path]) -> pd.DataFrame:
    """A row for each of these runs, in their order, linked to its report beside them."""
    rows = [{**_row(folder), "link": f"../{folder.name}/report.html"} for folder in folders]
    return pd.DataFrame(rows, columns=list(REMOTE_COLUMNS))


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write the table so that a reader sees either the old file or the whole new one."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(frame.columns)
    for row in frame.itertuples(index=False):
        writer.writerow(["" if _missing(value) else outlets.cell(value) for value in row])
    replace_text(path, buffer.getvalue())


def write_html(
    frame: pd.DataFrame,
    path: Path,
    curves: Sequence[levels.Curve] = (),
    title: str = "Runs",
    order: str = "newest first",
) -> None:
    """Write the table, and learning curves, as one self-contained page; whole or not at all.

    Args:
        frame: the rows.
        path: of the page.
        curves: shown below the table.
        title: of the page.
        order: what the page says of the order of the rows.
    """
    shown = [
        {
            "title": curve.title,
            "image": levels.svg(curve),
            "rows": levels.rows(curve),
            "levels": curve.levels,
            "worth": levels.worth_rows(curve),
            "sentences": levels.worth_sentences(curve),
            "wide": curve.learning.basis == "summaries",
        }
        for curve in curves
    ]
    context = {"rows": _display(frame), "curves": shown, "title": title, "order": order}
    context["margin"] = margin_text(curves[0].margin) if curves else ""
    replace_text(path, environment().get_template("overview.html.j2").render(context))


def render_table(frame: pd.DataFrame) -> Table:
    """The table for a terminal."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading, align in (
        ("run", "left"),
        ("date", "left"),
        ("pipeline", "left"),
        ("state", "left"),
        ("took", "right"),
        ("level", "right"),
        ("real", "right"),
        ("best arm", "left"),
        ("minus real, points", "right"),
        ("verdict", "left"),
        ("user", "left"),
        ("note", "left"),
    ):
        table.add_column(heading, justify="right" if align == "right" else "left")
    linked = "link" in frame.columns
    if linked:
        table.add_column("link", overflow="fold")
    for row in _display(frame):
        table.add_row(
            *(Text(row[key]) for key in ("run", "date", "pipeline")),
            Text(row["state"], style=_STATE_COLOURS.get(row["state"].lower(), "")),
            *(Text(row[key]) for key in ("duration", "level", "real", "best", "difference")),
            Text(row["verdict"], style=COLOURS.get(row["verdict"], "")),
            *(Text(row[key]) for key in ("user", "note", *(["link"] if linked else []))),
        )
    return table


def _is_run(folder: Path) -> bool:
    names = ("run.json", "summary.json")
    return folder.is_dir() and any((folder / name).exists() for name in names)


def frame_of(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows of :func:`row`, in their order, with the columns of runs on a cluster."""
    return pd.DataFrame(list(rows), columns=list(REMOTE_COLUMNS))


def row(
    run: Mapping[str, Any],
    summary: AnySummary | None,
    decision: Retraining | None = None,
    damaged: bool = False,
) -> dict[str, Any]:
    """A row of the table.

    Args:
        run: What run.json holds, or the same of a run elsewhere, with its ``link``.
        summary: what it found, if it has.
        decision: of a retraining, if it is one.
        damaged: whether one of them was there but could not be read.
    """
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {key: run.get(key) for key in ("pipeline", "user", "state", "duration_s", "note")}
    row |= {"id": str(run.get("id")), "date": utc(run.get("started"))}
    row |= {"name": run.get("name"), "link": run.get("link")}
    parameters = run.get("parameters")
    if isinstance(parameters, Mapping):
        row |= {"source": parameters.get("source"), "level": parameters.get("level") or None}
    if decision:
        row["verdict"] = "promoted" if decision.promoted else "held"
    row |= _results(summary) if summary else {}
    if damaged or not row["state"]:
        row["state"] = "damaged" if damaged else "unknown"
    return row


def _row(folder: Path) -> dict[str, Any]:
    run, run_damaged = _load(folder / "run.json")
    summary, decision, damaged = files.load(folder)
    run["id"] = run.get("id") or folder.name
    with contextlib.suppress(OSError, UnicodeDecodeError):
        run["note"] = (folder / NOTE).read_text().rstrip("\n")
    return row(run, summary, decision, run_damaged or damaged)


def _results(found: AnySummary) -> dict[str, Any]:
    best, data = found.headline.arm, found.data
    row = {"source": data.source, "level": data.level, "best_arm": best}
    if isinstance(found, GeneratorSweep):
        return row | {"arms": ", ".join(found.points)}
    row["verdict"] = found.headline.verdict
    if isinstance(found, Sweep):  # base and chosen point alone have seen the test images
        test = found.test
        row |= {"arms": ", ".join(found.points), "best_arm": found.chosen}
        return row | _against(test.base, test.chosen, test.difference)
    row["arms"] = ", ".join(found.arms)
    real = found.arms["real"].metrics
    if best is None:
        return row | {"real_accuracy": real["accuracy"].value}
    return row | _against(real, found.arms[best].metrics, found.differences[best])


def _against(
    reference: Mapping[str, Score], best: Mapping[str, Score], difference: Compared
) -> dict[str, float]:
    return {
        "real_accuracy": reference["accuracy"].value,
        "best_accuracy": best["accuracy"].value,
        "difference": difference.mean,
        "ci_low": difference.low,
        "ci_high": difference.high,
    }


def _load(path: Path) -> tuple[dict[str, Any], bool]:
    """The content of a JSON file and whether it is there but damaged."""
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}, False
    except (OSError, ValueError):
        return {}, True
    return (content, False) if isinstance(content, dict) else ({}, True)


def _missing(value: Any) -> bool:
    return value is None or bool(pd.isna(value))


def _display(frame: pd.DataFrame) -> list[dict[str, str]]:
    """The rows as people read them."""
    return [_texts(row) for row in frame.to_dict("records")]


def _texts(row: Mapping[Any, Any]) -> dict[str, str]:
    known: dict[Any, Any] = {key: "" if _missing(value) else value for key, value in row.items()}
    plain = ("id", "pipeline", "user", "state", "source", "arms", "verdict", "note", "link")
    texts = {key: str(known.get(key, "")) for key in plain}
    # Runs on a cluster have a name that tells what they are, beside the id that tells them apart.
    texts["run"] = f"{texts['id']} {known.get('name') or ''}".strip()
    texts["date"] = str(known["date"])[:16]
    texts["level"] = "" if known["level"] == "" else f"{int(known['level']):,}"
    texts["duration"] = "" if known["duration_s"] == "" else duration(float(known["duration_s"]))
    real, best = known["real_accuracy"], known["best_accuracy"]
    texts["real"] = "" if real == "" else wording.percent(real)
    texts["best"] = known["best_arm"] + ("" if best == "" else f" {wording.percent(best)}")
    if known["difference"] == "":
        texts["difference"] = ""
    else:
        span = f"{points(known['ci_low'])} to {points(known['ci_high'])}"
        texts["difference"] = f"{points(known['difference'])} ({span})"
    return texts
