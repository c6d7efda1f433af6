"""A store that speaks S3: Amazon's, or the one in the cluster; versions are ETags."""

import logging
from pathlib import Path
from typing import Any

from augstudy.objects.address import Address
from augstudy.objects.base import ABSENT, Store, Stored
from augstudy.objects.filesystem import UnsupportedError, explained, file_system
from augstudy.objects.retry import PreconditionError, TransientError
from augstudy.objects.signin import SignIn

logger = logging.getLogger("augstudy")


class S3Store(Store):
    """A bucket or a folder in it, ``s3://bucket/folder`` or ``minio://bucket/folder``."""

    def __init__(self, address: Address, sign_in: SignIn) -> None:
        self.uri, self.container = address.uri, address.container
        self._bucket, self._root = address.bucket, address.path
        self._system = file_system(address, sign_in=sign_in)

    def _probe(self) -> None:
        with explained(self.uri):
            self._system.info(self._bucket)

    def _list(self, prefix: str) -> list[str]:
        folder = f"{self._root}/{prefix}".rpartition("/")[0]
        with explained(self.uri):
            found = self._system.find(folder)
            if not found:
                self._system.info(self._bucket)  # an error only if the bucket is missing as well
        keys = [str(path).removeprefix(f"{self._root}/") for path in found]
        return [key for key in keys if key.startswith(prefix)]

    def _version(self, key: str) -> str:
        with explained(self._named(key)):
            found = self._system.info(self._path(key))
        if found["type"] != "file":
            raise FileNotFoundError(key)
        return str(found["ETag"])

    def _read(self, key: str) -> bytes:
        with explained(self._named(key)):
            return bytes(self._system.cat_file(self._path(key)))

    def _lookup(self, key: str) -> Stored:
        version = self._version(key)
        data = self._read(key)
        if self._version(key) != version:
            raise TransientError("it is being replaced")
        return Stored(data, version)

    def _write(self, key: str, data: bytes, **condition: Any) -> None:
        with explained(self._named(key), "written"):
            self._system.pipe_file(self._path(key), data, **condition)

    def _delete(self, key: str) -> None:
        with explained(self._named(key), "deleted"):
            self._system.rm_file(self._path(key))

    def _replace(self, key: str, data: bytes, version: str) -> None:
        condition = {"IfNoneMatch": "*"} if version == ABSENT else {"IfMatch": version}
        try:
            self._write(key, data, **condition)
        except UnsupportedError:
            logger.info("%s: this store knows no conditional writes; the last one wins.", self.uri)
            try:
                now = self._version(key)
            except FileNotFoundError:
                now = ABSENT
            if now != version:
                raise PreconditionError(key) from None
            self._write(key, data)

    def _put_file(self, path: Path, key: str) -> None:
        with explained(self._named(key), "written"):
            self._system.put_file(str(path), self._path(key))

    def _get_file(self, key: str, path: Path) -> None:
        with explained(self._named(key)):
            self._system.get_file(self._path(key), str(path))

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def _named(self, key: str) -> str:
        return f"{self.uri}/{key}"
