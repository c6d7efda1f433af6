"""Turns what a person typed into the parameters of a pipeline, and checks them before it starts."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from augstudy.arms import Arm
from augstudy.config import (
    ON_FAILURE,
    ComparisonSettings,
    CurationSettings,
    DataSettings,
    JudgeSettings,
    RetrainSettings,
    parse,
)
from augstudy.errors import InputError
from augstudy.local import catalog
from augstudy.local.catalog import Parameter, unknown
from augstudy.recipes import decoded
from augstudy.storage import check_address

_TYPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    "STRING": (str, "a text"),
    "NUMBER_INTEGER": (int, "a whole number"),
    "NUMBER_DOUBLE": ((int, float), "a number"),
    "BOOLEAN": (bool, "true or false"),
    "LIST": (list, "a list"),
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

    @property
    def preset_name(self) -> str:
        """The preset without folder and extension."""
        return Path(self.preset).stem

    def base(self) -> dict[str, Any]:
        """The parameters as the preset has them, or else the pipeline's defaults, if it has any."""
        known = catalog.parameters(catalog.load(self.pipeline))
        preset, _ = self._preset()
        return _layered(Path(self.pipeline).stem, known, [preset])

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
        """The parameters of one run a level, or of a single one if there are no levels.

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
            level: Real training images a class.
            pool: Raises ``train_per_class`` to this unless ``--set`` says otherwise, so that runs
                at several levels draw from one pool and share their test images.

        Raises:
            InputError: there is no such pipeline, preset or parameter, or a value is wrong.
        """
        known = catalog.parameters(catalog.load(self.pipeline))
        preset, levels = self._preset()
        if levels and level is None:
            raise InputError(f"Preset {self.preset_name} is for several levels: choose a --level.")
        given: dict[str, Any] = {"source": self.source, "level": level, "gpus": self.gpus}
        given["arms"] = parse_arms(self.arms) if self.arms is not None else None
        given["seeds"] = parse_integers(self.seeds, "--seeds") if self.seeds is not None else None
        given = {name: value for name, value in given.items() if value is not None}
        if pool and "train_per_class" in known:
            usual = preset.get("train_per_class", known["train_per_class"].default)
            given["train_per_class"] = max(usual or 0, pool)
        layers = [preset, given, parse_assignments(self.settings)]
        return resolve(Path(self.pipeline).stem, known, layers)

    def _preset(self) -> tuple[dict[str, Any], list[int]]:
        """The parameters that the preset sets, and its levels."""
        content = catalog.load_preset(self.preset, self.pipeline) if self.preset else {}
        levels = content.pop("levels", [])
        if not isinstance(levels, list):
            raise InputError(f"levels of preset {self.preset_name} must be a list, not {levels!r}.")
        return content, parse_levels(" ".join(map(str, levels)))


def parse_levels(text: str) -> list[int]:
    """Parse ``50 250`` or ``50,250`` into levels.

    Raises:
        InputError: something is no number of images, or is there twice.
    """
    words = re.split(r"[\s,]+", text.strip()) if text.strip() else []
    if not all(word.isascii() and word.isdigit() and int(word) for word in words):
        raise InputError(f"--levels {text!r} must be numbers of images, such as '50 250'.")
    levels = [int(word) for word in words]
    if len(set(levels)) < len(levels):
        raise InputError(f"--levels {text!r} names a level twice: remove one.")
    return levels


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """Parse ``key=value`` texts; the value is YAML, and ``a.b=1`` sets ``b`` inside ``a``.

    Raises:
        InputError: a text has no ``=``, or its value is no YAML.
    """
    values: dict[str, Any] = {}
    for text in assignments:
        key, equals, raw = text.partition("=")
        if not equals or not key.strip():
            raise InputError(f"{text!r} is not key=value, for example classifier=baseline.")
        try:
            value = yaml.safe_load(raw)
        except yaml.YAMLError as error:
            raise InputError(f"The value of {text!r} is not valid YAML: quote it.") from error
        _put(values, key.strip().split("."), value, text)
    return values


def parse_arms(text: str) -> list[dict[str, Any]]:
    """Parse ``real,classic,replace:0.3`` into arms.

    Raises:
        InputError: an arm does not exist or lacks its share.
    """
    arms = []
    for item in _split(text):
        name, colon, share = item.partition(":")
        values: dict[str, Any] = {"arm": name, "share": share} if colon else {"arm": name}
        arm = parse(Arm, values, f"arm {item!r}")
        arms.append(arm.model_dump(exclude_defaults=True))
    return arms


def parse_integers(text: str, what: str) -> list[int]:
    """Parse ``0,1,2`` or the range ``0-9``.

    Raises:
        InputError: it is neither.
    """
    numbers: list[int] = []
    try:
        for item in _split(text):
            first, dash, last = item.partition("-")
            numbers += range(int(first), int(last) + 1) if dash else [int(first)]
    except ValueError as error:
        raise InputError(f"{what} {text!r} must look like 0,1,2 or 0-2.") from error
    return numbers


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
    missing = [name for name in known if name not in typed]
    if missing:
        raise InputError(f"Pipeline {pipeline} needs a value for {missing[0]!r}: use --set.")
    check(typed)
    return typed


def check(values: Mapping[str, Any]) -> None:
    """Validate what can be known to be wrong before any step starts.

    Raises:
        InputError: naming the first thing that is wrong.
    """
    data = {name: values[name] for name in DataSettings.model_fields if name in values}
    if "data_seed" in values:
        data["seed"] = values["data_seed"]
    if {"source", "classes"} <= set(values):
        parse(DataSettings, data, "the data settings")
    rule = {name: values[name] for name in RetrainSettings.model_fields if name in values}
    parse(RetrainSettings, rule, "the rule")
    compared = {name: values[name] for name in ComparisonSettings.model_fields if name in values}
    parse(ComparisonSettings, compared, "the comparison")
    if "champion" in values:
        check_address(values["champion"])
    if "arms" in values:
        _check_arms(values["arms"])
        if {"level", "train_per_class"} <= set(values):
            _check_pool(values["arms"], parse(DataSettings, data, "the data settings"))
    if "seeds" in values:
        _check_seeds(values["seeds"])
    _check_recipes(values)


def _check_recipes(values: Mapping[str, Any]) -> None:
    """Validate everything that is trained, and its settings."""
    from augstudy.recipes import classifier_recipe, gan_recipe

    if "sweep" in values:
        _check_sweep(values)
    if "classifier_settings" in values:
        classifier_recipe(values["classifier"], decoded(values["classifier_settings"]))
    if values.get("on_gan_failure", "stop") not in ON_FAILURE:
        raise InputError(
            f"on_gan_failure is {' or '.join(ON_FAILURE)}, not {values['on_gan_failure']!r}."
        )
    if "gan_settings" in values:
        gan_recipe(values["gan"], decoded(values["gan_settings"]))
    if "judge_settings" in values:
        judge = parse(JudgeSettings, decoded(values["judge_settings"]), "the judge's settings")
        classifier_recipe(judge.classifier)
    if "curation_settings" in values:
        parse(CurationSettings, decoded(values["curation_settings"]), "the curation settings")


def _check_sweep(values: Mapping[str, Any]) -> None:
    """Validate a sweep, the settings of its points, and who is to train them."""
    from augstudy.recipes import classifier_recipe, gan_recipe
    from augstudy.tuning import points
    from augstudy.tuning.sweep import parse_sweep

    sweep = parse_sweep(values["sweep"])
    if "classifier" in values:
        base = values["classifier"], decoded(values["classifier_settings"])
        points.check(sweep, *base, classifier_recipe)
    else:
        points.refuse_search(sweep)
        points.check(sweep, values["gan"], decoded(values["gan_settings"]), gan_recipe)
        if sweep.findings:
            raise InputError("Findings are about classifiers: leave them out of this sweep.")
    workers = values["workers"]
    if not workers or len(set(workers)) < len(workers):
        raise InputError("workers must name at least one worker, and none twice.")


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


def _check_arms(arms: Sequence[Any]) -> None:
    if not arms:
        raise InputError("arms is empty: name at least one, for example real.")
    seen = set()
    for item in arms:
        if not isinstance(item, dict):
            raise InputError(f"An arm is a mapping such as {{arm: replace, share: 0.3}}: {item!r}.")
        label = parse(Arm, item, f"arm {item}").label
        if label in seen:
            raise InputError(f"Arm {label} is there twice: remove one.")
        seen.add(label)
    if "real" not in seen:
        raise InputError("Arm real is missing: every other arm is compared with it.")


def _check_pool(arms: Sequence[Any], data: DataSettings) -> None:
    """Refuse an arm that asks for more real drawings than the pool has beyond the level."""
    spare = data.train_per_class - data.used_level
    for arm in (Arm.model_validate(item) for item in arms):
        needed = round((arm.share or 0.0) * data.used_level)
        if arm.kind.extra and needed > spare and not arm.optional:
            raise InputError(
                f"Arm {arm.label} needs {needed} real drawings a class beyond level "
                f"{data.used_level}, but train_per_class leaves {spare}: raise it, or give the arm "
                "optional: true to leave it out at such levels."
            )


def _check_seeds(seeds: Sequence[Any]) -> None:
    wrong = [seed for seed in seeds if type(seed) is not int or seed < 0]
    if wrong:
        raise InputError(f"seeds must be whole numbers from 0, not {wrong[0]!r}.")
    if not seeds or len(set(seeds)) < len(seeds):
        raise InputError("seeds must name at least one seed, and none twice.")


def _encoded(value: Any) -> Any:
    """`value` with "none" for each null in a mapping, which KFP cannot carry."""
    if isinstance(value, list):
        return [_encoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: "none" if item is None else _encoded(item) for key, item in value.items()}


def _typed(parameter: Parameter, value: Any) -> Any:
    if parameter.kind == "LIST" and isinstance(value, str):
        value = [yaml.safe_load(item) for item in _split(value)]
    if parameter.kind == "NUMBER_DOUBLE" and type(value) is int:
        value = float(value)
    if parameter.kind == "STRING" and isinstance(value, (int, float)):
        value = str(value)
    expected, words = _TYPES.get(parameter.kind, (object, "a value"))
    wrong_bool = isinstance(value, bool) and parameter.kind.startswith("NUMBER")
    if wrong_bool or not isinstance(value, expected):
        raise InputError(f"{parameter.name} must be {words}, not {value!r}.")
    return value


def _split(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _put(values: dict[str, Any], keys: Sequence[str], value: Any, text: str) -> None:
    for key in keys[:-1]:
        values = values.setdefault(key, {})
        if not isinstance(values, dict):
            raise InputError(f"{text!r} sets something inside {key!r}, which has a value already.")
    values[keys[-1]] = value
