"""A study in numbers, from its artifacts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from augstudy.core.artifacts import Artifact
from augstudy.core.errors import DataError
from augstudy.data.dataset import class_counts, load_classes, load_split
from augstudy.data.parts import layout_of
from augstudy.metrics.scores import BY_CLASS
from augstudy.results import comparisons, ranking
from augstudy.results.material import ArmResult, Material
from augstudy.results.models import Arm, Grouped, LabelNoise, Study, SyntheticSet, Trusted, Worst
from augstudy.results.parts import Change, Compared, Data, Difference, Headline, Score
from augstudy.results.power import expected
from augstudy.settings.arms import KINDS
from augstudy.stats.balance import balance_of, value_of
from augstudy.stats.codes import SCORES, Verdict
from augstudy.stats.paired import ENDS
from augstudy.stats.units import Units
from augstudy.stats.usual import two_way_bootstrap
from augstudy.stats.verdicts import MARGIN, has_learnt


def summarise(material: Material, margin: float = MARGIN) -> Study:
    """What a study found.

    Args:
        material: the study's artifacts.
        margin: share of the metric below which a difference between arms does not matter.

    Raises:
        DataError: a number is not finite.
    """
    arms, differences = material.arms, comparisons.with_real(material.arms, margin)
    try:
        described = {arm.label: _describe_arm(arm) for arm in arms}
        return Study(
            headline=headline(described, differences),
            metric=arms[0].metric,
            margin=margin,
            study=material.study,
            data=describe_data(material.dataset, test=len(arms[0].labels)),
            seeds=tuple(arms[0].seeds),
            budget=arms[0].training[0]["budget"],
            left_out=material.left_out,
            arms=described,
            differences=differences,
            pairs=tuple(comparisons.between_arms(arms, margin)),
            power=expected(
                len(arms[0].seeds) // arms[0].draws,
                len(arms[0].labels),
                len(differences),
                arms[0].balance,
                arms[0].units.folded,
                arms[0].draws,
            ),
            groups=_describe_groups(arms[0].units),
            label_noise=_label_noise(arms),
            sets={name: _describe_set(material, name) for name in material.sets},
            filtered_real=_kept(material.filter, "curation.json"),
            ranking=tuple(ranking.between_sets(arms, margin)),
            recalls=ranking.recalls(arms, material.classes, margin),
            worst_classes=ranking.worst_classes(arms, material.classes, margin),
            looks=arms[0].looks,
            path=_path(arms, differences, margin),
        )
    except ValidationError as error:
        item = error.errors()[0]
        where = ".".join(map(str, item["loc"]))
        raise DataError(
            f"The results of the study are incomplete ({where}: {item['msg']}): evaluate the arms "
            "again."
        ) from error


def describe_data(dataset: Artifact, **images: int) -> Data:
    """The dataset of a run.

    Args:
        dataset: the artifact, whose training and validation images are counted.
        **images: how many the other splits have.
    """
    manifest, counts = dataset.manifest, class_counts(dataset)
    layout = layout_of(dataset.path)
    known = "data_report.json" in manifest.files
    told = dataset.json("data_report.json").get("suspicions", ()) if known else ()
    return Data(
        hash=dataset.content_hash,
        source=manifest.provenance.get("source", manifest.config.get("source", "unknown")),
        classes=tuple(load_classes(dataset)),
        level=max(counts),
        images={"train": sum(counts), "val": len(load_split(dataset, "val")), **images},
        suspicions=tuple(told),
        folds=layout.folds if layout.folds > 1 else 0,
        draws=layout.draws,
    )


def headline(arms: Mapping[str, Arm], differences: Mapping[str, Difference]) -> Headline:
    """Which arm the answer is about, and the verdict on it.

    Of those that answer the question it is the best of those that help, or the best of all if none
    does.
    """
    best = max(
        asked(arms, differences),
        key=lambda label: (differences[label].verdict == "helps", differences[label].mean),
        default=None,
    )
    return Headline(arm=best, verdict=differences[best].verdict if best else None)


def asked(arms: Mapping[str, Arm], differences: Mapping[str, Difference]) -> list[str]:
    """The labels of the arms whose verdicts answer the question of a study.

    They are the synthetic ones (controls apart); without any, the others.
    """
    kinds = {label: KINDS.get(arms[label].arm) for label in differences}
    judged = [label for label, kind in kinds.items() if kind and kind.answers]
    return judged or [label for label, kind in kinds.items() if not (kind and kind.control)]


def undecided(found: Study) -> list[str]:
    """Those of them that have no verdict yet."""
    return _judged(found, "can't tell yet")


def guessing(found: Study) -> list[str]:
    """Those of them that get no verdict, as a classifier does no better than guessing."""
    return _judged(found, "at chance")


def _judged(found: Study, verdict: Verdict) -> list[str]:
    labels = asked(found.arms, found.differences)
    return [label for label in labels if found.differences[label].verdict == verdict]


def goes_on(found: Study) -> bool:
    """Whether a study that stops by itself has another round of seeds before it."""
    more = bool(found.looks) and found.seeds_each < found.looks[-1]
    return more and bool(undecided(found))


def _path(
    arms: Sequence[ArmResult], differences: Mapping[str, Difference], margin: float
) -> dict[str, tuple[Compared, ...]]:
    """The differences to `real` at each look so far, by label."""
    seeds = len(arms[0].seeds) // arms[0].draws
    past = [
        comparisons.with_real([arm.after(look) for arm in arms], margin)
        for look in arms[0].looks
        if look < seeds
    ]
    if not arms[0].looks:
        return {}
    steps = [*past, differences]
    return {label: tuple(step[label].alone for step in steps) for label in differences}


def _describe_arm(arm: ArmResult) -> Arm:
    return Arm(
        arm=arm.arm,
        share=arm.share,
        name=arm.name,
        set=arm.set,
        seeds=tuple(arm.seeds),
        training_images=round(arm.mean_of("images")),
        steps=round(arm.mean_of("steps")),
        train_accuracy=arm.mean_of("train_accuracy"),
        val_accuracy=arm.mean_of("val_accuracy"),
        parameters=round(arm.mean_of("parameters")),
        metrics=_scores(arm),
        worst=_worst(arm.metrics["per_class"]),
        learnt=has_learnt(arm.correct, arm.labels, arm.groups),
    )


def _scores(arm: ArmResult) -> dict[str, Score]:
    """Its scores; of images in groups, the intervals of accuracies are about other groups."""
    scores = dict(arm.scores)
    if arm.groups is None:
        return scores
    nothing = np.zeros_like(arm.correct)
    for metric, name in SCORES.items():
        if (score := scores.get(name)) is None:
            continue
        draws = two_way_bootstrap(
            arm.correct,
            nothing,
            balance=balance_of(metric, arm.labels),
            groups=arm.groups,
            draws=arm.draw,
        )
        low, high = np.quantile(draws, ENDS)
        ends = {"low": max(0.0, min(score.low, low)), "high": min(1.0, max(score.high, high))}
        scores[name] = score.model_copy(update=ends)
    return scores


def _describe_groups(units: Units) -> Grouped | None:
    return None if units.groups is None else Grouped(count=units.count, effective=units.effective)


def _describe_set(material: Material, name: str) -> SyntheticSet:
    parts = material.sets[name]
    return SyntheticSet(
        source=parts.images.manifest.provenance.get("source") if parts.images else None,
        stability=_kept(parts.gan, "stability.json"),
        quality=_kept(parts.images, "quality.json"),
        copies=_if_there(parts.images, "copies.json"),
        filtered=_kept(parts.filter, "curation.json"),
        discriminator=material.discriminator(name),
    )


def _worst(per_class: Mapping[str, Mapping[str, Any]]) -> Worst | None:
    """The class with the lowest recall, among those that have test images."""
    tested = [label for label, scores in per_class.items() if scores["support"]]
    label = min(tested, key=lambda name: per_class[name]["recall"]["value"], default=None)
    if label is None:
        return None
    return Worst(label=label, **{name: per_class[label][name] for name in BY_CLASS})


def _label_noise(arms: Sequence[ArmResult]) -> LabelNoise:
    """The metric of every arm on all test images and on those whose labels `real` believes.

    Doubtful are the images that confident learning finds in the mean predictions of the arm `real`
    (see :func:`augstudy.metrics.label_noise.find_label_noise`).
    """
    with np.load(arms[0].artifact.file("label_noise.npz"), allow_pickle=False) as stored:
        suspicious, noise = stored["suspicious"], float(stored["noise"])
    left = ~suspicious
    return LabelNoise(
        suspicious=int(suspicious.sum()),
        left=int(left.sum()),
        estimated_noise=noise,
        arms={arm.label: _trusted(arm, arms, left) for arm in arms},
    )


def _trusted(arm: ArmResult, arms: Sequence[ArmResult], left: NDArray[np.bool_]) -> Trusted:
    every = arm.value
    if not left.any():
        return Trusted(all=every)
    balance = balance_of(arm.metric, arm.labels[left])
    believed, change = value_of(arm.correct[:, left], balance), None
    if arm is not arms[0]:
        found = comparisons.difference(arm, arms[0], arms, left)
        change = Change(mean=found.mean, low=found.low, high=found.high)
    return Trusted(all=every, left=believed, left_minus_real=change)


def _if_there(artifact: Artifact | None, name: str) -> Any:
    return _kept(artifact if artifact and name in artifact.manifest.files else None, name)


def _kept(artifact: Artifact | None, name: str) -> Any:
    return artifact.json(name) if artifact else None
