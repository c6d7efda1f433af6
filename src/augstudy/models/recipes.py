"""Recipes of classifiers, whose networks each bring their own, and what changes recipes."""

from collections.abc import Mapping
from typing import Any

from augstudy.models import classifiers
from augstudy.settings.base import parse
from augstudy.settings.classifier import ClassifierSettings


def classifier_recipe(name: str, overrides: Mapping[str, Any] | None = None) -> ClassifierSettings:
    """Settings of the classifier recipe `name`, with `overrides` on top.

    Raises:
        InputError: unknown recipe, setting or architecture, or a value out of range.
    """
    own = {"architecture": name, **classifiers.ARCHITECTURES.find(name).recipe}
    values = merged(own, overrides or {})
    found = parse(ClassifierSettings, values, f"classifier {name!r}")
    classifiers.changed(found.architecture, found.network)
    return found


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
