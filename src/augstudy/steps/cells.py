"""What the components of a cell call; see :mod:`augstudy.steps.adapters`."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from augstudy.core import artifacts
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import DataError
from augstudy.core.files import write_json
from augstudy.core.telemetry import Stage
from augstudy.data import shares
from augstudy.models.recipes import decoded
from augstudy.settings.arms import Arm, spelled
from augstudy.settings.base import parse
from augstudy.steps.adapters import arm_label, copy, given, skip, step, why_skipped
from augstudy.steps.patience import patient

CELL_THREADS_VARIABLE = "AUGSTUDY_CELL_THREADS"


@patient
def train_cnn(
    inputs: Mapping[str, str],
    out: str,
    arm: Mapping[str, Any],
    seeds: Sequence[float],
    recipe: str,
    overrides: Mapping[str, Any],
) -> None:
    """Train one classifier a seed on the training set of `arm`.

    The arm is left out of the study where what it is made of was skipped, and, if it is optional,
    where there are too few drawings for it.

    Args:
        inputs: The ``dataset``, and, unless no arm needs them, ``synthetic`` and ``curation``.
        out: Where the classifiers go.
        arm: See Arm.
        seeds: The repetitions.
        recipe: Of the classifier.
        overrides: Settings on top of the recipe's.
    """
    parsed = parse(Arm, arm, "an arm")
    with step("train_cnn", parsed.label) as me:
        from augstudy.models.recipes import classifier_recipe

        settings = classifier_recipe(recipe, decoded(overrides))
        share_cores()
        from augstudy.data.dataset import level_of
        from augstudy.steps.train_cnn import run, shortage

        needed = {"synthetic": parsed.kind.synthetic, "curation": parsed.kind.filtered}
        asked = {name: inputs[name] for name, need in needed.items() if need and name in inputs}
        missing = [path for path in asked.values() if given(path) is None]
        dataset = Path(inputs["dataset"])
        if missing:
            level = level_of(artifacts.read(dataset, "dataset"))
            too_small = _about(parsed, shares.shortage(parsed, level))
            _leave_out(out, parsed, me, too_small or why_skipped(missing[0]))
            return
        images = {name: Path(path) for name, path in asked.items()}
        if parsed.optional and (short := shortage(dataset, parsed, **images)):
            _leave_out(out, parsed, me, _about(parsed, short))
        else:
            whole = [int(seed) for seed in seeds]
            run(dataset, Path(out), parsed, whole, settings, **images)


def _about(arm: Arm, sentence: str) -> str:
    """What a sentence says of `arm`, as a clause."""
    return sentence.replace(f"Arm {arm.label!r}", "it").removesuffix(".")


def _leave_out(out: str, arm: Arm, me: Stage, why: str) -> None:
    """Skip the cell of `arm`; the steps that follow find in its place whose it was, and why."""
    skip(out, me, why)
    write_json(Path(out) / "arm.json", arm.record())


def _pass_on(made: str, out: str, me: Stage) -> None:
    """Skip a step because the one before it was skipped, for the same reason."""
    skip(out, me, why_skipped(made))
    if (described := Path(made) / "arm.json").exists():
        shutil.copyfile(described, Path(out) / "arm.json")


@patient
def evaluate(
    dataset: str, classifier: str, out: str, metrics: str, label: str = "", gan: str = ""
) -> dict[str, Any]:
    """Evaluate the classifiers of a cell on the test split, if there are any.

    Args:
        dataset: The dataset artifact.
        classifier: The classifiers of the cell, or what is left where there were none.
        out: Where the evaluation goes.
        metrics: Where metrics.json goes once more, for readers that cannot query metadata.
        label: How the step is shown; by default like the arm.
        gan: Whose discriminator to evaluate as a classifier, beside the arm `real`.

    Returns:
        For the dashboard: ``metrics`` (a flat mapping with arm and level in it), ``title``, and
        ``classes``, ``confusion`` (empty if there are too many classes) and ``roc`` (three lists).
    """
    with step("evaluate", label or arm_label(classifier)) as me:
        if given(classifier) is None:
            _pass_on(classifier, out, me)
            empty: list[float] = []
            return {"metrics": {}, "title": label, "confusion": [], "roc": (empty, empty, empty)}
        share_cores()
        from augstudy.steps.evaluate import run

        beside = given(gan) if gan and arm_label(classifier) == "real" else None
        made = run(Path(dataset), Path(classifier), Path(out), label, beside)
        copy(made.file("metrics.json"), metrics)
        return _for_dashboard(made, Path(dataset), label)
    raise AssertionError("unreachable: step() never swallows an error")


def _for_dashboard(evaluation: Artifact, dataset: Path, label: str = "") -> dict[str, Any]:
    import numpy as np

    from augstudy.data.dataset import level_of
    from augstudy.pages import kfp_metrics

    level = level_of(artifacts.read(dataset, "dataset"))
    name = label or spelled(evaluation.json("arm.json")["label"])
    with np.load(evaluation.file("predictions.npz"), allow_pickle=False) as stored:
        probabilities, labels = stored["probabilities"], stored["labels"]
    return {
        "metrics": kfp_metrics.cell(name, level, evaluation.json("metrics.json")),
        "title": f"{name}, level {level}",
        "classes": evaluation.json("classes.json"),
        "confusion": kfp_metrics.confusion(probabilities, labels),
        "roc": kfp_metrics.roc(probabilities, labels),
    }


@patient
def cam(classifier: str, evaluation: str, out: str) -> None:
    """Draw what the first classifier of a cell looks at."""
    with step("cam", arm_label(classifier)) as me:
        if given(evaluation) is None:
            _pass_on(evaluation, out, me)
            return
        share_cores()
        from augstudy.steps.cam import run

        run(Path(classifier), Path(evaluation), Path(out))


def share_cores() -> None:
    """Take the threads meant for cells, which run side by side, instead of the whole machine."""
    threads = os.environ.get(CELL_THREADS_VARIABLE)
    if threads:
        if not threads.isdigit():
            raise DataError(f"{CELL_THREADS_VARIABLE} is {threads!r}: it must be a whole number.")
        os.environ["AUGSTUDY_THREADS"] = threads
        from augstudy.models.backend import fix_threads

        fix_threads()  # it may have been imported before, see augstudy.local.warm
