"""Recipes: named classifiers and GANs with the settings that suit them."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from augstudy.core.errors import InputError
from augstudy.models import classifiers
from augstudy.settings.config import (
    ClassifierSettings,
    DiffusionSettings,
    GanSettings,
    GeneratorSettings,
    parse,
)

# Every architecture of a classifier brings its recipe, of the same name.
CLASSIFIERS: dict[str, dict[str, Any]] = {
    name: {"architecture": name, **item.recipe} for name, item in classifiers.ARCHITECTURES.items()
}

GANS: dict[str, dict[str, Any]] = {
    "report": {"architecture": "report", "ema": 0.0, "batch_size": 100, "steps": 2000},
    "compact": {
        "architecture": "compact",
        "spectral_norm": True,
        "latent_dim": 64,
        "batch_size": 64,
        "steps": 4000,
        "learning_rate": 2e-3,
        "final_rate": 0.1,
        "loss": "hinge",
        "projection": 0.5,
        "variety": 2.0,
        "shift": 2.0,
        "zoom": 0.1,
    },
    "diffusion": {
        "architecture": "diffusion",
        "steps": 6000,
        "learning_rate": 2e-3,
        "final_rate": 0.05,
        "ema": 0.999,
        "flip": True,
        "shift": 2.0,
        "zoom": 0.1,
    },
}


def classifier_recipe(name: str, overrides: Mapping[str, Any] | None = None) -> ClassifierSettings:
    """Settings of the classifier recipe `name`, with `overrides` on top.

    Raises:
        InputError: unknown recipe, setting or architecture, or a value out of range.
    """
    values = merged(_recipe(CLASSIFIERS, name, "classifier"), overrides or {})
    found = parse(ClassifierSettings, values, f"classifier {name!r}")
    classifiers.changed(found.architecture, found.network)
    return found


def gan_recipe(name: str, overrides: Mapping[str, Any] | None = None) -> GeneratorSettings:
    """Settings of the GAN recipe `name`, with `overrides` on top.

    They are DiffusionSettings if its architecture is a diffusion model, else GanSettings.

    Raises:
        InputError: unknown recipe or setting, or a value out of range.
    """
    values = merged(_recipe(GANS, name, "GAN"), overrides or {})
    diffuses = values.get("architecture") == "diffusion"
    return parse(DiffusionSettings if diffuses else GanSettings, values, f"GAN {name!r}")


def _recipe(recipes: Mapping[str, dict[str, Any]], name: str, what: str) -> dict[str, Any]:
    if name in recipes:
        return recipes[name]
    near = get_close_matches(name, recipes, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(recipes)}."
    raise InputError(f"There is no {what} {name!r}; {hint}")


def decoded(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as a person means them: KFP cannot carry null in a mapping, so "none" stands in."""
    return {
        key: decoded(value) if isinstance(value, Mapping) else None if value == "none" else value
        for key, value in overrides.items()
    }


def merged(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `overrides` on top; nested mappings are merged key by key."""
    joined = dict(base)
    for key, value in overrides.items():
        old = joined.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            value = merged(old, value)
        joined[key] = value
    return joined
