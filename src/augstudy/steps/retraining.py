"""What the components of the pipeline ``retrain`` call; see :mod:`augstudy.steps.adapters`."""

from collections.abc import Mapping
from typing import Any

from augstudy.steps.adapters import NO_CHAMPION, copy, given, skip, step
from augstudy.steps.patience import patient
from augstudy.steps.study import handed


@patient
def validate(arguments: Mapping[str, Any]) -> None:
    """Fetch the champion from the ``store`` and hold the dataset beside its own."""
    with step("validate") as me:
        found = handed(arguments)
        from augstudy.steps.validate import run

        at, store = found.paths, found.study.values["store"]
        made = run(at["dataset"], store, at["champion"], at["reference"], found.study.rule)
        if made.json("reference.json")["champion"] is None:
            skip(at["champion"], me, NO_CHAMPION)


@patient
def promote(arguments: Mapping[str, Any]) -> dict[str, float]:
    """Compare the new classifier with the champion of the ``store``, and promote or hold.

    Returns the flat metrics; they are once more in a file, for readers that cannot query metadata.
    """
    with step("promote"):
        found = handed(arguments)
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
        return kfp_metrics.flat(files.decision(decision.json(files.DECISION)))
    raise AssertionError("unreachable: step() never swallows an error")
