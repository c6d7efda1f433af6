"""Folders that only fsspec knows, such as ``https://``; they are read, and never written."""

from typing import Any, BinaryIO, NoReturn
from urllib.parse import quote, unquote

import fsspec

from augstudy.core.errors import InputError
from augstudy.objects.address import Address
from augstudy.objects.base import Store
from augstudy.objects.retry import PreconditionError
from augstudy.objects.types import Span, Stat

_VERSION_KEYS = ("ETag", "etag", "VersionId", "version_id", "generation", "mtime", "LastModified")


class FsspecStore(Store):
    """A folder on a file system of fsspec."""

    def __init__(self, address: Address) -> None:
        self.uri, self.container = address.uri, address.container
        try:
            system = fsspec.get_filesystem_class(address.scheme)
            self._system: Any = system(skip_instance_cache=True, use_listings_cache=False)
        except ImportError as error:
            web = address.scheme in ("http", "https")
            package = "pip install 'augstudy[http]'" if web else "the one of fsspec for it"
            raise InputError(
                f"Reading {address.scheme}:// needs a package that is not installed: {package}."
            ) from error
        except ValueError as error:
            raise InputError(
                f"Unknown source scheme {address.scheme}://: use file://, gs:// or s3://."
            ) from error
        self._root = self._system._strip_protocol(address.uri).rstrip("/")
        # In an address of the web, names are quoted: ? and # would end its path.
        self._is_web = address.scheme in ("http", "https")
        self.errors = _library_errors()

    def _probe(self) -> None:
        self._system.ls(self._root, detail=False)

    def _list(self, prefix: str, deep: bool) -> dict[str, Stat]:
        look = self._system.find if deep else self._system.ls
        folder = f"{self._root}/{prefix}".rpartition("/")[0]
        found = look(folder, detail=True)
        files = {item["name"]: item for item in (found.values() if deep else found)}
        keys = {name: self._key(name) for name, item in files.items() if item["type"] == "file"}
        return {
            key: _described(files[name]) for name, key in keys.items() if key.startswith(prefix)
        }

    def _stat(self, key: str) -> Stat:
        found = self._system.info(self._path(key))
        if found["type"] != "file":
            raise FileNotFoundError(key)
        return _described(found)

    def _fetch(
        self, key: str, into: BinaryIO, span: Span | None = None, version: str | None = None
    ) -> None:
        start, stop = span or (None, None)
        into.write(self._system.cat_file(self._path(key), start=start, end=stop))
        # Reads cannot be pinned to a version here.
        if version not in (None, self._stat(key).version):
            raise PreconditionError(key)

    def _put(self, key: str, stream: BinaryIO, version: str | None) -> NoReturn:
        raise InputError(f"{self.uri} can only be read: use gs://, s3:// or file://.")

    def _delete(self, key: str) -> NoReturn:
        raise InputError(f"{self.uri} can only be read: use gs://, s3:// or file://.")

    def _path(self, key: str) -> str:
        return f"{self._root}/{quote(key) if self._is_web else key}"

    def _key(self, path: str) -> str:
        key = path.removeprefix(self._root).lstrip("/")
        return unquote(key) if self._is_web else key

    def _status(self, error: Exception, uri: str, doing: str) -> int | None:
        if isinstance(error, PermissionError):
            return 403
        status = getattr(error, "status", None)
        return status if isinstance(status, int) else None


def _library_errors() -> tuple[type[Exception], ...]:
    """Exceptions by which file systems report trouble with the service."""
    try:
        from aiohttp import ClientError
    except ImportError:
        return (OSError, TimeoutError)
    return (OSError, TimeoutError, ClientError)


def _described(found: dict[str, Any]) -> Stat:
    version = next((found[key] for key in _VERSION_KEYS if found.get(key)), "unknown")
    return Stat(int(found["size"] or 0), str(version).strip('"'))
