"""What every source of images offers, and by which addresses it is known.

There are two kinds. A :class:`Source` has a file per class, of which ranges of bytes are read; a
:class:`RecordSource` has a record per image, which is read whole.
"""

import abc
import difflib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augstudy.core.errors import InputError
from augstudy.core.names import why_no_class
from augstudy.core.registry import Registry
from augstudy.objects import EXAMPLES, MissingError, RefusedError
from augstudy.objects.cache import CachedStore, Reader

SUFFIX = ".npy"


@dataclass(frozen=True)
class ObjectInfo:
    """One class's file: its URI, its size in bytes, and what tells its versions apart.

    ``version`` is a generation, an ETag or a modification time, whatever the source has.
    """

    name: str
    uri: str
    size: int
    version: str


class _Stored:
    """What lies in a store. ``uri`` names it to people; some ships with the package instead."""

    uri: str
    store: Reader | None = None

    @property
    def trusted(self) -> bool:
        """Whether it relied on the cache about the version of an object."""
        return isinstance(self.store, CachedStore) and self.store.trusted

    def summary(self, received: str) -> str:
        """One sentence for the log, after what was `received`, in words, was read."""
        if isinstance(self.store, CachedStore):
            return self.store.summary(received)
        return f"Read {received} from {self.uri}."


class Source(_Stored, abc.ABC):
    """Images by class, each class in a file, in a format that is read from any store."""

    @abc.abstractmethod
    def list_classes(self) -> list[str]:
        """Names of the classes there are, sorted.

        Raises:
            InputError: the bucket or folder itself does not exist.
        """

    @abc.abstractmethod
    def stat(self, name: str) -> ObjectInfo:
        """Look up the file of a class.

        Raises:
            MissingError: there is none.
        """

    @abc.abstractmethod
    def read(self, info: ObjectInfo, start: int, stop: int) -> bytes:
        """Bytes `start` to `stop` (exclusive) of a file.

        Raises:
            ChangedError: the file is no longer the one of `info`.
        """


Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Record:
    """One image of a source.

    Attributes:
        label: Name of its class.
        name: What it is called within its class, whatever the format. Images are put in order and
            named to people by it.
        key: Where it lies, for the source.
        group: What it belongs with; empty for an image of its own.
        split: ``train``, ``val`` or ``test``; empty where the source does not say.
    """

    label: str
    name: str
    key: str
    group: str = ""
    split: str = ""


class RecordSource(_Stored, abc.ABC):
    """Images with a record each."""

    store: Reader

    def __init__(self, uri: str, store: Reader) -> None:
        self.uri, self.store = uri, store
        self.left_out: Counter[str] = Counter()

    @abc.abstractmethod
    def records(self) -> list[Record]:
        """All images there are, in any order; what is no image is counted in ``left_out``.

        Raises:
            InputError: it is not laid out as its format wants.
            DataError: it is corrupt.
        """

    @abc.abstractmethod
    def read(self, record: Record) -> bytes | Pixels:
        """An image: the content of its file, or pixels (height, width) or (height, width, 3).

        May be called in several threads at once.

        Raises:
            ChangedError: the file is no longer the one that was listed.
        """


Opener = Callable[[str], Reader]


@dataclass(frozen=True)
class Format:
    """A format of sources.

    Attributes:
        name: How its addresses end, such as ``.zip``; or the one address that it has.
        open: Opens the source at an address, in a store that it opens itself.
        example: An address, for errors; empty if it is the name.
    """

    name: str
    open: Callable[[str, Opener], Source | RecordSource]
    example: str = ""


class Formats(Registry[Format]):
    """The formats of sources, besides folders of ``<class>.npy``."""

    def of(self, uri: str) -> Format | None:
        """The format of the source at an address; None if it has none of its own."""
        endings = (item for name, item in self.items() if name[0] == "." and uri.endswith(name))
        return self.get(uri) or next(endings, None)

    def examples(self) -> str:
        """The addresses that can be opened, for an error: those on this machine come first."""
        others = [item.example for item in self.values() if item.example]
        *first, last = ("sample", *EXAMPLES[:-1], *others)
        return f"{', '.join(first)} or {last}"


FORMATS = Formats("source", Format)


def find_class(source: Source, name: str) -> ObjectInfo:
    """Look up the file of a class, or explain its absence.

    Raises:
        InputError: there is no such class, bucket or folder, and which classes there are; or the
            name would lead out of the source.
        ServiceError: the source cannot be reached or refuses access.
    """
    if reason := why_no_class(name):
        raise InputError(f"{name!r} cannot be the name of a class: {reason}.")
    try:
        return source.stat(name)
    except MissingError as error:
        raise _missing(source, name) from error


def _missing(source: Source, name: str) -> InputError:
    try:
        present = source.list_classes()
    except RefusedError:  # public objects in a bucket that may not be listed
        return InputError(f"{source.uri} holds no class {name!r}: check its spelling.")
    if not present:
        return InputError(f"{source.uri} holds no {SUFFIX} files: check the folder's name.")
    return missing_class(source.uri, name, present)


def missing_class(uri: str, name: str, present: Sequence[str]) -> InputError:
    """The error that says that a source has no class `name`, and which classes it has."""
    near = difflib.get_close_matches(name, present, n=3, cutoff=0.5)
    kind = "the nearest are" if near else f"it has {len(present)}, such as"
    listed = ", ".join(repr(item) for item in near or present[:5])
    return InputError(f"{uri} holds no class {name!r}: {kind} {listed}.")
