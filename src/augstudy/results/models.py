"""What studies, sweeps and retrainings find, as summary.json and decision.json hold it."""

from typing import Any, Literal

from pydantic import Field, model_validator

from augstudy.results.parts import (
    Change,
    Compared,
    Corrected,
    Cost,
    Difference,
    Ends,
    Found,
    Left,
    Part,
    Score,
    Tested,
)
from augstudy.settings.sets import Copies, name_of
from augstudy.stats.codes import SCORES, Comparison, Judgement, Metric, Noise, Rank, Reason
from augstudy.tuning import sweep as asked
from augstudy.tuning.search import Tried

_ONE_SET = {"gan": "stability", "synthetic": "quality", "curation": "filtered"}
_ONE_SET["discriminator"] = "discriminator"


class Worst(Part):
    """The class of which the smallest share is recognised, and its scores on the test images."""

    label: str
    recall: Score
    precision: Score
    f1: Score


class WorstClass(Part):
    """The class that an arm and `real` together recognise least, and what the arm changes there."""

    label: str
    difference: Compared


class Arm(Part):
    """An arm as trained and tested; means over its seeds.

    Accuracies are such whatever the metric; ``worst`` is None in results of before there was one.
    ``learnt`` says whether it does better than guessing on the test images.
    """

    arm: str
    share: float | None
    name: str | None
    set: str | None = None
    seeds: tuple[int, ...]
    training_images: int
    steps: int
    train_accuracy: float
    val_accuracy: float
    parameters: int
    metrics: dict[str, Score]
    worst: Worst | None = None
    learnt: bool = True

    @property
    def accuracy(self) -> Score:
        """On the test images."""
        return self.metrics["accuracy"]


class Power(Part):
    """What could be expected of the study before it ran: see :mod:`augstudy.stats.power`."""

    seeds: int
    images: int
    comparisons: int
    assumed: Noise
    detectable: float
    draws: int = 1


class Trusted(Part):
    """The metric on all test images and on those left without the doubtful ones, if any are."""

    all: float
    left: float | None = None
    left_minus_real: Change | None = None


class LabelNoise(Part):
    """How many test labels are doubtful, and what arms reach without them."""

    suspicious: int
    left: int
    estimated_noise: float
    arms: dict[str, Trusted]


class Stability(Left):
    """stability.json of a GAN."""

    verdict: str
    cause: dict[str, Any] | None = None
    reason: str = ""  # of runs of before, in words


class Figure(Ends):
    """A figure of synthetic images, beside that of real ones."""

    value: float
    real: float
    n: int
    direction: str


class Quality(Left):
    """quality.json of synthetic images; no metrics where they were not measured."""

    metrics: dict[str, Figure] = Field(default_factory=dict)
    per_class: dict[str, dict[str, Figure]] = Field(default_factory=dict)


class Copied(Left):
    """copies.json: near copies of real images in a set, found by split, and how many were dropped.

    ``rule`` is what happens to those of validation and test images; ``repeated`` images are near
    copies of others of the set.
    """

    checked: int
    found: dict[str, int]
    by_judge_alone: dict[str, int]
    repeated: int
    rule: Copies
    dropped: int


class SyntheticSet(Part):
    """A set of synthetic images: where it comes from if it was imported, and what was found.

    ``stability`` is of its generator and ``discriminator`` has the scores of its discriminator as a
    classifier, if it was made; ``filtered`` is what the filter says.
    """

    source: str | None = None
    stability: Stability | None = None
    quality: Quality | None = None
    copies: Copied | None = None
    filtered: dict[str, Any] | None = None
    discriminator: dict[str, Score] | None = None


class Grouped(Part):
    """Groups of test images that belong together: how many, and of equal size that tell as much."""

    count: int
    effective: float


class Study(Found):
    """What a study of arms found; ``differences`` are those to the arm `real`, by label.

    A difference below ``margin``, a share of the ``metric``, does not matter. ``ranking`` compares
    arms that differ in their sets of synthetic images alone; ``recalls`` has the effect of each arm
    on each class, and ``worst_classes`` that on the class which is recognised least. ``groups`` is
    None where every test image is on its own.

    ``looks`` are the numbers of seeds after which the study was to be looked at, the last one being
    the most it might take; none if it was to be looked at once. ``path`` has, by label, the
    difference to `real` at each look so far.
    """

    kind: Literal["study"] = "study"
    metric: Metric = "accuracy"
    margin: float
    budget: str
    left_out: dict[str, str]
    arms: dict[str, Arm]
    differences: dict[str, Difference]
    pairs: tuple[Difference, ...]
    power: Power
    label_noise: LabelNoise
    sets: dict[str, SyntheticSet] = Field(default_factory=dict)
    filtered_real: dict[str, Any] | None = None
    ranking: tuple[Difference, ...] = ()
    recalls: dict[str, dict[str, Compared]] = Field(default_factory=dict)
    worst_classes: dict[str, WorstClass] = Field(default_factory=dict)
    groups: Grouped | None = None
    looks: tuple[int, ...] = ()
    path: dict[str, tuple[Compared, ...]] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _one_set(cls, values: Any) -> Any:
        """What was written when a study had one set at most, which the recipe `gan` made."""
        if not isinstance(values, dict) or "curation" not in values:
            return values
        new = {name: item for name, item in values.items() if name not in _ONE_SET}
        found = {key: values.get(name) for name, key in _ONE_SET.items()}
        filtered = found.get("filtered") or {}
        if "real" in filtered:
            new["filtered_real"] = filtered
        if any(found.values()):
            name = name_of(str(values.get("study", {}).get("gan") or "gan"))
            new["sets"] = {
                name: found | {"filtered": filtered if "synthetic" in filtered else None}
            }
        return new

    def score(self, label: str) -> Score:
        """The metric of an arm on the test images."""
        return self.arms[label].metrics[SCORES[self.metric]]


class Point(Part):
    """A point of a sweep on the validation images: ``chosen`` values by axis; ``changes``.

    ``val_accuracy`` is the metric of the sweep on these images, whichever that is.
    """

    chosen: dict[str, str]
    changes: dict[str, Any]
    seeds: tuple[int, ...]
    val_accuracy: float
    val_low: float
    val_high: float
    by_seed: tuple[float, ...]
    train_accuracy: float
    overfitting: float
    parameters: int
    training_images: int
    epochs: tuple[int, ...]
    best_epochs: tuple[int, ...]
    cpu_s: float
    wall_s: float


class Finding(asked.Finding):
    """A claim, and whether it holds here; no difference where it could not be measured."""

    judgement: Judgement
    difference: Corrected | None


class Value(Part):
    """How the trials with one value of an axis did, whatever else they had."""

    label: str
    trials: int
    pruned: int
    median: float | None
    best: float | None


class Search(Part):
    """What a search tried; ``values`` by axis."""

    settings: asked.Search
    trials: tuple[Tried, ...]
    values: dict[str, tuple[Value, ...]]

    @property
    def pruned(self) -> int:
        """How many trials were cut short."""
        return sum(trial.state == "pruned" for trial in self.trials)


class Unseen(Part):
    """Base and chosen point on the test images."""

    base: dict[str, Score]
    chosen: dict[str, Score]
    difference: Compared


class Sweep(Found):
    """What a sweep of classifiers found; ``differences`` are those to the base, by point.

    ``metric`` is that of the test images, ``val_metric`` that by which points were chosen.
    """

    kind: Literal["sweep"] = "sweep"
    mode: asked.Mode
    metric: Metric = "accuracy"
    val_metric: Metric = "accuracy"
    margin: float
    chosen: str
    points: dict[str, Point]
    search: Search | None
    differences: dict[str, Compared]
    findings: tuple[Finding, ...]
    test: Unseen
    cost: Cost


class Mean(Part):
    """A figure over the runs that have it."""

    mean: float
    by_seed: tuple[float, ...]


class GeneratorPoint(Part):
    """A point of a sweep of generators; ``verdicts`` and ``reasons`` are of each training."""

    chosen: dict[str, str]
    changes: dict[str, Any]
    seeds: tuple[int, ...]
    verdicts: tuple[str, ...]
    stable: bool
    reasons: tuple[Stability, ...]
    metrics: dict[str, Mean]
    best_steps: tuple[int, ...]
    parameters: int
    cpu_s: float
    wall_s: float


class GeneratorDifference(Part):
    """A point minus the base; the verdict rests on one metric, whose p-value is corrected."""

    metrics: dict[str, Tested]
    p_holm: float | None
    verdict: Rank


class GeneratorSweep(Found):
    """What a sweep of generators found; ``chosen`` is None where no point trains stably."""

    kind: Literal["gan_sweep"] = "gan_sweep"
    mode: asked.Mode
    metric: Literal["fid_qd"] = "fid_qd"
    chosen: str | None
    points: dict[str, GeneratorPoint]
    differences: dict[str, GeneratorDifference]
    cost: Cost


class Retraining(Part):
    """decision.json: whether the new classifier became champion instead of the one ``before``.

    A loss of up to ``margin``, a share of the metric, is accepted. ``drift`` has a stability index
    for each histogram. ``learnt`` says whether the new one does better than guessing.
    """

    schema_version: Literal[2] = 2
    promoted: bool
    reason: Reason
    champion: str | None
    before: str | None
    comparison: Comparison | None
    drift: dict[str, float]
    margin: float
    learnt: bool = True
