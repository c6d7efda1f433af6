"""What the components of a cell call; see :mod:`augstudy.steps.adapters`."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from augstudy.core import artifacts
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import DataError
from augstudy.core.files import write_json
from augstudy.core.telemetry import Stage
from augstudy.data import sets, shares
from augstudy.data.parts import layout_of
from augstudy.settings.arms import Arm, spelled
from augstudy.steps.adapters import arm_label, component, given, skip, why_skipped
from augstudy.steps.parts import in_turn, places
from augstudy.steps.study import Handed

CELL_THREADS_VARIABLE = "AUGSTUDY_CELL_THREADS"


@component("train_cnn", lambda found: found.study.arm.label)
def train_cnn(found: Handed, me: Stage) -> None:
    """Train one classifier per seed on the training set of an arm.

    The arm is left out of the study where what it is made of was skipped, and, if it is optional,
    where there are too few images for it. ``gathered`` sets may be missing where no
    arm needs them.
    """
    arm, out = found.study.arm, found.paths["classifier"]
    settings = found.study.classifier
    share_cores()
    if why := next(filter(None, (_why_not(arm, at) for at in places(found.paths))), ""):
        _leave_out(out, arm, me, why)
        return
    from augstudy.steps.train_cnn import run

    def train(own: Handed) -> None:
        at, seeds = own.paths, own.study.seeds
        run(at["dataset"], at["classifier"], arm, seeds, settings, **_images(arm, at))

    in_turn(found, train)
    if not (out / artifacts.MANIFEST).exists():  # with several parts an artifact each
        write_json(out / "arm.json", arm.record())


def _why_not(arm: Arm, at: dict[str, Path]) -> str:
    """Why a cell has to do without its arm; empty if it need not."""
    from augstudy.data.dataset import class_counts
    from augstudy.steps.train_cnn import shortage

    images = _images(arm, at)
    if missing := [path for path in images.values() if given(path) is None]:
        real = class_counts(artifacts.read(at["dataset"], "dataset"))
        too_small = _about(arm, shares.shortage(arm, real))
        return too_small or why_skipped(missing[0])
    short = shortage(at["dataset"], arm, **images) if arm.optional else None
    return _about(arm, short or "")


def _images(arm: Arm, at: dict[str, Path]) -> dict[str, Path]:
    """Where what an arm needs beside real images is."""
    return _parts(arm, at["gathered"]) if "gathered" in at else {}


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
    classifier, out, within = at["classifier"], at["evaluation"], places(at)
    if given(classifier) is None:
        for target in (out, at["maps"]):
            _pass_on(classifier, target, me)
        empty: list[float] = []
        return {"title": label, "confusion": [], "roc": (empty, empty, empty)}
    share_cores()
    from augstudy.steps.evaluate import run

    classifiers = [place["classifier"] for place in within]
    gans = _gans(within) if arm_label(classifier) == "real" else {}
    rounds = bool(found.study.comparing.looks)
    made = run(at["dataset"], classifiers, out, label, gans, keep=rounds)
    if found.study.values.get("explain"):
        from augstudy.steps import cam

        cam.run(classifiers[: layout_of(at["dataset"]).folds], out, at["maps"])
    if rounds:  # the last step knows whether there will be another one
        artifacts.used_up()
    return _for_dashboard(made, at["dataset"], label)


def _gans(within: Sequence[dict[str, Path]]) -> dict[str, list[Path]]:
    """The generators of each set by name, one per part, as far as every part has one."""
    gathered = [given(place["gathered"]) for place in within if "gathered" in place]
    found = [sets.all_of(folder, sets.GAN) if folder else {} for folder in gathered]
    names = [name for name in found[0] if all(name in of for of in found)] if found else []
    return {name: [of[name] for of in found] for name in names}


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
