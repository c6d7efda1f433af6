"""What results are made of: frozen models that refuse what they do not know, and NaN."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from augstudy.stats.codes import Metric, Needed, Verdict


class Part(BaseModel):
    """Base of all results. Shares are between 0 and 1, intervals hold 95 %."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=()
    )


class Left(BaseModel):
    """Base of what a step left and is kept as it is, whatever else it says."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Ends(Part):
    """The ends of an interval."""

    low: float
    high: float


class Change(Ends):
    """A mean difference with its interval."""

    mean: float


class Tested(Change):
    """A difference with its two-sided p-value."""

    p: float


class Corrected(Tested):
    """The same with the p-value that is corrected for the number of comparisons."""

    p_holm: float


class Sources(Part):
    """Where the uncertainty of a difference comes from: variances, and what would halve it.

    ``images``, ``runs`` and ``draws`` are variances of the mean difference; they add up, but for
    ``draws`` where there is one, as that is not known (None). ``halve`` is what more it would take
    for an interval of half the width.
    """

    images: float
    runs: float
    draws: float | None
    halve: Needed


class Compared(Corrected):
    """A paired difference in the metric over `seeds` training runs and `images` images.

    ``comparisons`` were made together, which is what ``p_holm`` is corrected for. The seeds are
    those of all ``draws``, the repetitions of split and generators.
    """

    by_seed: tuple[float, ...]
    comparisons: int
    verdict: Verdict
    seeds: int
    images: int
    draws: int = 1

    @property
    def alone(self) -> "Compared":
        """The same without what only some comparisons have."""
        return Compared(**{name: getattr(self, name) for name in Compared.model_fields})

    @property
    def mirrored(self) -> "Compared":
        """The same difference the other way round."""
        verdict: Verdict = self.verdict
        if verdict in ("helps", "hurts"):
            verdict = "hurts" if verdict == "helps" else "helps"
        turned = {"mean": -self.mean, "low": -self.high, "high": -self.low, "verdict": verdict}
        return self.model_copy(update=turned | {"by_seed": tuple(-item for item in self.by_seed)})


class OneRun(Part):
    """One seed of a comparison: images that only one of two got right, McNemar's exact test."""

    seed: int
    difference: float
    gained: int
    lost: int
    p: float


class Difference(Compared):
    """An arm minus another one on the test images.

    ``needs`` is what more it takes to tell (None: a second seed), ``bootstrap`` the interval of the
    plain bootstrap, ``detectable`` the smallest true difference that is found 4 times in 5.
    ``sources`` is None with one seed, and in results of before it was known.
    """

    metric: Metric = "accuracy"
    arm: str
    against: str
    needs: Needed | None
    mcnemar: tuple[OneRun, ...]
    bootstrap: Ends
    detectable: float
    sources: Sources | None = None


class Score(Ends):
    """A score of metrics.json: mean over seeds with its interval."""

    value: float
    std: float
    by_seed: tuple[float, ...]
    direction: str


class Data(Part):
    """The dataset; ``level`` is real training images per class, ``images`` counts by split.

    With ``folds`` every image is a test image once, and the other counts are those of the first
    fold; with several ``draws``, the repetitions of the split, they are those of the first.
    ``suspicions`` are what looks wrong about it, see :mod:`augstudy.data.suspicions`.
    """

    hash: str | None
    source: str
    classes: tuple[str, ...]
    level: int
    images: dict[str, int]
    suspicions: tuple[dict[str, Any], ...] = ()
    folds: int = 0
    draws: int = 1


class Headline(Part):
    """Which arm or point the answer is about, and the verdict on it; None without comparison."""

    arm: str | None
    verdict: str | None


class Cost(Part):
    """Seconds of all points together."""

    cpu_s: float
    wall_s: float


class Found(Part):
    """What every summary.json holds. ``study`` has the settings, as the pages show them."""

    schema_version: Literal[2] = 2
    headline: Headline
    correction: Literal["holm"] = "holm"
    study: dict[str, Any]
    data: Data
    seeds: tuple[int, ...]

    @property
    def seeds_each(self) -> int:
        """Seeds of each draw: ``seeds`` has those of all."""
        return len(self.seeds) // self.data.draws
