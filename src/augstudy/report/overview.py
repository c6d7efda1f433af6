"""The experiment tracker: one table over all runs of a folder, newest first."""

import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pandas as pd
from rich.table import Table
from rich.text import Text

from augstudy.files import replace_text
from augstudy.metrics.statistics import points
from augstudy.report import wording
from augstudy.report.html import environment

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
_VERDICT_COLOURS = {"helps": "green", "hurts": "red"}
_STATE_COLOURS = {
    "done": "green",
    "failed": "red",
    "interrupted": "red",
    "damaged": "red",
    "running": "yellow",
}


def collect(runs_dir: Path) -> pd.DataFrame:
    """One row a run under `runs_dir`, newest first; unfinished and damaged runs are rows too.

    A run folder holds ``run.json`` and, once finished, ``summary.json``. Accuracies and
    differences are shares; ``level`` is real training images a class. What is unknown is missing.
    """
    folders = [item for item in sorted(runs_dir.glob("*")) if _is_run(item)]
    frame = pd.DataFrame([_row(folder) for folder in folders], columns=list(COLUMNS))
    # Undated runs come last; of equal dates the later id comes first.
    return frame.iloc[::-1].sort_values("date", ascending=False, kind="stable", ignore_index=True)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write the table so that a reader sees either the old file or the whole new one."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(frame.columns)
    for row in frame.itertuples(index=False):
        writer.writerow(["" if _missing(value) else _harmless(value) for value in row])
    replace_text(path, buffer.getvalue())


def write_html(frame: pd.DataFrame, path: Path) -> None:
    """Write the table as one self-contained page; written whole or not at all."""
    page = environment().get_template("overview.html.j2").render(rows=_display(frame))
    replace_text(path, page)


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
    for row in _display(frame):
        table.add_row(
            *(Text(row[key]) for key in ("id", "date", "pipeline")),
            Text(row["state"], style=_STATE_COLOURS.get(row["state"].lower(), "")),
            *(Text(row[key]) for key in ("duration", "level", "real", "best", "difference")),
            Text(row["verdict"], style=_VERDICT_COLOURS.get(row["verdict"], "")),
            *(Text(row[key]) for key in ("user", "note")),
        )
    return table


def _is_run(folder: Path) -> bool:
    names = ("run.json", "summary.json")
    return folder.is_dir() and any((folder / name).exists() for name in names)


def _row(folder: Path) -> dict[str, Any]:
    run, run_damaged = _load(folder / "run.json")
    summary, summary_damaged = _load(folder / "summary.json")
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {key: run.get(key) for key in ("pipeline", "user", "state", "duration_s", "note")}
    row |= {"id": str(run.get("id") or folder.name), "date": _date(run.get("started"))}
    parameters = run.get("parameters")
    if isinstance(parameters, Mapping):
        row |= {"source": parameters.get("source"), "level": parameters.get("level") or None}
    decision, _ = _load(folder / "decision.json")
    if decision:
        row["verdict"] = "promoted" if decision.get("promoted") else "held"
    try:
        row |= _results(summary) if summary else {}
    except (KeyError, TypeError, AttributeError):
        summary_damaged = True
    if run_damaged or summary_damaged or not row["state"]:
        row["state"] = "damaged" if run_damaged or summary_damaged else "unknown"
    return row


def _results(summary: Mapping[str, Any]) -> dict[str, Any]:
    arms, head, data = summary["arms"], summary["headline"], summary["data"]
    best = head["arm"]
    found = summary["differences"][best] if best else {}
    return {
        "source": data["source"],
        "level": data["level"],
        "arms": ", ".join(arms),
        "best_arm": best,
        "real_accuracy": arms["real"]["metrics"]["accuracy"]["value"],
        "best_accuracy": arms[best]["metrics"]["accuracy"]["value"] if best else None,
        "difference": found.get("mean"),
        "ci_low": found.get("low"),
        "ci_high": found.get("high"),
        "verdict": head["verdict"],
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


def _date(value: Any) -> str | None:
    """A start time (ISO text or seconds since 1970) as sortable UTC text."""
    try:
        if isinstance(value, int | float):
            moment = datetime.fromtimestamp(value, timezone.utc)
        else:
            moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        return None
    moment = moment.replace(tzinfo=moment.tzinfo or timezone.utc)
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def _missing(value: Any) -> bool:
    return value is None or bool(pd.isna(value))


def _harmless(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula is quoted."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def _display(frame: pd.DataFrame) -> list[dict[str, str]]:
    """The rows as people read them."""
    return [_texts(row) for row in frame.to_dict("records")]


def _texts(row: Mapping[Any, Any]) -> dict[str, str]:
    known: dict[Any, Any] = {key: "" if _missing(value) else value for key, value in row.items()}
    plain = ("id", "pipeline", "user", "state", "source", "arms", "verdict", "note")
    texts = {key: str(known[key]) for key in plain}
    texts["date"] = str(known["date"])[:16]
    texts["level"] = "" if known["level"] == "" else f"{int(known['level']):,}"
    texts["duration"] = "" if known["duration_s"] == "" else _duration(float(known["duration_s"]))
    real, best = known["real_accuracy"], known["best_accuracy"]
    texts["real"] = "" if real == "" else wording.percent(real)
    texts["best"] = known["best_arm"] + ("" if best == "" else f" {wording.percent(best)}")
    if known["difference"] == "":
        texts["difference"] = ""
    else:
        span = f"{points(known['ci_low'])} to {points(known['ci_high'])}"
        texts["difference"] = f"{points(known['difference'])} ({span})"
    return texts


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
