"""What all settings have in common: an unknown key or a value out of range is an error."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from augstudy.core.errors import InputError
from augstudy.core.redaction import without_secrets

Precision = Literal["auto", "float32", "mixed_bfloat16"]


class Settings(BaseModel):
    """Base of all settings: immutable, and unknown keys are errors.

    Descriptions are for people; no cached result depends on them.
    """

    # Tracebacks end up in logs, and what was typed may be a secret in the wrong place.
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        protected_namespaces=(),
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )


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
        shown = "" if _is_secret(model, first["loc"]) else f" (got {short(first['input'])})"
        raise InputError(f"{what}, {where}: {message}{shown}.") from error


def short(value: object) -> str:
    """A value that somebody typed, for a message; of a long one the beginning."""
    try:
        text = without_secrets(repr(value))  # before a part of it is cut off
    except ValueError:  # a number with thousands of digits
        return "a huge number"
    return text if len(text) <= 100 else f"{text[:97]}..."


def _is_secret(model: type[BaseModel], place: Sequence[int | str]) -> bool:
    """Whether an error at `place` is about a field whose value must not be shown."""
    field = model.model_fields.get(str(place[0]))
    return field is not None and SecretStr in (field.annotation, *get_args(field.annotation))
