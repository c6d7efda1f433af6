"""What stores speak of: versions of objects, and what can happen to them."""

from dataclasses import dataclass

from augstudy.core.errors import DataError, InputError, ServiceError

ABSENT = ""  # the version of an object that does not exist
Span = tuple[int, int]  # the first byte, and the one after the last


class MissingError(InputError):
    """There is no such object."""


class ConflictError(ServiceError):
    """An object was changed by somebody else meanwhile."""


class RefusedError(ServiceError):
    """The service does not let us."""


class UnsupportedError(ServiceError):
    """The service does not know what it was asked for."""


class ChangedError(DataError):
    """An object is no longer the one that was looked up."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri} changed while it was being read: run again to read the new one.")


@dataclass(frozen=True)
class Stat:
    """The size of an object in bytes, and what tells it apart from what is stored there later.

    ``version`` is a generation, an ETag or a time of modification, whatever the store has.
    """

    size: int
    version: str


@dataclass(frozen=True)
class Stored:
    """The content of an object, and its version."""

    data: bytes
    version: str
