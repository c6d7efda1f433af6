"""summary.json and decision.json: written by nobody else, and read by nobody else."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from augstudy.core.errors import AugstudyError, DataError
from augstudy.core.files import read_bytes, write_json
from augstudy.results import version1
from augstudy.results.models import GeneratorSweep, Retraining, Study, Sweep

SUMMARY = "summary.json"
DECISION = "decision.json"
VERSION = 2

AnySummary: TypeAlias = Study | Sweep | GeneratorSweep
Result = TypeVar("Result")
_SUMMARIES: TypeAdapter[AnySummary] = TypeAdapter(
    Annotated[AnySummary, Field(discriminator="kind")]
)
_DECISIONS = TypeAdapter(Retraining)


def write(folder: Path, found: AnySummary | Retraining) -> None:
    """Write summary.json or decision.json into a folder."""
    name = DECISION if isinstance(found, Retraining) else SUMMARY
    write_json(folder / name, found.model_dump(mode="json"))


def summary(content: object, where: object = SUMMARY) -> AnySummary:
    """The results that the content of a summary.json of any version holds.

    Args:
        content: text, or what it holds.
        where: named in errors.

    Raises:
        DataError: it is damaged, or of a newer version than this program knows.
    """
    return _parsed(content, where, version1.summary, _SUMMARIES)


def decision(content: object, where: object = DECISION) -> Retraining:
    """The same of a decision.json.

    Raises:
        DataError: see :func:`summary`.
    """
    return _parsed(content, where, version1.decision, _DECISIONS)


def read_summary(folder: Path) -> AnySummary | None:
    """The results in a folder; None if there are none.

    Raises:
        DataError: see :func:`summary`.
    """
    text = _text(folder / SUMMARY)
    return None if text is None else summary(text, folder / SUMMARY)


def read_decision(folder: Path) -> Retraining | None:
    """The decision in a folder; None if there is none.

    Raises:
        DataError: see :func:`summary`.
    """
    text = _text(folder / DECISION)
    return None if text is None else decision(text, folder / DECISION)


def load(folder: Path) -> tuple[AnySummary | None, Retraining | None, bool]:
    """Summary and decision in a folder as far as they can be read, and whether one is damaged."""
    found: list[Any] = []
    damaged = False
    for read in (read_summary, read_decision):
        try:
            found.append(read(folder))
        except DataError:
            found.append(None)
            damaged = True
    return found[0], found[1], damaged


def _text(path: Path) -> bytes | None:
    try:
        return read_bytes(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}).") from error


def _parsed(
    content: object,
    where: object,
    upgrade: Callable[[Mapping[str, Any]], dict[str, Any]],
    adapter: TypeAdapter[Result],
) -> Result:
    try:
        held = json.loads(content) if isinstance(content, str | bytes) else content
        if not isinstance(held, Mapping):
            raise ValueError("it is not a mapping")
        version = held.get("schema_version", 1)
        if isinstance(version, int) and version > VERSION:
            raise DataError(
                f"{where} was written by a newer augstudy (version {version} of the file, this one "
                f"reads up to {VERSION}): upgrade to read it."
            )
        return adapter.validate_python(upgrade(held) if version == 1 else held)
    except AugstudyError:
        raise
    except Exception as error:  # there is no end of what a damaged file may hold
        raise DataError(f"{where} is damaged ({_first(error)}): run again.") from error


def _first(error: Exception) -> str:
    """What is wrong with a file, in a few words."""
    if isinstance(error, ValidationError):
        item = error.errors()[0]
        return f"{'.'.join(map(str, item['loc']))}: {item['msg']}"
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
