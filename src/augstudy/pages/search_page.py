"""The part of a sweep's page that shows what a search tried."""

from typing import Any

from augstudy.pages import readings, style, wording
from augstudy.pages.answers import readable
from augstudy.pages.figures import search as figures
from augstudy.pages.formats import duration
from augstudy.results.models import Sweep, Value
from augstudy.tuning import sweep as asked
from augstudy.tuning.search import Tried
from augstudy.tuning.sweep import BASE


def section(sweep: asked.Sweep, summary: Sweep) -> dict[str, Any] | None:
    """What the template shows of the search; None where nothing was searched."""
    found = summary.search
    if not found:
        return None
    trials, settings = found.trials, found.settings
    dots = [_dot(item) for item in trials]
    metric = readings.metric(summary.val_metric).text
    return {
        "trials": [_row(item) for item in trials],
        "pruned": found.pruned,
        "startup": settings.startup,
        "prune_after": wording.counted(settings.prune_after, "epoch"),
        "first_seed": summary.seeds[0],
        "progress": figures.progress(dots, f"Validation {metric}, per cent"),
        "curves": figures.curves(dots),
        "values": [
            (axis.title, [_value(item) for item in found.values[axis.name]]) for axis in sweep.axes
        ],
    }


def titles(summary: Sweep) -> dict[str, str]:
    """Short names of the finalists, for figures: combinations of many axes have long ones."""
    trials = summary.search.trials if summary.search else ()
    found = {item.id: item.number for item in reversed(trials)}
    return {name: "base" if name == BASE else f"trial {found[name]}" for name in summary.points}


def _dot(trial: Tried) -> figures.Dot:
    return figures.Dot(
        number=trial.number,
        accuracy=100 * trial.accuracy,
        curve=[100 * value for value in trial.curve],
        pruned=trial.state == "pruned",
        finalist=trial.finalist,
    )


def _row(trial: Tried) -> dict[str, Any]:
    pruned, epochs = trial.state == "pruned", len(trial.curve)
    told = "finalist" if trial.finalist else "complete"
    return {
        "number": trial.number,
        "point": readable(trial.id),
        "accuracy": wording.percent(trial.accuracy),
        "state": f"stopped after epoch {epochs}" if pruned else told,
        "pill": "hurts" if pruned else "helps" if trial.finalist else "",
        "epochs": epochs,
        "cpu": duration(trial.cost.get("cpu_s", 0.0)),
        "colour": style.INK,
    }


def _value(value: Value) -> dict[str, Any]:
    shares = {"median": value.median, "best": value.best}
    shown = {
        name: "" if share is None else wording.percent(share) for name, share in shares.items()
    }
    return value.model_dump() | shown
