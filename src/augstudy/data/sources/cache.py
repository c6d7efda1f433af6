"""A local cache in front of a remote source, so that a second run makes no request at all.

One folder an object holds ``stat.json`` and, for each version, the byte ranges read so far. Every
file carries a checksum and appears by renaming; one that does not check out is fetched again.
"""

import contextlib
import datetime
import errno
import hashlib
import json
import logging
import os
import shutil
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path

from augstudy.core.errors import ServiceError
from augstudy.data.sources.base import ObjectInfo, Source

_FORMAT = 1  # part of every key: a newer version never reads an older one's files
_DIGEST_SIZE = hashlib.sha256().digest_size
_Range = tuple[int, int]

logger = logging.getLogger("augstudy")


def default_folder() -> Path:
    """``augstudy`` in the user's cache folder (``$XDG_CACHE_HOME``, else ``~/.cache``)."""
    root = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(root) if root else Path.home() / ".cache") / "augstudy"
    except RuntimeError:  # a container's user without a home folder
        return Path(tempfile.gettempdir()) / f"augstudy-{os.getuid()}"


class CachedSource(Source):
    """A source whose answers are kept on disk, under the `identity` of the source.

    What was read is stored only when :meth:`confirm` has made sure that the object stayed the
    same, so the cache never mixes two versions of it.
    """

    def __init__(
        self, source: Source, identity: str, folder: Path | None = None, refresh: bool = False
    ) -> None:
        self._source, self._identity = source, identity
        self._folder = folder or default_folder()
        self._refresh = refresh
        self._pending: dict[ObjectInfo, dict[_Range, bytes]] = {}
        self._fetched_at: list[str] = []
        self._requested = False
        self._writable = True
        self._lock = threading.Lock()
        self.uri, self.container = source.uri, source.container

    @property
    def trusted(self) -> bool:
        """Whether it relied on the cache about the version of an object."""
        return bool(self._fetched_at)

    def list_classes(self) -> list[str]:
        """See :meth:`Source.list_classes`; always asks the source."""
        return self._source.list_classes()

    def stat(self, name: str) -> ObjectInfo:
        """See :meth:`Source.stat`."""
        if not self._refresh and (cached := self._load_stat(name)) is not None:
            return cached
        with self._lock:
            self._requested = True
        info = self._source.stat(name)
        with self._lock:
            self._pending.setdefault(info, {})
        return info

    def read(self, info: ObjectInfo, start: int, stop: int) -> bytes:
        """See :meth:`Source.read`."""
        cached = _load(self._version_folder(info) / f"{start}-{stop}")
        if cached is not None and len(cached) == stop - start:
            return cached
        with self._lock:
            self._requested = True
        body = self._source.read(info, start, stop)
        with self._lock:
            self._pending.setdefault(info, {})[start, stop] = body
        return body

    def confirm(self, info: ObjectInfo) -> None:
        """See :meth:`Source.confirm`; asks the source only if something was fetched from it."""
        with self._lock:
            fetched = self._pending.pop(info, None)
        if fetched is None:
            return
        if fetched:
            self._source.confirm(info)
        self._keep(info, fetched)

    def summary(self, received: int) -> str:
        """See :meth:`Source.summary`."""
        if self._requested:
            return self._source.summary(received)
        return (
            f"{self.uri} came from the cache {self._folder}, fetched {min(self._fetched_at)}: "
            "use refresh to look for newer data."
        )

    def _keep(self, info: ObjectInfo, fetched: dict[_Range, bytes]) -> None:
        """Store what was fetched, `stat.json` last; forget other versions."""
        if not self._writable:
            return
        folder, version = self._object_folder(info.name), self._version_folder(info)
        record = {**asdict(info), "fetched": _now()}
        try:
            version.mkdir(parents=True, exist_ok=True, mode=0o700)
            for other in folder.iterdir():
                if other.is_dir() and other != version:
                    shutil.rmtree(other, ignore_errors=True)
            for (start, stop), body in fetched.items():
                _store(version / f"{start}-{stop}", body)
            _store(folder / "stat.json", json.dumps(record).encode())
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise ServiceError(
                    f"No space left in the cache {self._folder}: free some disk space or name "
                    "another cache folder."
                ) from error
            self._writable = False
            logger.warning("The cache %s cannot be written (%s): not used.", self._folder, error)

    def _load_stat(self, name: str) -> ObjectInfo | None:
        content = _load(self._object_folder(name) / "stat.json")
        if content is None:
            return None
        record = json.loads(content)
        with self._lock:
            self._fetched_at.append(record.pop("fetched"))
        return ObjectInfo(**record)

    def _object_folder(self, name: str) -> Path:
        return self._folder / _key(f"{_FORMAT}\n{self._identity}\n{name}")

    def _version_folder(self, info: ObjectInfo) -> Path:
        return self._object_folder(info.name) / _key(f"{info.version} {info.size}")


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def _load(path: Path) -> bytes | None:
    """Content of a cache file, or None if it is missing or damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, body = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:]
    return body if hashlib.sha256(body).digest() == digest else None


def _store(path: Path, body: bytes) -> None:
    """Write a cache file so that a reader sees all of it or nothing."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(hashlib.sha256(body).digest())
            stream.write(body)
        Path(draft).replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            Path(draft).unlink()
        raise
