"""Sets of synthetic images: what a study names, and how people type it.

A set is made here by a generator, or imported: images that somebody else made.
"""

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from typing_extensions import Self

from augstudy.core.errors import InputError
from augstudy.objects.address import absolute, refuse_credentials
from augstudy.settings.base import Settings

NAME = r"[a-z0-9][a-z0-9_]{0,39}"
Copies = Literal["drop", "keep", "fail"]
COPIES: tuple[Copies, ...] = ("drop", "keep", "fail")
_NAMED = re.compile(rf"({NAME})=(.+)")


class SyntheticSet(Settings):
    """A set of synthetic images, by its name."""

    set: str = Field(pattern=f"^{NAME}$", description="its name, as arms and tables call it")
    source: str = Field(
        "", description="where the images are, in any format of sources; empty if made here"
    )
    gan: str = Field("", description="recipe of the generator; empty means that of the study")
    settings: dict[str, Any] = Field(default_factory=dict, description="changes to that recipe")
    classes: dict[str, str] = Field(
        default_factory=dict,
        description="names of its classes for those of the study that it calls otherwise, such as "
        "{automobile: car}",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.source and (self.gan or self.settings):
            raise ValueError(f"set {self.set!r} is either imported or made: drop source or gan")
        if self.classes and not self.source:
            raise ValueError(f"set {self.set!r} is made here: its classes are those of the study")
        refuse_credentials(self.source, "source")
        return self

    @property
    def imported(self) -> bool:
        """Whether its images come from outside."""
        return bool(self.source)


def parse_sets(text: str, recipes: Collection[str]) -> list[dict[str, Any]]:
    """Parse ``sd=../sd15 gan=compact diffusion`` into sets.

    Each word is a recipe of a generator or the address of images, with a name and ``=`` before it,
    or named after the recipe or the folder.

    Args:
        text: words with spaces between them; quotes hold a word with spaces together.
        recipes: names of recipes.

    Raises:
        InputError: a word is neither a recipe nor the address of anything.
    """
    made = []
    for word in _words(text):
        found = _NAMED.fullmatch(word)
        name, value = (found[1], found[2]) if found else ("", word)
        item = {"gan": value} if value in recipes else {"source": _address(value, recipes)}
        made.append({"set": name or name_of(value), **item})
    return made


def name_of(address: str) -> str:
    """The name of a set that nobody named: that of its recipe, folder or file."""
    stem = Path(urlsplit(address).path.rstrip("/")).name.partition(".")[0]
    name = re.sub("[^a-z0-9]+", "_", stem.lower()).strip("_")[:40].strip("_")
    return name or "imported"


def of_study(items: Sequence[Mapping[str, Any]], gan: str) -> list[dict[str, Any]]:
    """The sets of a study: those that it names, or else one that the recipe `gan` makes."""
    return [dict(item) for item in items] or [{"set": name_of(gan), "gan": gan}]


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise InputError(f"Synthetic sets {text!r} have a quote that does not end.") from error


def _address(value: str, recipes: Collection[str]) -> str:
    plain = "/" not in value and "." not in value
    if plain and not Path(value).exists():
        raise InputError(
            f"Synthetic set {value!r} is neither a folder nor a recipe of a generator; recipes "
            f"are {', '.join(recipes)}."
        )
    return absolute(value)
