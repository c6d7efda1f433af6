"""A store that is a folder of this machine, ``file:///folder``."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from augstudy.core.errors import InputError, ServiceError
from augstudy.objects.base import ABSENT, Store, Stored
from augstudy.objects.retry import PreconditionError

_DRAFT = ".draft-"


class FileStore(Store):
    """A folder, made when something is first written into it.

    Objects appear by renaming; the version of one is the hash of its content.
    """

    def __init__(self, uri: str) -> None:
        self._folder = Path(uri.removeprefix("file://")).expanduser().resolve()
        self.uri = f"file://{self._folder}"
        self.container = f"folder {self._folder}"

    def local(self, key: str) -> Path | None:
        return self._path(key)

    def _probe(self) -> None:
        pass

    def _list(self, prefix: str) -> list[str]:
        # A prefix may end within a name: what is before its last slash is a folder.
        start = self._path(prefix.rpartition("/")[0])
        with self._explained(prefix, "read"):
            return [
                key
                for path in start.rglob("*")
                if path.is_file() and not path.name.startswith(_DRAFT)
                if (key := path.relative_to(self._folder).as_posix()).startswith(prefix)
            ]

    def _version(self, key: str) -> str:
        return self._lookup(key).version

    def _read(self, key: str) -> bytes:
        with self._explained(key, "read"):
            return self._path(key).read_bytes()

    def _lookup(self, key: str) -> Stored:
        data = self._read(key)
        return Stored(data, hashlib.sha256(data).hexdigest())

    def _write(self, key: str, data: bytes) -> None:
        with self._explained(key, "written"), self._draft(key) as draft:
            draft.write_bytes(data)

    def _delete(self, key: str) -> None:
        with self._explained(key, "deleted"):
            self._path(key).unlink()

    def _replace(self, key: str, data: bytes, version: str) -> None:
        with self._explained(key, "written"), self._locked():
            try:
                now = self._version(key)
            except FileNotFoundError:
                now = ABSENT
            if now != version:
                raise PreconditionError(key)
            self._write(key, data)

    def _put_file(self, path: Path, key: str) -> None:
        with self._explained(key, "written"), self._draft(key) as draft:
            shutil.copyfile(path, draft)

    def _get_file(self, key: str, path: Path) -> None:
        with self._explained(key, "read"):
            shutil.copyfile(self._path(key), path)

    def _path(self, key: str) -> Path:
        path = self._folder / key
        if not path.resolve().is_relative_to(self._folder):
            raise InputError(f"Key {key!r} leads out of {self.uri}: use another.")
        return path

    @contextlib.contextmanager
    def _draft(self, key: str) -> Iterator[Path]:
        """A new file that becomes the object `key` when the block ends well."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=_DRAFT, dir=path.parent)
        os.close(descriptor)
        try:
            Path(name).chmod(0o644)
            yield Path(name)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody else on this machine replaces an object of the store meanwhile."""
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _explained(self, key: str, doing: str) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, IsADirectoryError) as error:
            raise FileNotFoundError(key) from error
        except PermissionError as error:
            raise ServiceError(
                f"{self.uri}/{key} may not be {doing}: check its permissions."
            ) from error
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ServiceError(f"{self.uri}/{key} cannot be {doing}: {reason}.") from error
