"""``docs/settings.md``: every parameter and setting, from the code that checks them."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from pydantic import BaseModel
from tables import listed, table

from augstudy.local import catalog
from augstudy.models.classifiers import ARCHITECTURES
from augstudy.models.gan_recipes import GANS
from augstudy.settings.arms import KINDS, Arm
from augstudy.settings.augmentation import Augmentation
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.generators import DiffusionSettings, GanSettings, GeneratorSettings
from augstudy.settings.judging import CurationSettings, JudgeSettings
from augstudy.settings.sets import SyntheticSet

HEADER = """# Settings

For everyone who runs a study: every parameter, arm, setting and recipe, with default and range.

`make docs` writes this page from the models that validate the settings. A study takes its
parameters from the pipeline's defaults, then from a preset (`--preset`: a file in
`pipelines/presets`, or any YAML file), then from the options, then from `--set a=1 --set b.c=2`,
where `b.c` is setting `c` inside parameter `b`. With make, these are `PRESET=...` and
`SET="a=1 b.c=2"`. An unknown name is an error that lists the known ones.

An arm of your own is a line of YAML. It needs a name if it changes more than the share:

```yaml
arms:
  - {arm: real}
  - {arm: add, share: 0.5}
  - {arm: real, name: unaugmented, augmentation: {}}
  - {arm: extra_real, share: 1.0, optional: true}
curation_settings: {strictness: 1.2, balance: false}
```
"""
SETS = """
Each set of synthetic images is made here by a generator, or imported. `--synthetic` and
`SYNTHETIC=...` take both: `sd=../sd15 gan=compact diffusion` imports the folder `../sd15` as `sd`,
and makes a set `gan` with the recipe `compact` and a set `diffusion` with the recipe of that name.
An arm that uses synthetic images runs once for each set, or for the one that it names: `add:1@sd`.
"""
STUDY = "augmentation_study"
PARAMETER = ["parameter", "default", "what it is"]
PARAMETERS = {
    "classifier_settings": ClassifierSettings,
    "gan_settings": GanSettings,
    "judge_settings": JudgeSettings,
    "curation_settings": CurationSettings,
}
RECIPES = {
    "classifier_settings": {name: item.recipe for name, item in ARCHITECTURES.items()},
    "gan_settings": GANS,
}


def page() -> str:
    """The whole page."""
    shared = parameters(STUDY)
    parts = [HEADER.strip(), f"## Parameters of `{STUDY}`", table(PARAMETER, shared)]
    parts += ["## Arms", kinds(), settings(Arm)]
    parts += ["## `sets`", SETS.strip(), settings(SyntheticSet)]
    for name, model in PARAMETERS.items():
        parts += [f"## `{name}`", settings(model)]
        if model is GanSettings:
            parts.append("Recipe `diffusion` has these instead of those from `discriminator` on:")
            parts.append(settings(DiffusionSettings, but=GeneratorSettings))
        if name in RECIPES:
            parts.append(recipes(RECIPES[name]))
    parts += ["## Augmentation", "Settings of every augmentation:", settings(Augmentation)]
    for name in catalog.names():
        if name != STUDY:
            own = [row for row in parameters(name) if row not in shared]
            parts.append(f"## Parameters of `{name}`")
            parts.append(f"Those that `{STUDY}` lacks, or describes differently:")
            parts.append(table(PARAMETER, own))
    return "\n\n".join(parts) + "\n"


def parameters(name: str) -> list[list[object]]:
    """A row per parameter of a pipeline."""
    pipeline = catalog.load(name)
    known = catalog.parameters(pipeline)
    order = inspect.signature(pipeline.pipeline_func).parameters
    return [[f"`{item}`", default(known[item].default), known[item].text] for item in order]


def kinds() -> str:
    """A row per kind of arm."""
    rows = [
        [f"`{name}`", _text(kind.make), f"at most {kind.most:g}" if kind.most else ""]
        for name, kind in KINDS.items()
    ]
    return table(["arm", "its training set", "share"], rows)


def recipes(known: Mapping[str, Mapping[str, Any]]) -> str:
    """What each recipe sets; what it leaves alone is in the table above."""
    alike: dict[str, list[str]] = {}
    for name, values in known.items():
        own = {
            key: value for key, value in values.items() if (key, value) != ("architecture", name)
        }
        written = yaml.safe_dump(own, default_flow_style=True, width=10_000).strip()
        alike.setdefault(written, []).append(f"`{name}`")
    lines = [f"- {listed(names)}: `{written}`" for written, names in alike.items()]
    said = "Recipes change these defaults, and have the architecture of the same name:"
    return "\n".join([said, "", *lines])


def settings(model: type[BaseModel], but: type[BaseModel] | None = None) -> str:
    """A row per setting, including nested ones; without those that `but` has."""
    left_out = set(but.model_fields) if but else set()
    rows = [row for row in _rows(model, "") if row[0].strip("`").split(".")[0] not in left_out]
    return table(["setting", "default", "values", "what it is"], rows)


def _rows(model: type[BaseModel], prefix: str) -> Iterable[list[str]]:
    schema = model.model_json_schema()
    for name, field in model.model_fields.items():
        inner = _model(field.annotation)
        found = _merged(schema["properties"][name])
        text = field.description or ""
        if inner is None:
            usual = "required" if field.is_required() else default(found.get("default"))
            yield [f"`{prefix}{name}`", usual, _values(found), text]
            continue
        yield [f"`{prefix}{name}`", _none(found), "", text or _text(inner)]
        if inner is Augmentation:
            continue
        yield from _rows(inner, f"{prefix}{name}.")


def _text(documented: object) -> str:
    """The first line of a docstring, as Markdown."""
    return (documented.__doc__ or "").splitlines()[0].replace("``", "`")


def _model(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation names, by itself or beside None."""
    options = (annotation, *getattr(annotation, "__args__", ()))
    return next(
        (item for item in options if isinstance(item, type) and issubclass(item, BaseModel)), None
    )


def _merged(found: Mapping[str, Any]) -> dict[str, Any]:
    """A property with what its one alternative beside null says."""
    others = [item for item in found.get("anyOf", []) if item.get("type") != "null"]
    return {**(others[0] if len(others) == 1 else {}), **found}


def _none(found: Mapping[str, Any]) -> str:
    return "none" if "default" in found and found["default"] is None else ""


def _values(found: Mapping[str, Any]) -> str:
    """What may be given: the choices, or the range."""
    if "enum" in found:
        return ", ".join(f"`{item}`" for item in found["enum"])
    words = {
        "minimum": "from",
        "exclusiveMinimum": "above",
        "maximum": "to",
        "exclusiveMaximum": "below",
        "multipleOf": "multiple of",
    }
    said = [f"{word} {found[key]:.10g}" for key, word in words.items() if key in found]
    return ", ".join(said) or {"boolean": "`true`, `false`"}.get(found.get("type", ""), "")


def default(value: Any) -> str:
    """A default as one would write it in YAML."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (list, dict)) and len(str(value)) > 40:
        return f"{len(value)} of them"
    return f"`{value}`" if value != "" else ""
