"""What a KFP component calls: its arguments in, a call of a stage out.

A component's body travels as text inside the compiled pipeline, so it stays a few lines long and
everything worth testing is here. It hands over all that it was called with, artifacts and
parameters; :mod:`augstudy.steps.study` validates the latter.

A failing step ends with the exit code of its error class and its sentence as the last line of its
log, so a pod tells bad input (2), a missing service (3), damaged data (4) and a bug (1) apart. On a
cluster a missing service is waited for first, see :mod:`augstudy.steps.patience`.
"""

import contextlib
import functools
import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from augstudy.core import artifacts, outlets
from augstudy.core.errors import AugstudyError, InputError, of_system
from augstudy.core.redaction import without_secrets
from augstudy.core.telemetry import Stage
from augstudy.data import sets, shares
from augstudy.pages.stability import reason
from augstudy.settings.arms import Arm, spelled
from augstudy.settings.sets import SyntheticSet
from augstudy.steps.parts import SKIPPED, each_part, places
from augstudy.steps.patience import patient
from augstudy.steps.study import Handed, Study, handed
from augstudy.training import checkpoints

_SKIPPED = "Skipped: "
NO_SYNTHETIC = "no arm uses synthetic images"
NO_CHAMPION = "there is no champion yet"
NO_MADE = "no set of synthetic images is made here"
NO_IMPORTED = "no set of synthetic images is imported"

logger = logging.getLogger("augstudy")
Result = TypeVar("Result")
Work = Callable[[Handed, Stage], Result]


@contextlib.contextmanager
def step(name: str, label: str = "") -> Iterator[Stage]:
    """Announce the process of a step and, if it fails, why; then exit with the error's code."""
    me = Stage(name, label)
    with outlets.guarded():
        logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
        logger.setLevel(logging.INFO)
        me.event("launch")
        try:
            yield me
            checkpoints.remove(artifacts.used_up())
            me.event("exit")
        except Exception as error:
            found = error if isinstance(error, AugstudyError) else of_system(error)
            code = found.exit_code if found else 1
            sentence = str(found) if found else f"{type(error).__name__}: {error}"
            trace = without_secrets(traceback.format_exc())  # before a part of it is cut off
            told = {"message": sentence, "traceback": trace[-20_000:]}
            with contextlib.suppress(OSError):  # the log has it, too
                me.event("error", exit_code=code, known=found is not None, **told)
            print(f"{trace}\n{me.title} failed: {sentence}", flush=True)  # noqa: T201
            raise SystemExit(code or 1) from error


def component(
    name: str, label: Callable[[Handed], str] = lambda _: ""
) -> Callable[[Work[Result]], Callable[[Mapping[str, Any]], Result]]:
    """Make a function of what a component was handed the step `name`, with that in its `label`.

    The component calls it with its ``locals()``.
    """

    def decorate(work: Work[Result]) -> Callable[[Mapping[str, Any]], Result]:
        @patient
        @functools.wraps(work)
        def run(arguments: Mapping[str, Any]) -> Result:
            found = handed(arguments)
            with step(name, label(found)) as me:
                return work(found, me)
            raise AssertionError("unreachable: step() never swallows an error")

        return run

    return decorate


def synthetic_wanted(dataset: Path, arms: Sequence[Arm]) -> list[int]:
    """Synthetic images of each class that a study of `arms` needs; empty if no arm uses any.

    Raises:
        InputError: an arm's share comes to no image and it is not optional.
    """
    if all(arm.share is None and not arm.kind.synthetic for arm in arms):
        return []
    from augstudy.data.dataset import class_counts

    real = class_counts(artifacts.read(dataset, "dataset"))
    for arm in arms:
        if (short := shares.shortage(arm, real)) and not arm.optional:
            raise InputError(short)
    return shares.synthetic_wanted(arms, real)


def given(path: str | Path) -> Path | None:
    """`path`, or None if the step that should have filled it was skipped."""
    return None if (Path(path) / SKIPPED).exists() else Path(path)


@component("ingest")
def ingest(found: Handed, _: Stage) -> None:
    """Read, split and publish the dataset of a study.

    With ``refresh`` newer objects of the source are looked for, whatever a cache holds.
    """
    from augstudy.steps.ingest import run

    refresh = bool(found.study.values.get("refresh"))
    run(found.paths["dataset"], found.study.data, refresh=refresh)


@component("train_judge")
@each_part
def train_judge(found: Handed, me: Stage) -> None:
    """Train the judge, unless no arm needs synthetic images."""
    dataset, out, judge = found.paths["dataset"], found.paths["judge"], found.study.judge
    if synthetic_wanted(dataset, found.study.arms):
        from augstudy.steps.train_judge import run

        run(dataset, out, judge)
    else:
        skip(out, me)


@component("import_synthetic")
@each_part
def import_synthetic(found: Handed, me: Stage) -> None:
    """Import the sets of synthetic images that come from outside, unless no arm uses them."""
    from augstudy.steps.import_synthetic import run

    dataset, out, study = found.paths["dataset"], found.paths["imported"], found.study
    chosen = [item for item in study.sets if item.imported and study.used(item)]
    if not chosen or not synthetic_wanted(dataset, study.arms):
        skip(out, me, NO_IMPORTED)
        return
    judge = given(found.paths["judge"])
    for item in chosen:
        run(dataset, sets.place(out, item.set, sets.IMAGES), item, judge, study.copies)


@component("train_gan")
@each_part
def train_gan(found: Handed, me: Stage) -> None:
    """Train the generators of the sets that are made here, unless no arm uses them.

    If one fails, so does the step, or, where ``on_gan_failure`` is ``skip``, all that would use its
    images.
    """
    dataset, out, study = found.paths["dataset"], found.paths["gan"], found.study
    settings = {item.set: study.generator(item) for item in study.sets if not item.imported}
    on_failure, chosen = study.on_gan_failure, _made(study, dataset)
    if not chosen:
        skip(out, me, NO_MADE if synthetic_wanted(dataset, study.arms) else NO_SYNTHETIC)
        return
    from augstudy.steps.train_gan import run

    for item in chosen:
        run(
            dataset,
            sets.place(out, item.set, sets.GAN),
            settings[item.set],
            seed=study.gan_seed,
            judge=given(found.paths["judge"]),
            on_failure=on_failure,
            name=item.set if len(study.sets) > 1 else "",
        )


@component("synthesize")
@each_part
def synthesize(found: Handed, me: Stage) -> None:
    """Make ``synthetic_per_class`` images per class, or as many as the arms need if that is 0."""
    gans, out, study = given(found.paths["gan"]), found.paths["synthetic"], found.study
    if gans is None:
        skip(out, me, why_skipped(found.paths["gan"]))
        return
    from augstudy.steps.synthesize import run

    dataset, judge = found.paths["dataset"], given(found.paths["judge"])
    asked = int(study.values["synthetic_per_class"])
    for item in _made(study, dataset):
        gan, images = sets.place(gans, item.set, sets.GAN), sets.place(out, item.set, sets.IMAGES)
        if reason := why_failed(gan):
            skip(images, me, f"the GAN failed: {reason}")
            continue
        wanted = asked or synthetic_wanted(dataset, study.used(item))
        named = item.set if len(study.sets) > 1 else ""
        run(gan, images, wanted, study.gan_seed, dataset, judge, named, study.copies)


def _made(study: Study, dataset: Path) -> list[SyntheticSet]:
    """The sets that are made here, as far as arms use them."""
    if not synthetic_wanted(dataset, study.arms):
        return []
    return [item for item in study.sets if not item.imported and study.used(item)]


@component("curate")
@each_part
def curate(found: Handed, me: Stage) -> None:
    """Gather all sets, and let a filter judge what the arms with a filter choose from, if any do.

    Real images that are too few for it are not judged if the arms that need it are optional.
    """
    dataset, out, study = found.paths["dataset"], found.paths["gathered"], found.study
    handed = [given(found.paths[name]) for name in ("gan", "synthetic", "imported")]
    sets.gather([path for path in handed if path], out)
    for item in study.sets:
        if not (missing := sets.place(out, item.set, sets.IMAGES)).exists():
            skip(missing, me, _why_none(found.paths["imported" if item.imported else "synthetic"]))
    settings, recipe = study.curation, study.classifier
    filtered = [arm for arm in study.arms if arm.kind.filtered]
    to_judge = {
        item.set: images
        for item in study.sets
        if any(arm.kind.filtered for arm in study.used(item))
        if (images := sets.there(out, item.set, sets.IMAGES))
    }
    of_real = [arm for arm in filtered if not arm.kind.synthetic]
    may_lack = bool(of_real) and all(arm.optional for arm in of_real)
    short = _too_few_to_judge(dataset, settings.folds) if may_lack else ""
    if to_judge or (of_real and not short):
        from augstudy.steps.curate import run

        known: dict[str, Any] = {}
        for name, images in to_judge.items():
            target = sets.place(out, name, sets.FILTER)
            run(dataset, target, settings, recipe, study.gan_seed, images, known=known)
        if of_real and not short:
            target = sets.place(out, sets.REAL, sets.FILTER)
            run(dataset, target, settings, recipe, study.gan_seed, real=True)
    if short:
        skip(sets.place(out, sets.REAL, sets.FILTER), me, short)


def _why_none(path: Path) -> str:
    """Why the step that should have made a set made none."""
    return why_skipped(path) if given(path) is None else NO_SYNTHETIC


def _too_few_to_judge(dataset: Path, folds: int) -> str:
    """Why a filter cannot judge the training images; empty if it can."""
    from augstudy.data.curation import fold_shortage
    from augstudy.data.dataset import load_split

    train = load_split(artifacts.read(dataset, "dataset"), "train")
    return fold_shortage(train.labels, folds)


@component("summarize")
def summarize(found: Handed, _: Stage) -> dict[str, str | float]:
    """Write the report and return what the dashboard shows of it.

    Of an arm that was left out there is a note in the place of its evaluation and of its maps, and
    likewise of what was skipped. Of several draws or folds, the synthetic images of the first are
    described.
    """
    from augstudy.results import files
    from augstudy.results import models as results
    from augstudy.results.study import goes_on
    from augstudy.steps.summarize import run

    at, evaluations = found.paths, found.lists["evaluations"]
    gathered = places({"dataset": at["dataset"], "gathered": at["gathered"]})[0]["gathered"]
    comparing = found.study.comparing
    report = run(
        at["dataset"],
        at["report"],
        [path for path in evaluations if given(path)],
        [path for path in found.lists["cams"] if given(path)],
        sets.parts_of(gathered) if given(gathered) else {},
        found.study.record(),
        left_out={arm_label(path): why_skipped(path) for path in evaluations if not given(path)},
        margin=comparing.equivalence_margin,
        metric=comparing.metric,
        looks=comparing.looks,
    )
    told = files.summary(report.json(files.SUMMARY))
    if isinstance(told, results.Study) and goes_on(told):
        artifacts.used_up()  # the next round takes up what is in the store of checkpoints
    return hand_over(report, at)


def hand_over(report: artifacts.Artifact, outputs: Mapping[str, Path]) -> dict[str, str | float]:
    """Copy what KFP shows of a report, and give the rows of its table of metrics.

    Of a report that are the ``page``, the ``verdict`` and, for readers that cannot query metadata,
    the ``metrics`` once more as a file.
    """
    from augstudy.pages import kfp_metrics
    from augstudy.results import files

    copy(report.file("report.html"), outputs["page"])
    copy(report.file("verdict.md"), outputs["verdict"])
    copy(report.file(files.SUMMARY), outputs["metrics"])
    return kfp_metrics.scalars(files.summary(report.json(files.SUMMARY)))


def arm_label(artifact: str | Path) -> str:
    """The label of the arm that an artifact of a cell belongs to; empty if it cannot be told."""
    try:
        return spelled(json.loads((Path(artifact) / "arm.json").read_bytes())["label"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""


def copy(source: Path, target: Path) -> None:
    """Copy a file to where KFP wants it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())


def why_failed(gan: str | Path) -> str:
    """Why the training of a GAN failed, without the full stop; empty if it did not."""
    stability = artifacts.read(Path(gan), "gan").json("stability.json")
    why = reason(stability).removesuffix(".")
    return why[0].lower() + why[1:] if stability["verdict"] == "failed" else ""


def skip(out: Path, me: Stage, why: str = NO_SYNTHETIC) -> None:
    """Leave a note instead of an artifact: an empty output cannot be told from a lost one."""
    out.mkdir(parents=True, exist_ok=True)
    (out / SKIPPED).write_text(f"{_SKIPPED}{why}.\n", encoding="utf-8")
    me.progress(1, 1, f"skipped: {why}")


def why_skipped(path: str | Path) -> str:
    """Why the step that should have filled `path` was skipped."""
    said = (Path(path) / SKIPPED).read_text(encoding="utf-8")
    return said.removeprefix(_SKIPPED).strip().removesuffix(".")
