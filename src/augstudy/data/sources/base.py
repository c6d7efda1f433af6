"""What every source of drawings offers, by which addresses it is known, and retries."""

import abc
import difflib
import threading
from collections.abc import Callable
from dataclasses import dataclass

from augstudy.core.errors import DataError, InputError, ServiceError
from augstudy.core.names import why_no_class
from augstudy.core.registry import Registry
from augstudy.objects import retry
from augstudy.objects.address import Address

SUFFIX = ".npy"


class ChangedError(DataError):
    """An object is no longer the one that was looked up."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri} changed while it was being read: run again to read the new one.")


@dataclass(frozen=True)
class ObjectInfo:
    """One class's file: its URI, its size in bytes, and what tells its versions apart.

    ``version`` is a generation, an ETag or a modification time, whatever the source has.
    """

    name: str
    uri: str
    size: int
    version: str


class Source(abc.ABC):
    """A folder of ``<class>.npy`` files.

    ``uri`` names it to people, and ``container`` is what must exist for it to exist at all, such
    as a bucket.
    """

    uri: str
    container: str

    @abc.abstractmethod
    def list_classes(self) -> list[str]:
        """Names of the classes there are, sorted.

        Raises:
            FileNotFoundError: the container itself does not exist.
        """

    @abc.abstractmethod
    def stat(self, name: str) -> ObjectInfo:
        """Look up the object of a class.

        Raises:
            FileNotFoundError: there is none.
        """

    @abc.abstractmethod
    def read(self, info: ObjectInfo, start: int, stop: int) -> bytes:
        """Bytes `start` to `stop` (exclusive) of an object.

        Raises:
            ChangedError: the object is no longer the one of `info`.
        """

    def confirm(self, info: ObjectInfo) -> None:
        """Make sure, after reading, that the object stayed the same the whole time.

        Raises:
            ChangedError: it did not, or it has gone.
        """
        try:
            now = self.stat(info.name)
        except FileNotFoundError as error:
            raise ChangedError(info.uri) from error
        if now != info:
            raise ChangedError(info.uri)

    def summary(self, received: int) -> str:
        """One sentence for the log, after `received` bytes were read."""
        return f"Read {received / 2**20:.1f} MiB from {self.uri}."


Opener = Callable[[str], Source]


@dataclass(frozen=True)
class Scheme:
    """A kind of address.

    Attributes:
        name: What its addresses begin with, up to ``://``; all of one that has no scheme.
        open: Opens the source at an address; raises InputError if there can be none.
        path: What comes behind the name in an example.
        remote: Whether reads may fail and are slow: then they are retried, and kept in a cache.
    """

    name: str
    open: Opener
    path: str = ""
    remote: bool = False


class Schemes(Registry[Scheme]):
    """The kinds of addresses."""

    def examples(self) -> str:
        """The addresses that can be opened, for an error: those on this machine come first."""
        found = sorted(self.values(), key=lambda item: (item.remote, "://" in item.name))
        *others, last = (item.name + item.path for item in found)
        return f"{', '.join(others)} or {last}"


SCHEMES = Schemes("source", Scheme)


def beginning(uri: str) -> str:
    """``gs://`` of ``gs://bucket``; all of what has no scheme, such as ``sample``."""
    name, separator, _ = uri.partition("://")
    return name + separator


class RetryingSource(Source):
    """A remote source with retries: back-off grows exponentially, with jitter.

    It is opened when first asked, so that a run served by the cache neither imports a client
    library nor looks for credentials.
    """

    def __init__(self, address: Address, opener: Opener) -> None:
        self._address, self._opener = address, opener
        self._lock = threading.Lock()
        self._opened: Source | None = None
        self.uri, self.container = address.uri, address.container

    @property
    def _source(self) -> Source:
        with self._lock:
            if self._opened is None:
                self._opened = self._opener(self._address.uri)
            return self._opened

    def list_classes(self) -> list[str]:
        """See :meth:`Source.list_classes`."""
        return retry.call(self.uri, "read", self._source.list_classes)

    def stat(self, name: str) -> ObjectInfo:
        """See :meth:`Source.stat`."""
        return retry.call(f"{self.uri}/{name}{SUFFIX}", "read", self._source.stat, name)

    def read(self, info: ObjectInfo, start: int, stop: int) -> bytes:
        """See :meth:`Source.read`; a body shorter than asked for counts as a failure too."""

        def whole() -> bytes:
            body = self._source.read(info, start, stop)
            if len(body) != stop - start:
                raise retry.TransientError(f"sent {len(body)} of {stop - start} bytes")
            return body

        return retry.call(info.uri, "read", whole)

    def confirm(self, info: ObjectInfo) -> None:
        """See :meth:`Source.confirm`."""
        retry.call(info.uri, "read", self._source.confirm, info)


def find_class(source: Source, name: str) -> ObjectInfo:
    """Look up the object of a class, or explain its absence.

    Raises:
        InputError: there is no such class, bucket or folder, and which classes there are; or the
            name would lead out of the source.
        ServiceError: the source cannot be reached or refuses access.
    """
    if reason := why_no_class(name):
        raise InputError(f"{name!r} is no name of a class: {reason}.")
    try:
        return source.stat(name)
    except FileNotFoundError as error:
        raise _missing(source, name) from error


def _missing(source: Source, name: str) -> InputError:
    try:
        present = source.list_classes()
    except FileNotFoundError:
        return InputError(f"There is no {source.container}: check the source {source.uri}.")
    except ServiceError:  # public objects in a bucket that may not be listed
        return InputError(f"{source.uri} holds no class {name!r}: check its spelling.")
    if not present:
        return InputError(f"{source.uri} holds no {SUFFIX} files: check the folder's name.")
    near = difflib.get_close_matches(name, present, n=3, cutoff=0.5)
    kind = "the nearest are" if near else f"it has {len(present)}, such as"
    listed = ", ".join(repr(item) for item in near or present[:5])
    return InputError(f"{source.uri} holds no class {name!r}: {kind} {listed}.")
