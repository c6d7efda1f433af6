"""Results of checks: a line each, and for what is not well the command that mends it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from augstudy.core.errors import AugstudyError

State = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    state: State
    what: str
    mend: str = ""

    def __str__(self) -> str:
        line = f"{self.state:<8} {self.what}"
        return f"{line}\n{'':<8} -> {self.mend}" if self.mend else line


def ok(what: str) -> Finding:
    """All is well."""
    return Finding("ok", what)


def warning(what: str, mend: str = "") -> Finding:
    """A run may work, but not as one would wish."""
    return Finding("warning", what, mend)


def wrong(what: str, mend: str = "") -> Finding:
    """A run would fail."""
    return Finding("wrong", what, mend)


def guarded(check: Callable[[], Iterator[Finding]], mend: str = "") -> Iterator[Finding]:
    """The findings of a check; what it raises as an error for people is one more."""
    try:
        yield from check()
    except AugstudyError as error:
        yield wrong(str(error), mend)
