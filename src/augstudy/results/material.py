"""Everything the report is made of, read from the artifacts and checked to belong together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augstudy.core import artifacts
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import InputError
from augstudy.data.dataset import Split, load_classes, load_groups, load_spec, load_split
from augstudy.data.parts import Part, layout_of
from augstudy.results.parts import Score
from augstudy.settings.arms import KINDS, spelled
from augstudy.settings.comparing import AskedMetric
from augstudy.settings.spec import ImageSpec
from augstudy.stats.balance import Balance, balance_of, metric_of, value_of
from augstudy.stats.codes import Metric
from augstudy.stats.units import Units

_KINDS = {"images": "synthetic", "gan": "gan", "filter": "curation"}


@dataclass(frozen=True)
class ArmResult:
    """One arm as evaluated; ``correct`` is (S, N), ``labels`` and ``rows`` (N,).

    ``fold`` (N,) says by the classifiers of which fold an image was tested; None without folds.
    ``draw`` (S,) says which repetition of split and generators a seed belongs to; None where there
    is one. ``groups`` (N,) are equal for images that belong together; None where none do. ``looks``
    are the numbers of seeds, of each draw, after which its study may stop; none if it does not stop
    by itself.
    """

    label: str
    arm: str
    share: float | None
    name: str | None
    metrics: dict[str, Any]
    history: pd.DataFrame
    training: list[dict[str, Any]]
    seeds: list[int]
    correct: NDArray[np.bool_]
    labels: NDArray[np.int32]
    rows: NDArray[np.int64]
    artifact: Artifact
    metric: Metric = "accuracy"
    set: str | None = None
    fold: NDArray[np.int16] | None = None
    groups: NDArray[np.int64] | None = None
    looks: tuple[int, ...] = ()
    draw: NDArray[np.int16] | None = None

    @property
    def draws(self) -> int:
        """Repetitions of split and generators."""
        return 1 if self.draw is None else len(np.unique(self.draw))

    @property
    def units(self) -> Units:
        """How its test images were drawn and tested."""
        return Units.of(len(self.labels), self.balance, self.groups, self.fold)

    @property
    def balance(self) -> Balance:
        """What its metric needs to know of the test images."""
        return balance_of(self.metric, self.labels)

    @property
    def value(self) -> float:
        """Its metric on the test images, the mean over seeds."""
        return value_of(self.correct, self.balance)

    @cached_property
    def scores(self) -> dict[str, Score]:
        """On the test images, by name; a run that is older than a score has none."""
        return {name: Score(**found) for name, found in self.metrics["metrics"].items()}

    def after(self, seeds: int) -> "ArmResult":
        """The same with the first seeds of each draw alone, as it was compared after so many."""
        each = len(self.seeds) // self.draws
        kept = np.arange(len(self.seeds)) % each < seeds
        return replace(
            self,
            seeds=[seed for seed, keeps in zip(self.seeds, kept, strict=True) if keeps],
            correct=self.correct[kept],
            draw=None if self.draw is None else self.draw[kept],
        )

    def mean_of(self, key: str) -> float:
        """Mean over seeds of a number in training.json, such as ``train_accuracy``."""
        return float(np.mean([record[key] for record in self.training]))


@dataclass(frozen=True)
class SetParts:
    """What there is of a set of synthetic images; ``filter`` is what the filter says of it."""

    images: Artifact | None = None
    gan: Artifact | None = None
    filter: Artifact | None = None


@dataclass(frozen=True)
class Material:
    """What one report shows. ``arms`` starts with `real`; ``cams`` is by label, ``sets`` by name.

    ``filter`` is what the filter says of real images.
    """

    dataset: Artifact
    classes: list[str]
    train: Split
    val_images: int
    arms: list[ArmResult]
    cams: dict[str, Artifact]
    sets: dict[str, SetParts]
    filter: Artifact | None
    study: dict[str, Any]
    left_out: dict[str, str]

    @property
    def inputs(self) -> dict[str, Artifact]:
        """The input artifacts by name, for the manifest."""
        named = {"dataset": self.dataset}
        named |= {f"evaluation_{arm.label}": arm.artifact for arm in self.arms}
        named |= {f"cam_{label}": artifact for label, artifact in self.cams.items()}
        optional = {
            f"{part}_{name}": getattr(found, part)
            for name, found in self.sets.items()
            for part in ("gan", "images", "filter")
        }
        optional["filter_real"] = self.filter
        return named | {name: item for name, item in optional.items() if item is not None}

    def discriminator(self, name: str) -> dict[str, Any] | None:
        """Scores of the discriminator of a set as a classifier of the test images, if known."""
        artifact, file = self.arms[0].artifact, f"discriminator-{name}.json"
        if file not in artifact.manifest.files:
            return None
        metrics: dict[str, Any] = artifact.json(file)["metrics"]
        return metrics

    def set_of(self, arm: ArmResult) -> str:
        """The name of the set that an arm uses: the only one, if it names none."""
        return arm.set or next(iter(self.sets), "")

    @cached_property
    def spec(self) -> ImageSpec:
        """What the images are like."""
        return load_spec(self.dataset)

    @property
    def real_counts(self) -> list[int]:
        """Real training images of each class."""
        counts: list[int] = np.bincount(self.train.labels, minlength=len(self.classes)).tolist()
        return counts

    @property
    def level(self) -> int:
        """Real training images per class, at most."""
        return max(self.real_counts)


def gather(
    dataset: Path,
    evaluations: Sequence[Path],
    cams: Sequence[Path],
    made: Mapping[str, Mapping[str, Path]],
    study: Mapping[str, Any],
    left_out: Mapping[str, str],
    metric: AskedMetric = "auto",
    looks: Sequence[int] = (),
) -> Material:
    """Read the artifacts of a study.

    Of the test split it opens nothing but the evaluations and which images belong together.

    ``made`` is, by the name of a set, what there is of it: ``images``, ``gan`` and ``filter``; an
    empty name has what the filter says of real images. ``metric`` is what arms are compared by, and
    ``looks`` are the numbers of seeds after which they are.

    Raises:
        InputError: no evaluation of `real`, an arm twice, or evaluations of different test
            images, classes or datasets.
    """
    data = artifacts.read(dataset, "dataset")
    classes = load_classes(data)
    parts = {
        name: SetParts(**{part: artifacts.read(path, _KINDS[part]) for part, path in found.items()})
        for name, found in made.items()
    }
    arms = sorted((read_arm(path, metric) for path in evaluations), key=place)
    _check(arms, data, classes)
    arms = [replace(arm, looks=tuple(looks)) for arm in in_groups(arms, data)]
    return Material(
        dataset=data,
        classes=classes,
        train=load_split(data, "train"),
        val_images=len(load_split(data, "val")),
        arms=arms,
        cams=_read_cams(cams, classes, [arm.label for arm in arms]),
        filter=parts.pop("", SetParts()).filter,
        sets=parts,
        study=dict(study),
        left_out=dict(left_out),
    )


def read_arm(path: Path, metric: AskedMetric = "auto") -> ArmResult:
    """What an evaluation says of one arm, by the `metric` that is asked for.

    Raises:
        InputError: there is no evaluation at `path`.
        DataError: it is damaged.
    """
    artifact = artifacts.read(path, "evaluation")
    described = artifact.json("arm.json")
    with np.load(artifact.file("predictions.npz"), allow_pickle=False) as stored:
        labels, rows = stored["labels"], stored["rows"]
        correct = stored["probabilities"].argmax(axis=-1) == labels
        seeds = [int(seed) for seed in stored["seeds"]]
        fold, draw = stored.get("fold"), stored.get("draw")
    return ArmResult(
        label=spelled(described["label"]),
        arm=described["arm"],
        share=described["share"],
        name=described.get("name"),  # runs of before arms had names are compared, too
        metrics=artifact.json("metrics.json"),
        history=pd.read_csv(artifact.file("history.csv")),
        training=artifact.json("training.json"),
        seeds=seeds,
        correct=correct,
        labels=labels,
        rows=rows,
        artifact=artifact,
        metric=metric_of(metric, labels),
        set=described.get("set"),
        fold=fold,
        draw=draw,
    )


def in_groups(arms: Sequence[ArmResult], dataset: Artifact) -> list[ArmResult]:
    """Arms evaluated on the test images of a dataset, with the groups that these belong to."""
    fold = arms[0].fold if arms else None
    groups = load_groups(dataset, "test") if fold is None else _groups_of_folds(dataset, fold)
    return [replace(arm, groups=groups) for arm in arms]


def _groups_of_folds(dataset: Artifact, fold: NDArray[np.int16]) -> NDArray[np.int64]:
    """No group has images in two folds: each is a dataset of its own within the dataset."""
    groups, layout = np.empty(len(fold), np.int64), layout_of(dataset.path)
    for number in np.unique(fold):
        path = layout.place(dataset.path, Part(fold=int(number)))
        mine = np.flatnonzero(fold == number)
        own = load_groups(artifacts.read(path, "dataset") if number else dataset, "test")
        groups[mine] = mine if own is None else mine[np.unique(own, return_inverse=True)[1]]
    return groups


def place(arm: ArmResult) -> tuple[bool, int, float, str]:
    """Where an arm stands in tables and figures; what all are compared with comes first."""
    kinds = list(KINDS)
    known = kinds.index(arm.arm) if arm.arm in kinds else len(kinds)
    return arm.label != "real", known, arm.share or 0.0, arm.label


def _check(arms: Sequence[ArmResult], dataset: Artifact, classes: list[str]) -> None:
    labels = [arm.label for arm in arms]
    if "real" not in labels:
        raise InputError(
            f"There is no evaluation of the arm 'real' among {labels}: every study needs it, "
            "because the other arms are compared with it."
        )
    doubled = {label for label in labels if labels.count(label) > 1}
    if doubled:
        raise InputError(f"The arm {min(doubled)!r} is evaluated twice: give each arm once.")
    real = arms[labels.index("real")]
    for arm in arms:
        path = arm.artifact.path
        if load_classes(arm.artifact) != classes:
            raise InputError(f"{path} is about other classes than {dataset.path}.")
        made_of = arm.artifact.manifest.inputs.get("dataset", dataset.content_hash)
        same = np.array_equal(arm.labels, real.labels) and np.array_equal(arm.rows, real.rows)
        if not same or made_of != dataset.content_hash:
            raise InputError(
                f"{path} was evaluated on other test images than "
                f"{dataset.path if same else real.artifact.path}: evaluate every arm on one "
                "dataset."
            )
        if not set(arm.seeds) & set(real.seeds):
            raise InputError(
                f"{path} shares no seed with the arm 'real' ({real.seeds}): train both with the "
                "same seeds."
            )


def _read_cams(paths: Sequence[Path], classes: list[str], labels: list[str]) -> dict[str, Artifact]:
    read = [artifacts.read(path, "cam") for path in paths]
    for artifact in read:
        if load_classes(artifact) != classes:
            raise InputError(f"{artifact.path} is about other classes than the dataset.")
    by_label = {spelled(artifact.json("arm.json")["label"]): artifact for artifact in read}
    return {label: by_label[label] for label in labels if label in by_label}
