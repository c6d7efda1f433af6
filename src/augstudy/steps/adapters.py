"""What a KFP component calls: plain values and paths in, a call of a stage out.

A component's body travels as text inside the compiled pipeline, so it stays a few lines long and
everything worth testing is here. Pipelines carry numbers in lists and dicts as floats; the
settings models turn them back into integers.

A failing step ends with the exit code of its error class and its sentence as the last line of its
log, so a pod tells bad input (2), a missing service (3), damaged data (4) and a bug (1) apart. On a
cluster a missing service is waited for first, see :mod:`augstudy.steps.patience`.
"""

import contextlib
import json
import logging
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from augstudy.core import artifacts, outlets
from augstudy.core.errors import AugstudyError, InputError
from augstudy.core.redaction import without_secrets
from augstudy.core.telemetry import Stage
from augstudy.data import shares
from augstudy.models.recipes import decoded
from augstudy.pages.stability import reason
from augstudy.settings.arms import Arm, spelled
from augstudy.settings.base import parse
from augstudy.settings.data import DataSettings
from augstudy.settings.generators import OnFailure
from augstudy.settings.judging import CurationSettings, JudgeSettings
from augstudy.steps.patience import patient

SKIPPED = "skipped.txt"
_SKIPPED = "Skipped: "
NO_SYNTHETIC = "no arm uses synthetic images"
NO_CHAMPION = "there is no champion yet"
NO_FILTER = "no arm is filtered"

logger = logging.getLogger("augstudy")


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
            me.event("exit")
        except Exception as error:
            known = isinstance(error, AugstudyError)
            code = error.exit_code if isinstance(error, AugstudyError) else 1
            sentence = str(error) if known else f"{type(error).__name__}: {error}"
            trace = without_secrets(traceback.format_exc())  # before a part of it is cut off
            told = {"message": sentence, "traceback": trace[-20_000:]}
            me.event("error", exit_code=code, known=known, **told)
            print(f"{trace}\n{me.title} failed: {sentence}", flush=True)  # noqa: T201
            raise SystemExit(code or 1) from error


def parse_arms(arms: Sequence[Mapping[str, Any]]) -> list[Arm]:
    """Validate the arms of a study.

    Raises:
        InputError: an arm is wrong.
    """
    return [parse(Arm, arm, "an arm") for arm in arms]


def synthetic_wanted(dataset: str, arms: Sequence[Mapping[str, Any]]) -> int:
    """Synthetic images per class that a study of `arms` needs; 0 if no arm uses any.

    Raises:
        InputError: an arm is wrong, or its share comes to no image and it is not optional.
    """
    parsed = parse_arms(arms)
    if all(arm.share is None for arm in parsed):
        return 0
    from augstudy.data.dataset import level_of

    level = level_of(artifacts.read(Path(dataset), "dataset"))
    for arm in parsed:
        if (short := shares.shortage(arm, level)) and not arm.optional:
            raise InputError(short)
    return shares.synthetic_wanted(parsed, level)


def ordered(value: Any) -> Any:
    """`value` with every mapping sorted by name: KFP hands them over in any order."""
    if isinstance(value, Mapping):
        return {name: ordered(value[name]) for name in sorted(value)}
    return [ordered(item) for item in value] if isinstance(value, list) else value


def given(path: str | Path) -> Path | None:
    """`path`, or None if the step that should have filled it was skipped."""
    return None if (Path(path) / SKIPPED).exists() else Path(path)


@patient
def ingest(out: str, values: Mapping[str, Any], refresh: bool = False) -> None:
    """Read, split and publish the dataset that `values` (see DataSettings) describe.

    With `refresh` newer objects of the source are looked for, whatever a cache holds.
    """
    with step("ingest"):
        settings = parse(DataSettings, values, "the data settings")
        from augstudy.steps.ingest import run

        run(Path(out), settings, refresh=refresh)


@patient
def train_judge(
    dataset: str, out: str, settings: Mapping[str, Any], arms: Sequence[Mapping[str, Any]]
) -> None:
    """Train the judge, unless no arm needs synthetic images."""
    with step("train_judge") as me:
        parsed = parse(JudgeSettings, decoded(settings), "the judge's settings")
        if synthetic_wanted(dataset, arms):
            from augstudy.steps.train_judge import run

            run(Path(dataset), Path(out), parsed)
        else:
            skip(out, me)


@patient
def train_gan(
    dataset: str,
    judge: str,
    out: str,
    recipe: str,
    overrides: Mapping[str, Any],
    seed: int,
    arms: Sequence[Mapping[str, Any]],
    on_failure: OnFailure = "stop",
) -> None:
    """Train the GAN `recipe` with `overrides`, unless no arm needs synthetic images.

    If it fails, so does the step, or with `on_failure` ``skip`` all that would use its images.
    """
    with step("train_gan") as me:
        from augstudy.models.gan_recipes import gan_recipe

        settings = gan_recipe(recipe, decoded(overrides))
        if synthetic_wanted(dataset, arms):
            from augstudy.steps.train_gan import run

            whole, eye = Path(dataset), given(judge)
            run(whole, Path(out), settings, seed=seed, judge=eye, on_failure=on_failure)
        else:
            skip(out, me)


@patient
def synthesize(
    inputs: Mapping[str, str],
    out: str,
    per_class: int,
    seed: int,
    arms: Sequence[Mapping[str, Any]],
    level: int,
) -> dict[str, str | float]:
    """Make `per_class` images a class, or as many as the arms need at `level` if that is 0.

    `inputs` are the ``gan``, the ``dataset`` and the ``judge``. Returns the figures of the images
    for the dashboard, see :func:`augstudy.pages.kfp_metrics.synthetic`; none if it was skipped.
    """
    with step("synthesize") as me:
        gan = given(inputs["gan"])
        if gan is None:
            skip(out, me)
        elif reason := why_failed(gan):
            skip(out, me, f"the GAN failed: {reason}")
        else:
            from augstudy.pages import kfp_metrics
            from augstudy.steps.synthesize import run

            wanted = per_class or shares.synthetic_wanted(parse_arms(arms), level)
            dataset, judge = Path(inputs["dataset"]), given(inputs["judge"])
            made = run(gan, Path(out), wanted, seed=seed, dataset=dataset, judge=judge)
            return kfp_metrics.synthetic(made.json("quality.json"))
    return {}


@patient
def curate(
    dataset: str,
    synthetic: str,
    out: str,
    arms: Sequence[Mapping[str, Any]],
    filters: Mapping[str, Any],
    seed: int,
) -> None:
    """Let a filter judge what the arms with a filter choose from, if there are any such arms.

    Real drawings that are too few for it are not judged if the arms that need it are optional.

    Args:
        dataset: The dataset artifact.
        synthetic: Its synthetic images, or what is left where they were skipped.
        out: Where the judgement goes.
        arms: Of the study.
        filters: The ``settings`` of the filter (see CurationSettings), the ``recipe`` of its
            classifier, and the ``overrides`` of that.
        seed: Of the filter.
    """
    with step("curate") as me:
        from augstudy.models.recipes import classifier_recipe

        settings = parse(CurationSettings, decoded(filters["settings"]), "the curation settings")
        recipe = classifier_recipe(filters["recipe"], decoded(filters["overrides"]))
        filtered = [arm for arm in parse_arms(arms) if arm.kind.filtered]
        images = given(synthetic) if any(arm.kind.synthetic for arm in filtered) else None
        of_real = [arm for arm in filtered if not arm.kind.synthetic]
        may_lack = bool(of_real) and all(arm.optional for arm in of_real)
        short = _too_few_to_judge(dataset, settings.folds) if may_lack else ""
        real = bool(of_real) and not short
        if images is None and not real:
            skip(out, me, short or (why_skipped(synthetic) if filtered else NO_FILTER))
        else:
            from augstudy.steps.curate import run

            run(Path(dataset), Path(out), settings, recipe, seed, images, real)


def _too_few_to_judge(dataset: str, folds: int) -> str:
    """Why a filter cannot judge the training drawings; empty if it can."""
    from augstudy.data.curation import fold_shortage
    from augstudy.data.dataset import load_split

    train = load_split(artifacts.read(Path(dataset), "dataset"), "train")
    return fold_shortage(train.labels, folds)


@patient
def summarize(
    dataset: str,
    gan: str,
    synthetic: str,
    curation: str,
    evaluations: Sequence[str],
    cams: Sequence[str],
    study: Mapping[str, Any],
    outputs: Mapping[str, str],
) -> dict[str, float]:
    """Write the report and return the flat metrics, finite numbers only.

    Args:
        dataset: The dataset artifact.
        gan: The GAN, or what is left where it was skipped.
        synthetic: Its images, or what is left where they were skipped.
        curation: What the filter says, or what is left where it was skipped.
        evaluations: One evaluation a cell, or what is left where the arm was left out.
        cams: One CAM artifact a cell, likewise.
        study: The parameters of the pipeline, ``equivalence_margin`` among them.
        outputs: Where the ``report`` folder, the ``html``, the ``verdict`` (Markdown) and the
            ``metrics`` (JSON, for readers that cannot query metadata) go.
    """
    with step("summarize"):
        from augstudy.steps.summarize import run

        report = run(
            Path(dataset),
            Path(outputs["report"]),
            [path for item in evaluations if (path := given(item))],
            [path for item in cams if (path := given(item))],
            given(gan),
            given(synthetic),
            {name: ordered(value) for name, value in study.items()},
            curation=given(curation),
            left_out={
                arm_label(item): why_skipped(item) for item in evaluations if not given(item)
            },
            margin=study["equivalence_margin"],
        )
        return hand_over(report, outputs)
    raise AssertionError("unreachable: step() never swallows an error")


def hand_over(report: artifacts.Artifact, outputs: Mapping[str, str]) -> dict[str, float]:
    """Copy what KFP shows of a report, and give what it keeps as metrics."""
    from augstudy.pages import kfp_metrics
    from augstudy.results import files

    copy(report.file("report.html"), outputs["html"])
    copy(report.file("verdict.md"), outputs["verdict"])
    copy(report.file(files.SUMMARY), outputs["metrics"])
    return kfp_metrics.scalars(files.summary(report.json(files.SUMMARY)))


def arm_label(artifact: str | Path) -> str:
    """The label of the arm that an artifact of a cell belongs to; empty if it cannot be told."""
    try:
        return spelled(json.loads((Path(artifact) / "arm.json").read_text())["label"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""


def copy(source: Path, target: str) -> None:
    """Copy a file to where KFP wants it."""
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    Path(target).write_bytes(source.read_bytes())


def why_failed(gan: str | Path) -> str:
    """Why the training of a GAN failed, without the full stop; empty if it did not."""
    stability = artifacts.read(Path(gan), "gan").json("stability.json")
    why = reason(stability).removesuffix(".")
    return why[0].lower() + why[1:] if stability["verdict"] == "failed" else ""


def skip(out: str, me: Stage, why: str = NO_SYNTHETIC) -> None:
    """Leave a note instead of an artifact: an empty output cannot be told from a lost one."""
    Path(out).mkdir(parents=True, exist_ok=True)
    (Path(out) / SKIPPED).write_text(f"{_SKIPPED}{why}.\n")
    me.progress(1, 1, f"skipped: {why}")


def why_skipped(path: str | Path) -> str:
    """Why the step that should have filled `path` was skipped."""
    return (Path(path) / SKIPPED).read_text().removeprefix(_SKIPPED).strip().removesuffix(".")
