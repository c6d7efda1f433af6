"""A sweep as data: the settings to try beside a base recipe, and what is expected of them."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from augstudy.core.errors import InputError
from augstudy.core.rng import SEEDS
from augstudy.models.recipes import merged
from augstudy.settings.base import Settings, parse

BASE = "base"
Mode = Literal["one_at_a_time", "grid", "search"]
Expected = Literal["higher", "lower", "same"]
Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 .x+-]{0,39}$")]
_LONGEST_ID = 200  # it names files


class Value(Settings):
    """One value of an axis: what it is called, and the settings that it changes."""

    label: Label
    set: dict[str, Any] = Field(min_length=1, description="changes to the base recipe")


class Axis(Settings):
    """One question: a setting, or several that belong together, and the values to try."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")
    base: Label = Field("as in the base", description="what the base has")
    values: tuple[Value, ...] = Field(min_length=1)

    @property
    def title(self) -> str:
        """The name as a heading."""
        return self.name.replace("_", " ").capitalize()


class Finding(Settings):
    """An earlier claim, put in such a way that a sweep can say whether it holds."""

    claim: str = Field(min_length=1, description="in words")
    point: str = Field(description="such as kernel=5x5")
    against: str = Field(BASE, description="the point that it is compared with")
    metric: Literal["accuracy", "overfitting", "train_accuracy"] = Field(
        "accuracy",
        description="accuracy on validation images, on training images, or the gap between them",
    )
    expected: Expected
    by: float = Field(0.0, ge=0, lt=1, description="smallest size of the difference, as a share")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.expected == "same" and self.by:
            raise ValueError("by must be left out where the same is expected")
        if self.point == self.against:
            raise ValueError(f"{self.point!r} is compared with itself")
        return self


class Search(Settings):
    """How a search spends its training runs."""

    trials: int = Field(ge=2, description="points to try with the first seed, the base among them")
    finalists: int = Field(
        2, ge=1, description="how many of each worker's best points are trained with all seeds"
    )
    seed: int = Field(0, ge=0, lt=SEEDS, description="decides which points are tried")
    startup: int = Field(
        5, ge=1, description="random trials of each worker before it learns; none is pruned"
    )
    prune_after: int = Field(3, ge=1, description="epochs that every trial gets")

    @model_validator(mode="after")
    def _selective(self) -> Self:
        if self.finalists >= self.trials:
            raise ValueError(
                f"{self.finalists} finalists of {self.trials} trials: ask for fewer finalists"
            )
        return self


class Sweep(Settings):
    """Which points to train: each is the base recipe with some settings changed."""

    mode: Mode = Field(
        "one_at_a_time",
        description="change one axis at a time, try all combinations, or search among them",
    )
    axes: tuple[Axis, ...] = Field(min_length=1)
    search: Search | None = Field(None, description="of mode search")
    findings: tuple[Finding, ...] = ()

    @field_validator("axes")
    @classmethod
    def _named_once(cls, axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
        for names in ([axis.name for axis in axes], *map(options, axes)):
            if double := next((name for name in names if names.count(name) > 1), None):
                raise ValueError(f"{double!r} appears twice: remove one")
        return axes

    @model_validator(mode="after")
    def _combinable(self) -> Self:
        if self.mode == "one_at_a_time":
            return self
        for first, second in itertools.combinations(self.axes, 2):
            if both := _changed(first) & _changed(second):
                raise ValueError(
                    f"axes {first.name!r} and {second.name!r} both set {min(both)!r}, so they "
                    f"cannot be combined in mode {self.mode}"
                )
        longest = sum(len(axis.name) + max(map(len, options(axis))) + 2 for axis in self.axes)
        if longest > _LONGEST_ID:
            raise ValueError(
                f"a combination of all axes has a name of {longest} characters: use shorter "
                f"labels, so that it has {_LONGEST_ID}"
            )
        return self

    @model_validator(mode="after")
    def _searchable(self) -> Self:
        if self.mode != "search":
            if self.search:
                raise ValueError(f"search is for mode search, not {self.mode}: leave it out")
            return self
        if self.search is None:
            raise ValueError("mode search must say how many points it tries: search: {trials: 20}")
        if self.findings:
            raise ValueError(
                "findings are about points that are trained for certain: leave them out of a search"
            )
        there = math.prod(len(options(axis)) for axis in self.axes)
        if self.search.trials > there:
            raise ValueError(
                f"{self.search.trials} trials of {there} combinations: ask for fewer, or for mode "
                "grid"
            )
        return self


@dataclass(frozen=True)
class Point:
    """The base recipe with some settings changed.

    ``chosen`` has the label of each axis that is not as in the base.
    """

    chosen: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Unique within a sweep: ``base``, ``kernel=5x5``, ``kernel=5x5,pooling=average``."""
        return ",".join(f"{axis}={label}" for axis, label in self.chosen.items()) or BASE


def parse_sweep(values: Mapping[str, Any]) -> Sweep:
    """Validate a sweep, and that the findings speak of its points.

    Raises:
        InputError: one sentence naming what is wrong.
    """
    sweep = parse(Sweep, values, "the sweep")
    known = [point.id for point in expand(sweep)]
    for finding in sweep.findings:
        for name in (finding.point, finding.against):
            if name not in known:
                raise InputError(
                    f"The finding {finding.claim!r} is about {name!r}, which is not a point of the "
                    f"sweep; a point is called like {known[-1]!r}."
                )
    return sweep


def expand(sweep: Sweep) -> list[Point]:
    """The points of a sweep, the base first; of a search those that it combines others of."""
    if sweep.mode != "grid":
        return [Point(), *_one_at_a_time(sweep.axes)]
    return [combine(sweep.axes, labels) for labels in itertools.product(*map(options, sweep.axes))]


def combine(axes: Sequence[Axis], labels: Sequence[str]) -> Point:
    """The point with the value that `labels` names for each axis."""
    chosen: dict[str, str] = {}
    changes: dict[str, Any] = {}
    for axis, label in zip(axes, labels, strict=True):
        if found := next((value for value in axis.values if value.label == label), None):
            chosen[axis.name] = label
            changes = merged(changes, found.set)
    return Point(chosen, changes)


def _one_at_a_time(axes: Sequence[Axis]) -> Iterator[Point]:
    for axis in axes:
        for value in axis.values:
            yield Point({axis.name: value.label}, value.set)


def options(axis: Axis) -> list[str]:
    """Labels of all values of an axis, that of the base first."""
    return [axis.base, *(value.label for value in axis.values)]


def _changed(axis: Axis) -> set[str]:
    """Dotted names of all settings that an axis changes."""
    return {name for value in axis.values for name in _dotted(value.set)}


def _dotted(settings: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _dotted(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
