"""Drawings behind any scheme fsspec knows, ``s3://`` first of all."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import fsspec

from augstudy.data.sources.address import Address
from augstudy.data.sources.base import (
    SUFFIX,
    ObjectInfo,
    Source,
    TransientError,
)
from augstudy.errors import InputError, ServiceError

_VERSION_KEYS = ("ETag", "etag", "VersionId", "version_id", "generation", "mtime", "LastModified")


class FsspecSource(Source):
    """A folder on a file system of fsspec, ``s3://bucket/folder``.

    Reads cannot be pinned to a version here, so :meth:`Source.confirm` looks the object up again
    once it has been read.
    """

    def __init__(self, address: Address) -> None:
        self.uri, self.container = address.uri, address.container
        self._bucket = address.bucket
        self._is_s3 = address.scheme == "s3"
        self._system = _file_system(address.scheme, self._is_s3)
        self._known_errors = _library_errors()

    def list_classes(self) -> list[str]:
        """See :meth:`Source.list_classes`."""
        with self._explained(self.uri):
            try:
                found = self._system.ls(self.uri, detail=False)
            except FileNotFoundError:
                if self._is_s3:  # no folder there: an error only if the bucket is missing as well
                    self._system.info(self._bucket)
                    return []
                raise
        names = [str(path).rsplit("/", 1)[-1] for path in found]
        return sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX))

    def stat(self, name: str) -> ObjectInfo:
        """See :meth:`Source.stat`; the version is the ETag or the next best thing there is."""
        uri = f"{self.uri}/{name}{SUFFIX}"
        with self._explained(uri):
            found = self._system.info(uri)
        if found["type"] != "file":
            raise FileNotFoundError(uri)
        version = next((found[key] for key in _VERSION_KEYS if found.get(key)), "unknown")
        return ObjectInfo(name, uri, int(found["size"]), str(version).strip('"'))

    def read(self, info: ObjectInfo, start: int, stop: int) -> bytes:
        """See :meth:`Source.read`."""
        with self._explained(info.uri):
            return bytes(self._system.cat_file(info.uri, start=start, end=stop))

    @contextlib.contextmanager
    def _explained(self, uri: str) -> Iterator[None]:
        """Turn the file system's errors into ours."""
        try:
            yield
        except FileNotFoundError:
            raise
        except PermissionError as error:
            raise ServiceError(
                f"{uri} refuses access: check its name, its permissions and the credentials."
            ) from error
        except self._known_errors as error:
            if "Credential" in type(error).__name__ or "Token" in type(error).__name__:
                raise ServiceError(f"{uri} cannot be read: the credentials are bad.") from error
            status = _status(error)
            if status is not None and status < 500 and status not in (408, 429):
                raise ServiceError(
                    f"{uri} cannot be read: the service answered {status}, check the address."
                ) from error
            answer = f"the service answered {status}" if status else f"{type(error).__name__}"
            raise TransientError(answer) from error


def _file_system(scheme: str, is_s3: bool) -> Any:
    options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    try:
        system_class = fsspec.get_filesystem_class(scheme)
        if is_s3:
            options |= {
                "anon": not _has_aws_credentials(),
                "config_kwargs": {"retries": {"total_max_attempts": 1}},
            }
        system = system_class(**options)
    except ImportError as error:
        extra = "pip install 'augstudy[s3]'" if is_s3 else f"the fsspec package for {scheme}://"
        raise InputError(f"Reading {scheme}:// needs a package not installed: {extra}.") from error
    except ValueError as error:
        raise InputError(
            f"Unknown source scheme {scheme}://: use sample, file://, gs:// or s3://."
        ) from error
    if is_s3:
        system.retries = 1  # RetryingSource is the only one who retries
    return system


def _has_aws_credentials() -> bool:
    from botocore.session import Session

    return Session().get_credentials() is not None


def _library_errors() -> tuple[type[Exception], ...]:
    """Exceptions by which file systems report trouble with the service."""
    known: list[type[Exception]] = [OSError, asyncio.TimeoutError]
    with contextlib.suppress(ImportError):
        from botocore.exceptions import BotoCoreError

        known.append(BotoCoreError)
    with contextlib.suppress(ImportError):
        from aiohttp import ClientError

        known.append(ClientError)
    return tuple(known)


def _status(error: BaseException) -> int | None:
    """HTTP status behind an error of s3fs or fsspec's HTTP file system, if it has one."""
    for item in (error, error.__cause__):
        response = getattr(item, "response", None)
        if isinstance(response, dict):
            return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) or None
        if isinstance(status := getattr(item, "status", None), int):
            return status
    return None
