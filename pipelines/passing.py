"""Hands the parameters of a pipeline on to its steps."""

from collections.abc import Mapping
from typing import Any

from kfp.dsl.base_component import BaseComponent
from kfp.dsl.types.type_utils import is_parameter_type

RECIPE = "_recipe"  # behind the name of a recipe in components, which have artifacts of that name


def taken(component: BaseComponent, given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the parameters `given` that a component or an inner pipeline asks for, by name.

    KFP runs a step anew if a parameter of it changed, so each is handed what it uses and no more.
    """
    inputs = component.component_spec.inputs or {}
    wanted = [name for name, item in inputs.items() if is_parameter_type(item.type)]
    plain = {name: name.removesuffix(RECIPE) for name in wanted}
    return {name: given[plain[name]] for name in wanted if plain[name] in given}
