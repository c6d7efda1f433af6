"""Compares arms, of one run or of several: settings, metrics, and image by image where it may."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from augstudy.core import artifacts
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import InputError
from augstudy.data.dataset import load_spec
from augstudy.results import files
from augstudy.results.comparisons import compared, difference, learnt
from augstudy.results.material import ArmResult, place, read_arm
from augstudy.results.models import Study
from augstudy.results.parts import Compared
from augstudy.runs.choosing import find_arms
from augstudy.runs.record import Record, flat
from augstudy.runs.shelf import Shelf
from augstudy.settings.comparing import AskedMetric
from augstudy.settings.spec import ImageSpec
from augstudy.stats.correction import holm
from augstudy.stats.paired import PairedDifference
from augstudy.stats.verdicts import MARGIN

MOST = 8
# Facts of a run that are worth a line where they differ.
_FACTS = ("pipeline", "preset", "source", "level", "data_hash", "code", "version")


class Contestant:
    """One arm of one run, with what its evaluation and its heat maps say."""

    def __init__(self, record: Record, arm: Mapping[str, Any], shelf: Shelf) -> None:
        self.record = record
        self.arm = arm
        self.shelf = shelf
        self.label = f"{record['id']}:{arm['arm']}"

    @cached_property
    def result(self) -> ArmResult:
        """The evaluation of the arm."""
        return self._read(self.arm["arm"])

    @cached_property
    def study(self) -> list[ArmResult]:
        """All arms of its run, as in its report: together they tell how training runs scatter."""
        return sorted(map(self._read, self.shelf.arms("evaluation")), key=place)

    def _read(self, label: str) -> ArmResult:
        found = read_arm(self.shelf.path("evaluation", label), self.metric)
        return replace(found, looks=self.report.looks) if self.report else found

    @cached_property
    def report(self) -> Study | None:
        """What the report of its run says; None if the run has left none."""
        if not self.shelf.of("report"):
            return None
        report = artifacts.read(self.shelf.path("report"), "report")
        found = files.read_summary(report.path)
        return found if isinstance(found, Study) else None

    @property
    def metric(self) -> AskedMetric:
        """The metric of its report."""
        return self.report.metric if self.report else "auto"

    @property
    def margin(self) -> float:
        """The margin of its report, a share."""
        return self.report.margin if self.report else MARGIN

    @cached_property
    def heat(self) -> Artifact | None:
        """The heat maps of the arm."""
        if not self.shelf.of("cam", self.arm["arm"]):
            return None
        return artifacts.read(self.shelf.path("cam", self.arm["arm"]), "cam")

    @property
    def spec(self) -> ImageSpec:
        """What its images are like."""
        return load_spec(self.result.artifact)

    @cached_property
    def classes(self) -> list[str]:
        """Names of the classes."""
        found: list[str] = self.result.artifact.json("classes.json")
        return found

    @cached_property
    def dataset(self) -> str:
        """The hash of the dataset that it was evaluated on."""
        return self.result.artifact.manifest.inputs.get("dataset", "")

    @cached_property
    def test_images(self) -> str | None:
        """The hash of the test images, where the dataset is there: levels may share them.

        With folds those of all, as the training images of a fold are decided by its test images.
        """
        for item in self.shelf.of("dataset"):
            if item.manifest.content_hash == self.dataset:
                files = sorted(item.manifest.files.items())
                tested = (it.sha256 for name, it in files if name.endswith("test_images.npy"))
                return " ".join(tested)
        return None

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Everything that was chosen, flat: facts of the run, its settings, those of training."""
        wanted = {key: value for key, value in self.record["settings"].items() if key != "arms"}
        # A level of 0 means all: what was found there says more than what was asked.
        chosen = flat(wanted) | {name: self.record.get(name) for name in _FACTS}
        chosen["data_hash"] = (chosen["data_hash"] or "")[:12]
        for item in self.shelf.of("classifier", self.arm["arm"]):
            chosen |= flat(item.manifest.config, "training.")
        return chosen


@dataclass(frozen=True)
class Difference:
    """A contestant against the first: their paired difference, or why there is none."""

    label: str
    found: Compared | None
    unlike: str = ""


@dataclass(frozen=True)
class Comparison:
    """Contestants, of which the first is the reference, and what tells them apart."""

    contestants: list[Contestant]
    differences: list[Difference]
    settings: list[tuple[str, list[Any]]]

    @property
    def reference(self) -> Contestant:
        """The first."""
        return self.contestants[0]


def compare(
    records: Sequence[Record], shelf: Callable[[Record], Shelf], names: Sequence[str]
) -> Comparison:
    """Compare arms named like ``7:add:1``; ``7`` stands for all arms of run 7.

    Args:
        records: Of the runs that may be named.
        shelf: Opens the artifacts of a run.
        names: Of the arms; the first is what the others are compared with.

    Raises:
        InputError: there are not two different arms, or too many, or one is not there.
        DataError: an artifact is damaged.
    """
    chosen = {
        (record["id"], arm["arm"]): (record, arm)
        for name in names
        for record, arm in find_arms(records, name)
    }
    if not 2 <= len(chosen) <= MOST:
        said = ", ".join(f"{number}:{label}" for number, label in chosen)
        raise InputError(
            f"Two to {MOST} arms can be compared, not {len(chosen)} ({said}): name them like "
            "7:real 7:add:1."
        )
    shelves = {record["key"]: shelf(record) for record, _ in chosen.values()}
    found = [Contestant(record, arm, shelves[record["key"]]) for record, arm in chosen.values()]
    return Comparison(found, _differences(found), _different(found))


def paired(one: Contestant, other: Contestant) -> PairedDifference | str:
    """The metric of `one` minus `other`, same images and seeds, or why they are no pair."""
    if one.classes != other.classes:
        return "other classes"
    same_rows = np.array_equal(one.result.labels, other.result.labels) and np.array_equal(
        one.result.rows, other.result.rows
    )
    same_images = one.test_images is not None and one.test_images == other.test_images
    if not same_rows or not (same_images or one.dataset == other.dataset != ""):
        return "other test images"
    if one.result.metric != other.result.metric:
        return "another metric"
    if not set(one.result.seeds) & set(other.result.seeds):
        return "no seed in common"
    pair = one.result, other.result
    return difference(*pair, other.study if _same_run(one, other) else pair)


def _differences(contestants: Sequence[Contestant]) -> list[Difference]:
    """Each against the first: as its report says, or else as if a report said it of these."""
    reference, *others = contestants
    told = {item.label: _reported(item, reference) for item in others}
    outcomes = {item.label: paired(item, reference) for item in others if not told[item.label]}
    known = {label: item for label, item in outcomes.items() if not isinstance(item, str)}
    # What reports say was asked as well: it counts among the comparisons made here.
    p_values = [item.p_value for item in known.values()]
    p_values += [item.p for item in told.values() if item]
    adjusted = dict(zip(known, holm(p_values), strict=False))
    found = []
    for label, reported in told.items():
        outcome = outcomes.get(label, "")
        if reported or isinstance(outcome, str):
            found.append(Difference(label, reported, str(outcome)))
        else:
            arm = next(item.result for item in others if item.label == label)
            judged = (adjusted[label], reference.margin, len(p_values))
            better = learnt(arm, reference.result)
            found.append(Difference(label, compared(outcome, *judged, better)))
    return found


def _reported(one: Contestant, other: Contestant) -> Compared | None:
    """What the report of their run says of two arms, whichever of the two it calls the first."""
    if not _same_run(one, other) or one.report is None:
        return None
    names = one.arm["arm"], other.arm["arm"]
    for item in (*one.report.differences.values(), *one.report.pairs):
        if (item.arm, item.against) == names:
            return item.alone
        if (item.against, item.arm) == names:
            return item.alone.mirrored
    return None


def _same_run(one: Contestant, other: Contestant) -> bool:
    return bool(one.record["key"] == other.record["key"])


def _different(contestants: Sequence[Contestant]) -> list[tuple[str, list[Any]]]:
    """Settings that are not alike in all, with the value in each."""
    chosen = [item.settings for item in contestants]
    names = dict.fromkeys(name for values in chosen for name in values)
    rows = [(name, [values.get(name) for values in chosen]) for name in names]
    return [(name, values) for name, values in rows if any(item != values[0] for item in values)]
