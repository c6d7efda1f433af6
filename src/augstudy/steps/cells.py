"""What the components of a cell call; see :mod:`augstudy.steps.adapters`."""

import os
import shutil
from pathlib import Path
from typing import Any

from augstudy.core import artifacts
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import DataError
from augstudy.core.files import write_json
from augstudy.core.telemetry import Stage
from augstudy.data import sets, shares
from augstudy.settings.arms import Arm, spelled
from augstudy.steps.adapters import arm_label, component, given, skip, why_skipped
from augstudy.steps.study import Handed

CELL_THREADS_VARIABLE = "AUGSTUDY_CELL_THREADS"


@component("train_cnn", lambda found: found.study.arm.label)
def train_cnn(found: Handed, me: Stage) -> None:
    """Train one classifier per seed on the training set of an arm.

    The arm is left out of the study where what it is made of was skipped, and, if it is optional,
    where there are too few images for it. ``gathered`` sets may be missing where no
    arm needs them.
    """
    arm, at = found.study.arm, found.paths
    settings = found.study.classifier
    share_cores()
    from augstudy.data.dataset import class_counts
    from augstudy.steps.train_cnn import run, shortage

    images = _parts(arm, at["gathered"]) if "gathered" in at else {}
    missing = [path for path in images.values() if given(path) is None]
    dataset, out = at["dataset"], at["classifier"]
    if missing:
        real = class_counts(artifacts.read(dataset, "dataset"))
        too_small = _about(arm, shares.shortage(arm, real))
        _leave_out(out, arm, me, too_small or why_skipped(missing[0]))
    elif arm.optional and (short := shortage(dataset, arm, **images)):
        _leave_out(out, arm, me, _about(arm, short))
    else:
        run(dataset, out, arm, found.study.seeds, settings, **images)


def _parts(arm: Arm, folder: Path) -> dict[str, Path]:
    """What an arm needs of the gathered sets: ``synthetic`` images and the filter's ``curation``.

    Where nothing was gathered, that is the note that says why.
    """
    needed = {"synthetic": arm.kind.synthetic, "curation": arm.kind.filtered}
    if given(folder) is None:
        return {name: folder for name, need in needed.items() if need}
    own = sets.chosen(folder, arm.set) if arm.kind.synthetic else sets.REAL
    parts = {"synthetic": sets.IMAGES, "curation": sets.FILTER}
    return {name: sets.place(folder, own, parts[name]) for name, need in needed.items() if need}


def _about(arm: Arm, sentence: str) -> str:
    """What a sentence says of `arm`, as a clause."""
    return sentence.replace(f"Arm {arm.label!r}", "it").removesuffix(".")


def _leave_out(out: Path, arm: Arm, me: Stage, why: str) -> None:
    """Skip the cell of `arm`; the steps that follow find in its place whose it was, and why."""
    skip(out, me, why)
    write_json(out / "arm.json", arm.record())


def _pass_on(made: Path, out: Path, me: Stage) -> None:
    """Skip a step because the one before it was skipped, for the same reason."""
    skip(out, me, why_skipped(made))
    if (described := made / "arm.json").exists():
        shutil.copyfile(described, out / "arm.json")


def _shown(found: Handed) -> str:
    """What tells an evaluation from others: its ``label``, or else its arm."""
    return str(found.study.values.get("label") or arm_label(found.paths["classifier"]))


@component("evaluate", _shown)
def evaluate(found: Handed, me: Stage) -> dict[str, Any]:
    """Evaluate the classifiers of a cell on the test split, if there are any.

    A ``label`` shows the step under another name than the arm's. Beside the arm `real` the
    discriminators of the ``gathered`` sets are evaluated as classifiers, if there are any. To
    ``explain`` is to draw what the first classifier looks at as well.

    Returns:
        For the dashboard: ``title``, ``classes``, ``confusion`` (empty if there are too many
        classes) and ``roc`` (three lists).
    """
    at, label = found.paths, str(found.study.values.get("label", ""))
    classifier, out = at["classifier"], at["evaluation"]
    if given(classifier) is None:
        for target in (out, at["maps"]):
            _pass_on(classifier, target, me)
        empty: list[float] = []
        return {"title": label, "confusion": [], "roc": (empty, empty, empty)}
    share_cores()
    from augstudy.steps.evaluate import run

    gathered = (
        given(at["gathered"]) if "gathered" in at and arm_label(classifier) == "real" else None
    )
    gans = sets.all_of(gathered, sets.GAN) if gathered else {}
    made = run(at["dataset"], classifier, out, label, gans)
    if found.study.values.get("explain"):
        from augstudy.steps import cam

        cam.run(classifier, out, at["maps"])
    return _for_dashboard(made, at["dataset"], label)


def _for_dashboard(evaluation: Artifact, dataset: Path, label: str = "") -> dict[str, Any]:
    import numpy as np

    from augstudy.data.dataset import level_of
    from augstudy.pages import kfp_metrics

    level = level_of(artifacts.read(dataset, "dataset"))
    name = label or spelled(evaluation.json("arm.json")["label"])
    with np.load(evaluation.file("predictions.npz"), allow_pickle=False) as stored:
        probabilities, labels = stored["probabilities"], stored["labels"]
    return {
        "title": f"{name}, level {level}",
        "classes": evaluation.json("classes.json"),
        "confusion": kfp_metrics.confusion(probabilities, labels),
        "roc": kfp_metrics.roc(probabilities, labels),
    }


def share_cores() -> None:
    """Take the threads meant for cells, which run side by side, instead of the whole machine."""
    threads = os.environ.get(CELL_THREADS_VARIABLE)
    if threads:
        if not threads.isdigit():
            raise DataError(f"{CELL_THREADS_VARIABLE} is {threads!r}: it must be a whole number.")
        os.environ["AUGSTUDY_THREADS"] = threads
        from augstudy.models.backend import fix_threads

        fix_threads()  # it may have been imported before, see augstudy.local.warm
