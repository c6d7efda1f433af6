"""A store that is a folder of this machine, ``file:///folder``."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from augstudy.core.errors import InputError, ServiceError
from augstudy.core.files import DRAFT, remove_drafts, replacing
from augstudy.objects.address import Address
from augstudy.objects.base import Store
from augstudy.objects.retry import PreconditionError
from augstudy.objects.types import ABSENT, Span, Stat


class FileStore(Store):
    """A folder, made when something is first written into it.

    Objects appear by renaming. The version of one is the time of its last change, in nanoseconds;
    each that is written here is later than the one it replaces.
    """

    errors = (OSError,)
    made_on_demand = True

    def __init__(self, address: Address) -> None:
        self._folder = Path(address.prefix)
        self.uri, self.container = address.uri, address.container

    def local(self, key: str) -> Path | None:
        return self._path(key)

    def _probe(self) -> None:
        if not self._folder.is_dir():
            raise FileNotFoundError(self._folder)

    def _list(self, prefix: str, deep: bool) -> dict[str, Stat]:
        # A prefix may end within a name: what is before its last slash is a folder.
        start = self._path(prefix.rpartition("/")[0])
        found = {}
        for folder, folders, names in os.walk(start, onerror=_refuse):
            for path in (Path(folder, name) for name in names if not name.startswith(DRAFT)):
                key = path.relative_to(self._folder).as_posix()
                with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                    if key.startswith(prefix) and self._is_own(path):
                        found[key] = _described(path.stat())
            folders[:] = folders if deep else []
        return found

    def _stat(self, key: str) -> Stat:
        path = self._path(key)
        if path.is_dir():
            raise IsADirectoryError(path)
        return _described(path.stat())

    def _fetch(
        self, key: str, into: BinaryIO, span: Span | None = None, version: str | None = None
    ) -> None:
        with self._path(key).open("rb") as stream:
            if span is None:
                shutil.copyfileobj(stream, into)
            else:
                stream.seek(span[0])
                into.write(stream.read(span[1] - span[0]))
            # Others may write in place: what changed meanwhile shows now, not before.
            if version not in (None, _described(os.fstat(stream.fileno())).version):
                raise PreconditionError(key)

    def _put(self, key: str, stream: BinaryIO, version: str | None) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_drafts(path.parent.glob(f"{DRAFT}*"))
        with self._locked() if version is not None else contextlib.nullcontext():
            now = _described(path.stat()).version if path.exists() else ABSENT
            if version not in (None, now):
                raise PreconditionError(key)
            with replacing(path, later_than_ns=int(now or 0)) as target:
                shutil.copyfileobj(stream, target)

    def _delete(self, key: str) -> None:
        self._path(key).unlink()

    def _is_own(self, path: Path) -> bool:
        """Whether it is a file, and no link out of the folder or in a circle."""
        try:
            links_out = path.is_symlink() and not path.resolve().is_relative_to(self._folder)
            return not links_out and path.is_file()
        except (OSError, RuntimeError):
            return False

    def _path(self, key: str) -> Path:
        path = self._folder / key
        try:
            inside = path.resolve().is_relative_to(self._folder)
        except (RuntimeError, ValueError) as error:  # loops of links, null bytes
            raise InputError(f"{self.uri}/{key} cannot be followed: check it.") from error
        if not inside:
            raise InputError(f"Key {key!r} leads out of {self.uri}: use another.")
        return path

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody else on this machine replaces an object of the store meanwhile."""
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _status(self, error: Exception, uri: str, doing: str) -> int | None:
        if isinstance(error, IsADirectoryError):
            return 404
        if isinstance(error, NotADirectoryError) and doing == "read":
            return 404
        if isinstance(error, PermissionError):
            raise ServiceError(f"{uri} may not be {doing}: check its permissions.") from error
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ServiceError(f"{uri} cannot be {doing}: {reason}.") from error


def _refuse(error: OSError) -> None:
    """A folder that may not be listed is an error; one that is not there holds nothing."""
    if isinstance(error, PermissionError):
        raise error


def _described(found: os.stat_result) -> Stat:
    return Stat(found.st_size, str(found.st_mtime_ns))
