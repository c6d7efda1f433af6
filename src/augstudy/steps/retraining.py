"""What the components of the pipeline ``retrain`` call; see :mod:`augstudy.steps.adapters`."""

from augstudy.core.telemetry import Stage
from augstudy.steps.adapters import NO_CHAMPION, component, copy, given, skip
from augstudy.steps.study import Handed


@component("validate")
def validate(found: Handed, me: Stage) -> None:
    """Fetch the champion from the ``store`` and hold the dataset beside its own."""
    from augstudy.steps.validate import run

    at, store = found.paths, found.study.values["store"]
    made = run(at["dataset"], store, at["champion"], at["reference"], found.study.rule)
    if made.json("reference.json")["champion"] is None:
        skip(at["champion"], me, NO_CHAMPION)


@component("promote")
def promote(found: Handed, _: Stage) -> dict[str, str | float]:
    """Compare the new classifier with the champion of the ``store``, and promote or hold.

    Returns what the dashboard shows of it; all of it is once more in a file, for readers that
    cannot query metadata.
    """
    from augstudy.pages import kfp_metrics
    from augstudy.results import files
    from augstudy.steps.promote import run

    at = found.paths
    decision = run(
        at["reference"],
        at["classifier"],
        at["challenger"],
        given(at["champion"]),
        found.study.values["store"],
        at["decision"],
        found.study.rule,
    )
    copy(decision.file("verdict.md"), at["verdict"])
    copy(decision.file(files.DECISION), at["metrics"])
    return kfp_metrics.scalars(files.decision(decision.json(files.DECISION)))
