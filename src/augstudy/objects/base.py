"""What every store offers: objects by key, and folders of them moved as one."""

import abc
import contextlib
import io
import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TypeVar

from augstudy.core.artifacts import MANIFEST
from augstudy.core.errors import AugstudyError, DataError, InputError, ServiceError
from augstudy.objects import retry
from augstudy.objects.parallel import side_by_side
from augstudy.objects.retry import PageError, PreconditionError, TransientError
from augstudy.objects.types import (
    ABSENT,
    ChangedError,
    ConflictError,
    MissingError,
    RefusedError,
    Span,
    Stat,
    Stored,
    UnsupportedError,
)

_PASSING = (408, 409, 429)  # 409: another write of the same object is going on
Result = TypeVar("Result")


class Store(abc.ABC):
    """A folder of objects; keys are relative to it, with ``/`` between their parts.

    Every method raises :class:`ServiceError` if the store cannot be reached or refuses access,
    and :class:`InputError` if its bucket does not exist; neither shows a credential.

    A client of a store is a subclass with the methods that begin with an underscore below. They
    let the exceptions of its library through, which are made ours here, by their HTTP status, and
    raise :class:`PageError` where something else answers than a store.
    """

    uri: str
    container: str
    errors: tuple[type[Exception], ...]
    advice = "check its name, its permissions and the credentials"  # where access is refused
    made_on_demand = False  # whether writing makes the bucket

    def find(self, prefix: str = "", *, deep: bool = True) -> dict[str, Stat]:
        """Objects whose key begins with `prefix`, by key; not those in folders unless `deep`."""
        found = self._call(prefix, "read", self._list, prefix, deep)
        return {key: found[key] for key in sorted(found) if not key.endswith("/")}

    def keys(self, prefix: str = "", *, deep: bool = True) -> list[str]:
        """Keys of the objects whose key begins with `prefix`, sorted; see :meth:`find`."""
        return list(self.find(prefix, deep=deep))

    def stat(self, key: str) -> Stat:
        """Size and version of an object.

        Raises:
            MissingError: there is no such object.
        """
        return self._call(key, "read", self._stat, key)

    def exists(self, key: str) -> bool:
        """Whether there is an object `key`."""
        try:
            self.stat(key)
        except MissingError:
            return False
        return True

    def read(self, key: str, span: Span | None = None, version: str | None = None) -> bytes:
        """Content of an object.

        Args:
            key: The object.
            span: The bytes to read; None means all.
            version: That the object must have; None means any.

        Raises:
            MissingError: there is no such object.
            ChangedError: it is not of that version, or no longer there.
        """
        try:
            return self._call(key, "read", self._content, key, span, version)
        except (PreconditionError, MissingError) as error:
            if version is None:
                raise
            raise ChangedError(f"{self.uri}/{key}") from error

    def lookup(self, key: str) -> Stored | None:
        """Content and version of an object, for :meth:`replace`; None if there is none."""

        def both() -> Stored:
            version = self._stat(key).version
            try:
                data = self._translated(
                    f"{self.uri}/{key}", "read", self._content, key, None, version
                )
            except PreconditionError as error:
                raise TransientError("it is being replaced") from error
            return Stored(data, version)

        try:
            return self._call(key, "read", both)
        except MissingError:
            return None

    def write(self, key: str, data: bytes) -> None:
        """Write an object, whether or not there is one; a reader sees the old or the new one."""
        self._upload(key, io.BytesIO(data), None)

    def replace(self, key: str, data: bytes, version: str = ABSENT) -> None:
        """Write an object only if the one there still has `version` (default: there is none).

        Raises:
            ConflictError: somebody else wrote it meanwhile.
        """
        try:
            self._upload(key, io.BytesIO(data), version)
        except (PreconditionError, MissingError) as error:
            now = self.lookup(key)
            # If it is what we wrote, an earlier attempt got through and its answer was lost.
            if now is None or now.data != data:
                self._conflict(key, error)

    def delete(self, key: str) -> None:
        """Delete an object; it is no error if there is none."""
        try:
            self._call(key, "deleted", self._delete, key)
        except MissingError:
            return

    def check(self) -> None:
        """Make sure that the bucket, or the folder on this machine, exists.

        Raises:
            InputError: it does not.
        """
        try:
            retry.call(self.uri, "read", self._translated, self.uri, "read", self._probe)
        except FileNotFoundError as error:
            raise InputError(
                f"There is no {self.container}: check the address {self.uri}."
            ) from error

    def local(self, key: str) -> Path | None:
        """Where an object or a folder of them lies on this machine, if it does."""
        return None

    def upload(self, folder: Path, prefix: str) -> None:
        """Store every file of `folder` under ``prefix/``, each ``manifest.json`` last.

        So a reader who finds the manifest finds all files that it vouches for.

        Raises:
            InputError: there is no such folder, or nothing in it.
        """
        names = [
            path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
        ]
        if not names:
            raise InputError(f"{folder} is missing or empty: there is nothing to store.")

        def put(name: str) -> None:
            with (folder / name).open("rb") as stream:
                self._upload(_joined(prefix, name), stream, None)

        _all_manifests_last(put, names)

    def download(self, prefix: str, folder: Path) -> None:
        """Fetch every object under ``prefix/`` into `folder`, each ``manifest.json`` last.

        Raises:
            MissingError: there is no object under it.
            DataError: a key would lead out of the folder.
            ServiceError: the folder cannot be written.
        """
        start = _joined(prefix, "")
        keys = self.keys(start)
        if not keys:
            raise MissingError(f"There is nothing in {self.uri}/{start}: check its name.")
        root = folder.resolve()

        def get(key: str) -> None:
            target = (root / key.removeprefix(start)).resolve()
            if not target.is_relative_to(root):
                raise DataError(f"{self.uri}/{key} would be written outside {folder}: remove it.")
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as stream:
                    self._call(key, "read", self._fetch_anew, key, stream)
            except OSError as error:
                raise ServiceError(
                    f"{target} cannot be written: {error.strerror or type(error).__name__}."
                ) from error

        _all_manifests_last(get, keys)

    def _content(self, key: str, span: Span | None, version: str | None) -> bytes:
        buffer = io.BytesIO()
        self._fetch(key, buffer, span, version)
        data = buffer.getvalue()
        if span and len(data) != span[1] - span[0]:
            raise TransientError(f"sent {len(data)} of {span[1] - span[0]} bytes")
        return data

    def _fetch_anew(self, key: str, into: BinaryIO) -> None:
        into.seek(0)
        into.truncate()
        self._fetch(key, into)

    def _upload(self, key: str, stream: BinaryIO, version: str | None) -> None:
        def put() -> None:
            stream.seek(0)
            self._put(key, stream, version)

        self._call(key, "written", put)

    def _call(self, key: str, doing: str, function: Callable[..., Result], *values: Any) -> Result:
        uri = f"{self.uri}/{key}" if key else self.uri
        try:
            return retry.call(uri, doing, lambda: self._translated(uri, doing, function, *values))
        except FileNotFoundError as error:
            if not self.made_on_demand:
                with contextlib.suppress(RefusedError):  # it may be read, but not be listed
                    self.check()
            raise MissingError(f"There is no object {uri}: check its name.") from error

    def _translated(
        self, uri: str, doing: str, function: Callable[..., Result], *values: Any
    ) -> Result:
        """The one place where the exceptions of a client library become ours."""
        try:
            return function(*values)
        except (AugstudyError, FileNotFoundError, PreconditionError, TransientError):
            raise
        except PageError as error:
            raise ServiceError(
                f"{uri} cannot be {doing}: what answers is a web page and not the store. Log in to "
                "the proxy before it, or check the store's address."
            ) from error
        except self.errors as error:
            self._raise(error, uri, doing)

    def _raise(self, error: Exception, uri: str, doing: str) -> NoReturn:
        status = self._status(error, uri, doing)
        if status is None:
            raise TransientError(f"no answer, {type(error).__name__}") from error
        if status == 404:
            raise FileNotFoundError(uri) from error
        if status == 412:
            raise PreconditionError(uri) from error
        if status in (401, 403):
            raise RefusedError(f"{uri} refuses access: {self.advice}.") from error
        if status in _PASSING or (status >= 500 and status != 501):
            raise TransientError(f"the service answered {status}") from error
        kind = UnsupportedError if status == 501 else ServiceError
        raise kind(
            f"{uri} cannot be {doing}: the service answered {status}, check the address."
        ) from error

    def _conflict(self, key: str, error: Exception | None = None) -> NoReturn:
        raise ConflictError(
            f"{self.uri}/{key} was changed by somebody else in the meantime: run again."
        ) from error

    @abc.abstractmethod
    def _status(self, error: Exception, uri: str, doing: str) -> int | None:
        """The HTTP status behind an error of the library; None if there was no answer.

        Raises:
            AugstudyError: the error is better told in other words.
        """

    @abc.abstractmethod
    def _probe(self) -> None:
        """Raise FileNotFoundError, or what is answered with 404, if the bucket does not exist."""

    @abc.abstractmethod
    def _list(self, prefix: str, deep: bool) -> dict[str, Stat]: ...

    @abc.abstractmethod
    def _stat(self, key: str) -> Stat: ...

    @abc.abstractmethod
    def _fetch(
        self, key: str, into: BinaryIO, span: Span | None = None, version: str | None = None
    ) -> None:
        """Write the content, or those bytes of it, into a stream.

        Raises PreconditionError if the object is of another version.
        """

    @abc.abstractmethod
    def _put(self, key: str, stream: BinaryIO, version: str | None) -> None:
        """Store what is in a stream.

        Raises PreconditionError if the object there is not of `version`; None means any.
        """

    @abc.abstractmethod
    def _delete(self, key: str) -> None: ...


def _joined(prefix: str, name: str) -> str:
    prefix = prefix.strip("/")
    return f"{prefix}/{name}" if prefix else name


def _all_manifests_last(function: Callable[[str], None], names: Iterable[str]) -> None:
    """Call `function` of all names, several at once; the first failure ends it.

    An artifact may lie within another, which vouches for its manifest: the outer one is the last.
    """
    groups: dict[float, list[str]] = defaultdict(list)
    for name in sorted(names):
        *folders, file = name.split("/")
        groups[len(folders) if file == MANIFEST else math.inf].append(name)
    for depth in sorted(groups, reverse=True):
        for _ in side_by_side(function, groups[depth]):
            pass
