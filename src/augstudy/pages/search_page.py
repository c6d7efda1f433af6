"""The part of a sweep's page that shows what a search tried."""

from collections.abc import Mapping
from typing import Any

from augstudy.core.formats import duration
from augstudy.pages import style, wording
from augstudy.pages.figures import search as figures
from augstudy.results.sweep import readable
from augstudy.tuning.sweep import BASE, Sweep


def section(sweep: Sweep, summary: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the template shows of the search; None where nothing was searched."""
    found = summary["search"]
    if not found:
        return None
    trials, settings = found["trials"], found["settings"]
    dots = [_dot(item) for item in trials]
    return {
        "trials": [_row(item) for item in trials],
        "pruned": sum(dot.pruned for dot in dots),
        "startup": settings["startup"],
        "prune_after": wording.counted(settings["prune_after"], "epoch"),
        "first_seed": summary["seeds"][0],
        "progress": figures.progress(dots),
        "curves": figures.curves(dots),
        "values": [
            (axis.title, [_value(item) for item in found["values"][axis.name]])
            for axis in sweep.axes
        ],
    }


def titles(summary: Mapping[str, Any]) -> dict[str, str]:
    """Short names of the finalists, for figures: combinations of many axes have long ones."""
    found = {item["id"]: item["number"] for item in reversed(summary["search"]["trials"])}
    return {name: "base" if name == BASE else f"trial {found[name]}" for name in summary["points"]}


def _dot(trial: Mapping[str, Any]) -> figures.Dot:
    return figures.Dot(
        number=trial["number"],
        accuracy=100 * trial["accuracy"],
        curve=[100 * value for value in trial["curve"]],
        pruned=trial["state"] == "pruned",
        finalist=trial["finalist"],
    )


def _row(trial: Mapping[str, Any]) -> dict[str, Any]:
    pruned, epochs = trial["state"] == "pruned", len(trial["curve"])
    told = "finalist" if trial["finalist"] else "complete"
    return {
        "number": trial["number"],
        "point": readable(trial["id"]),
        "accuracy": wording.percent(trial["accuracy"]),
        "state": f"cut short after epoch {epochs}" if pruned else told,
        "pill": "hurts" if pruned else "helps" if trial["finalist"] else "",
        "epochs": epochs,
        "cpu": duration(trial["cost"].get("cpu_s", 0.0)),
        "colour": style.INK,
    }


def _value(value: Mapping[str, Any]) -> dict[str, Any]:
    shown = {
        name: "" if value[name] is None else wording.percent(value[name])
        for name in ("median", "best")
    }
    return {**value, **shown}
