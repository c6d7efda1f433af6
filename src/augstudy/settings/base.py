"""What all settings have in common: an unknown key or a value out of range is an error."""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from augstudy.core.errors import InputError

Precision = Literal["auto", "float32", "mixed_bfloat16"]


class Settings(BaseModel):
    """Base of all settings: immutable, and unknown keys are errors.

    Descriptions are for people; no cached result depends on them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], values: Mapping[str, Any], what: str) -> Model:
    """Validate `values` as `model`.

    Raises:
        InputError: one sentence naming the first setting that is wrong.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = ", ".join(model.model_fields)
            raise InputError(f"{what} has no setting {where!r}; it has: {known}.") from error
        message = first["msg"].removeprefix("Value error, ")
        if not where:  # a rule over several settings: the message says which
            raise InputError(f"{what}: {message}.") from error
        raise InputError(f"{what}, {where}: {message} (got {first['input']!r}).") from error
