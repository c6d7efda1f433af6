"""Turns what a person asked of a pipeline into its parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from augstudy.core.errors import InputError
from augstudy.local import catalog
from augstudy.local.catalog import Parameter, unknown
from augstudy.models.gan_recipes import GANS
from augstudy.objects.address import absolute
from augstudy.settings.parsing import (
    accelerators,
    looks,
    parse_arms,
    parse_assignments,
    parse_auto,
    parse_integers,
    parse_levels,
    parse_value,
    shares,
    split,
)
from augstudy.settings.sets import parse_sets
from augstudy.steps.study import Study

_TYPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    "STRING": (str, "a text"),
    "NUMBER_INTEGER": (int, "a whole number"),
    "NUMBER_DOUBLE": ((int, float), "a number"),
    "BOOLEAN": (bool, "true or false"),
    "LIST": (list, "a list such as [a, b]"),
    "STRUCT": (dict, "a mapping such as {epochs: 20}"),
}


@dataclass(frozen=True)
class Wanted:
    """What a person asked of a pipeline, as typed; a later field comes before an earlier one."""

    pipeline: str
    preset: str = ""
    source: str | None = None
    arms: str | None = None
    seeds: str | None = None
    gpus: int | None = None
    settings: Sequence[str] = ()
    synthetic: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict)  # by a program: values, not texts

    @property
    def preset_name(self) -> str:
        """The preset without folder and extension."""
        return Path(self.preset).stem

    def base(self) -> dict[str, Any]:
        """The parameters as the preset has them, or else the pipeline's defaults, if it has any."""
        known = catalog.parameters(catalog.load(self.pipeline))
        preset, _ = self._preset()
        return _layered(Path(self.pipeline).stem, known, [preset])

    @property
    def automatic(self) -> int | None:
        """The most seeds of a study that stops when it can tell; None if it has those it names.

        Raises:
            InputError: it is no number of seeds.
        """
        return None if self.seeds is None else parse_auto(self.seeds)

    def accelerators(self) -> int | None:
        """How many GPUs are asked for, if anything is said of them; no pipeline is loaded.

        Raises:
            InputError: there is no such preset, or it is no number of GPUs.
        """
        said = {**self._preset()[0], **({} if self.gpus is None else {"gpus": self.gpus})}
        said |= parse_assignments(self.settings)
        return accelerators(said["gpus"]) if "gpus" in said else None

    def levels(self, typed: str = "", level: int | None = None) -> list[int]:
        """The levels to run, one run each: those `typed`, else the preset's; may be none.

        A single `level` stands instead of the preset's.

        Raises:
            InputError: they are no levels, or there are both a level and levels.
        """
        if typed and level is not None:
            raise InputError("--level asks for one run and --levels for several: give one of them.")
        if typed:
            return parse_levels(typed)
        return [] if level is not None else self._preset()[1]

    def runs(self, levels: Sequence[int]) -> list[dict[str, Any]]:
        """The parameters of one run per level, or of a single one if there are no levels.

        All draw from one pool, so they share validation and test images, and a smaller level is
        part of a larger one.

        Raises:
            InputError: see :meth:`values`.
        """
        if not levels:
            return [self.values()]
        return [self.values(level, pool=max(levels)) for level in levels]

    def values(self, level: int | None = None, pool: int = 0) -> dict[str, Any]:
        """All parameters of the pipeline, checked.

        Args:
            level: Real training images per class.
            pool: Raises ``train_per_class`` to this unless ``--set`` says otherwise, so that runs
                at several levels draw from one pool and share their test images.

        Raises:
            InputError: there is no such pipeline, preset or parameter, or a value is wrong.
        """
        known = catalog.parameters(catalog.load(self.pipeline))
        preset, levels = self._preset()
        self._refuse_foreign(preset, known)
        if levels and level is None:
            raise InputError(f"Preset {self.preset_name} is for several levels: choose a --level.")
        given: dict[str, Any] = {"source": self.source, "level": level, "gpus": self.gpus}
        given["arms"] = parse_arms(self.arms) if self.arms is not None else None
        if self.synthetic is not None:
            given["sets"] = parse_sets(self.synthetic, [*GANS])
        if self.seeds is not None and not self.automatic:
            given["seeds"] = parse_integers(self.seeds, "--seeds")
        given = {name: value for name, value in given.items() if value is not None}
        if pool and "train_per_class" in known:
            usual = preset.get("train_per_class", known["train_per_class"].default)
            given["train_per_class"] = max(usual, pool) if usual else 0
        layers = [preset, given, parse_assignments(self.settings), self.given]
        name = Path(self.pipeline).stem
        if self.automatic:
            if "looks" not in known:
                raise InputError(
                    f"Pipeline {name} cannot choose its number of seeds: name them, such as "
                    "--seeds 0-4."
                )
            usual = _layered(name, known, layers)["seeds"]
            rounds = looks(len(usual), self.automatic)
            layers.append({"seeds": list(range(rounds[0])), "looks": rounds})
        return resolve(name, known, layers)

    def _refuse_foreign(self, preset: Mapping[str, Any], known: Mapping[str, Parameter]) -> None:
        """Refuse a preset of ours that is for a pipeline with other parameters."""
        foreign = [name for name in preset if name not in known]
        if foreign and self.preset in catalog.presets():
            name = Path(self.pipeline).stem
            own = ", ".join(catalog.presets(name)) or "none"
            raise InputError(
                f"Preset {self.preset} is not for pipeline {name}, which has no {foreign[0]!r}; "
                f"its own presets are: {own}."
            )

    def _preset(self) -> tuple[dict[str, Any], list[int]]:
        """The parameters that the preset sets, and its levels."""
        content = catalog.load_preset(self.preset, self.pipeline) if self.preset else {}
        levels = content.pop("levels", [])
        if not isinstance(levels, list):
            raise InputError(f"levels of preset {self.preset_name} must be a list, not {levels!r}.")
        return content, parse_levels(" ".join(map(str, levels)))


def resolve(
    pipeline: str,
    known: Mapping[str, Parameter],
    layers: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Merge `layers` (later wins; mappings merge) over the defaults of the pipeline, and check.

    Raises:
        InputError: a parameter does not exist, is missing, or has a wrong type or value.
    """
    typed = _layered(pipeline, known, layers)
    typed |= {name: absolute(typed[name]) for name in ("source", "test_source") if name in typed}
    if isinstance(sets := typed.get("sets"), list):
        typed["sets"] = [_with_address(item) for item in sets]
    missing = [name for name in known if name not in typed]
    if missing:
        raise InputError(f"Pipeline {pipeline} needs a value for {missing[0]!r}: use --set.")
    study = Study(typed).for_each_set()
    study.check()
    return dict(study.values)


def _with_address(item: Any) -> Any:
    """A set of synthetic images with the address of its source, if that is a path."""
    if not isinstance(item, dict) or not isinstance(item.get("source"), str):
        return item
    return {**item, "source": absolute(item["source"])}


def _layered(
    pipeline: str, known: Mapping[str, Parameter], layers: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    values = {name: item.default for name, item in known.items() if not item.required}
    for layer in layers:
        for name, value in layer.items():
            if name not in known:
                raise unknown("parameter", name, known, of=pipeline)
            old = values.get(name)
            merge = isinstance(old, dict) and isinstance(value, dict)
            values[name] = {**old, **value} if merge else value  # type: ignore[dict-item]
    return {name: _typed(known[name], _encoded(value)) for name, value in values.items()}


def _encoded(value: Any) -> Any:
    """`value` with "none" for each null in a mapping, which KFP cannot carry."""
    if isinstance(value, list):
        return [_encoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: "none" if item is None else _encoded(item) for key, item in value.items()}


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _typed(parameter: Parameter, value: Any) -> Any:
    value = _as_the_cluster_wants(parameter, value)
    if parameter.kind == "LIST" and isinstance(value, str):
        # What is a list of names stays one: 0, yes and null are classes, too.
        names = parameter.name == "classes" or _are_names(parameter.default)
        value = [item if names else parse_value(item, value) for item in split(value)]
    if parameter.kind == "NUMBER_DOUBLE" and type(value) is int:
        value = float(value)
    if parameter.kind == "STRING" and isinstance(value, (int, float)):
        value = str(value)
    expected, words = _TYPES.get(parameter.kind, (object, "a value"))
    wrong_bool = isinstance(value, bool) and parameter.kind.startswith("NUMBER")
    if wrong_bool or not isinstance(value, expected):
        raise InputError(f"{parameter.name} must be {words}, not {value!r}.")
    return value


def _as_the_cluster_wants(parameter: Parameter, value: Any) -> Any:
    """What people type as a number, in the form in which KFP's driver can use it.

    It takes a count of accelerators from a text only, and hides a list from the body of the loop
    over it, so each item carries how many there are.
    """
    if parameter.name == "gpus":
        value = accelerators(value)
        return str(value) if parameter.kind == "STRING" else value
    if parameter.name == "workers" and parameter.kind == "LIST":
        return shares(split(value) if isinstance(value, str) else value)
    return value
