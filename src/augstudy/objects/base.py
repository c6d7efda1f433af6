"""What every store offers: objects by key, and folders of them moved as one."""

import abc
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from augstudy.core.artifacts import MANIFEST
from augstudy.core.errors import DataError, InputError, ServiceError
from augstudy.objects import retry
from augstudy.objects.retry import PreconditionError

ABSENT = ""  # the version of an object that does not exist
_PARALLEL = 8  # the HTTP clients keep ten connections each
Result = TypeVar("Result")


class MissingError(InputError):
    """There is no such object."""


class ConflictError(ServiceError):
    """An object was changed by somebody else meanwhile."""


@dataclass(frozen=True)
class Stored:
    """The content of an object, and what tells it apart from what is stored there later."""

    data: bytes
    version: str


class Store(abc.ABC):
    """A folder of objects; keys are relative to it, with ``/`` between their parts.

    Every method raises :class:`ServiceError` if the store cannot be reached or refuses access,
    and :class:`InputError` if its bucket does not exist; neither shows a credential.
    """

    uri: str
    container: str

    def keys(self, prefix: str = "") -> list[str]:
        """Keys of the objects whose key begins with `prefix`, sorted."""
        found = self._call(prefix, "read", self._list, prefix)
        return sorted(key for key in found if not key.endswith("/"))

    def exists(self, key: str) -> bool:
        """Whether there is an object `key`."""
        try:
            self._call(key, "read", self._version, key)
        except MissingError:
            return False
        return True

    def read(self, key: str) -> bytes:
        """Content of an object.

        Raises:
            MissingError: there is no such object.
        """
        return self._call(key, "read", self._read, key)

    def lookup(self, key: str) -> Stored | None:
        """Content and version of an object, for :meth:`replace`; None if there is none."""
        try:
            return self._call(key, "read", self._lookup, key)
        except MissingError:
            return None

    def write(self, key: str, data: bytes) -> None:
        """Write an object, whether or not there is one; a reader sees the old or the new one."""
        self._call(key, "written", self._write, key, data)

    def delete(self, key: str) -> None:
        """Delete an object; it is no error if there is none."""
        try:
            self._call(key, "deleted", self._delete, key)
        except MissingError:
            return

    def replace(self, key: str, data: bytes, version: str = ABSENT) -> None:
        """Write an object only if the one there still has `version` (default: there is none).

        Raises:
            ConflictError: somebody else wrote it meanwhile.
        """
        try:
            self._call(key, "written", self._replace, key, data, version)
        except (PreconditionError, MissingError) as error:
            now = self.lookup(key)
            # If it is what we wrote, an earlier attempt got through and its answer was lost.
            if now is None or now.data != data:
                raise ConflictError(
                    f"{self.uri}/{key} was changed by somebody else meanwhile: run again."
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
            key = _joined(prefix, name)
            self._call(key, "written", self._put_file, folder / name, key)

        _all_manifests_last(put, names)

    def download(self, prefix: str, folder: Path) -> None:
        """Fetch every object under ``prefix/`` into `folder`, each ``manifest.json`` last.

        Raises:
            MissingError: there is no object under it.
            DataError: a key would lead out of the folder.
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
            target.parent.mkdir(parents=True, exist_ok=True)
            self._call(key, "read", self._get_file, key, target)

        _all_manifests_last(get, keys)

    def _call(self, key: str, doing: str, function: Callable[..., Result], *values: Any) -> Result:
        uri = f"{self.uri}/{key}" if key else self.uri
        try:
            return retry.call(uri, doing, function, *values)
        except FileNotFoundError as error:
            raise self._missing(uri) from error

    def _missing(self, uri: str) -> InputError:
        """Why something was not found: there is no such object, or not even the bucket."""
        try:
            retry.call(self.uri, "read", self._probe)
        except FileNotFoundError:
            return InputError(f"There is no {self.container}: check the address {self.uri}.")
        except ServiceError:  # it may be read and written, but not be listed
            pass
        return MissingError(f"There is no object {uri}: check its name.")

    @abc.abstractmethod
    def _probe(self) -> None:
        """Raise FileNotFoundError if the bucket does not exist."""

    @abc.abstractmethod
    def _list(self, prefix: str) -> list[str]: ...

    @abc.abstractmethod
    def _version(self, key: str) -> str: ...

    @abc.abstractmethod
    def _read(self, key: str) -> bytes: ...

    @abc.abstractmethod
    def _lookup(self, key: str) -> Stored: ...

    @abc.abstractmethod
    def _write(self, key: str, data: bytes) -> None: ...

    @abc.abstractmethod
    def _delete(self, key: str) -> None: ...

    @abc.abstractmethod
    def _replace(self, key: str, data: bytes, version: str) -> None: ...

    @abc.abstractmethod
    def _put_file(self, path: Path, key: str) -> None: ...

    @abc.abstractmethod
    def _get_file(self, key: str, path: Path) -> None: ...


def _joined(prefix: str, name: str) -> str:
    prefix = prefix.strip("/")
    return f"{prefix}/{name}" if prefix else name


def _all_manifests_last(function: Callable[[str], None], names: Iterable[str]) -> None:
    """Call `function` of all names, several at once; the first failure ends it.

    An artifact may lie within another, which vouches for its manifest: the outer one is the last.
    """
    plain: list[str] = []
    manifests: dict[int, list[str]] = {}  # by depth
    for name in sorted(names):
        *folders, file = name.split("/")
        group = manifests.setdefault(len(folders), []) if file == MANIFEST else plain
        group.append(name)
    with ThreadPoolExecutor(_PARALLEL) as pool:
        for group in (plain, *(manifests[depth] for depth in sorted(manifests, reverse=True))):
            futures = [pool.submit(function, name) for name in group]
            try:
                for future in futures:
                    future.result()
            finally:
                for future in futures:
                    future.cancel()
