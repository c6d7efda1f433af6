"""What the components of the pipeline ``retrain`` call; see :mod:`augstudy.steps.adapters`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from augstudy.settings.base import parse
from augstudy.settings.comparing import RetrainSettings
from augstudy.steps.adapters import NO_CHAMPION, copy, given, skip, step
from augstudy.steps.patience import patient


@patient
def validate(
    dataset: str, champion: str, reference: str, store: str, limits: Mapping[str, Any]
) -> None:
    """Fetch the champion from `store` and hold the dataset beside its own."""
    with step("validate") as me:
        settings = parse(RetrainSettings, limits, "the limits")
        from augstudy.steps.validate import run

        made = run(Path(dataset), store, Path(champion), Path(reference), settings)
        if made.json("reference.json")["champion"] is None:
            skip(champion, me, NO_CHAMPION)


@patient
def promote(
    reference: str,
    classifier: str,
    evaluations: Mapping[str, str],
    store: str,
    rule: Mapping[str, Any],
    outputs: Mapping[str, str],
) -> dict[str, float]:
    """Compare the classifier with the champion, promote or hold, and return the flat metrics.

    Args:
        reference: What ``validate`` left.
        classifier: The challenger.
        evaluations: Of the ``challenger`` and of the ``champion``.
        store: Where the champions are.
        rule: See RetrainSettings.
        outputs: Where the ``decision`` folder, the ``verdict`` (Markdown) and the ``metrics``
            (JSON, for readers that cannot query metadata) go.
    """
    with step("promote"):
        settings = parse(RetrainSettings, rule, "the rule")
        from augstudy.pages import kfp_metrics
        from augstudy.results import files
        from augstudy.steps.promote import run

        decision = run(
            Path(reference),
            Path(classifier),
            Path(evaluations["challenger"]),
            given(evaluations["champion"]),
            store,
            Path(outputs["decision"]),
            settings,
        )
        copy(decision.file("verdict.md"), outputs["verdict"])
        copy(decision.file(files.DECISION), outputs["metrics"])
        return kfp_metrics.flat(files.decision(decision.json(files.DECISION)))
    raise AssertionError("unreachable: step() never swallows an error")
