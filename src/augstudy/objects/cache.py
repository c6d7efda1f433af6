"""A local cache in front of a remote store, so that a second run makes no request at all.

One folder per object holds ``stat.json`` and, for its version, the byte ranges read so far. Every
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
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from augstudy.core.errors import ServiceError
from augstudy.core.files import DRAFT, remove_drafts, replacing, user_folder
from augstudy.objects.address import Address
from augstudy.objects.base import Store
from augstudy.objects.types import Span, Stat

_FORMAT = 2  # part of every key: a newer version never reads an older one's files
_DIGEST_SIZE = hashlib.sha256().digest_size

logger = logging.getLogger("augstudy")


def default_folder() -> Path:
    """``augstudy`` in the user's cache folder (``$XDG_CACHE_HOME``, else ``~/.cache``)."""
    # A container's user may have no home folder.
    unknown = Path(tempfile.gettempdir()) / f"augstudy-{os.getuid()}"
    return user_folder("XDG_CACHE_HOME", "~/.cache") or unknown


class CachedStore:
    """A store whose answers are kept on disk; it is only read.

    Each read is pinned to the version that was looked up, so versions never mix. The store is
    opened when first asked, so that a run served by the cache neither imports a client library
    nor looks for credentials.
    """

    def __init__(
        self,
        address: Address,
        opener: Callable[[], Store],
        folder: Path | None = None,
        refresh: bool = False,
    ) -> None:
        """Keep the answers under the identity of `address`; see :func:`default_folder`.

        With `refresh` each object is looked up again instead of trusting the cache about its
        version.
        """
        self.uri = address.uri
        self._identity, self._opener = address.identity, opener
        self._folder = folder or default_folder()
        self._refresh = refresh
        self._opened: Store | None = None
        self._fetched_at: list[str] = []
        self._writable = True
        self._lock = threading.Lock()

    @property
    def trusted(self) -> bool:
        """Whether it relied on the cache about the version of an object."""
        return bool(self._fetched_at)

    def keys(self, prefix: str = "", *, deep: bool = True) -> list[str]:
        """See :meth:`Store.keys`; kept like what :meth:`find` found."""
        return list(self.find(prefix, deep=deep))

    def find(self, prefix: str = "", *, deep: bool = True) -> dict[str, Stat]:
        """See :meth:`Store.find`; what was found is kept."""
        path = self._folder / _hash(f"{_FORMAT}\n{self._identity}\n{prefix}") / f"list-{deep}"
        if not self._refresh and (content := _load(path)) is not None:
            record = json.loads(content)
            self._fetched_at.append(record["fetched"])
            return {key: Stat(*found) for key, found in record["found"].items()}
        found = self._store.find(prefix, deep=deep)
        kept = {key: (item.size, item.version) for key, item in found.items()}
        with self._kept():
            _keep(path, json.dumps({"fetched": _now(), "found": kept}).encode())
        return found

    def local(self, key: str) -> Path | None:
        """See :meth:`Store.local`: remote objects do not lie on this machine."""
        return None

    def check(self) -> None:
        """See :meth:`Store.check`; always asks the store."""
        self._store.check()

    def stat(self, key: str) -> Stat:
        """See :meth:`Store.stat`."""
        folder = self._folder / _hash(f"{_FORMAT}\n{self._identity}\n{key}")
        if not self._refresh and (content := _load(folder / "stat.json")) is not None:
            record = json.loads(content)
            self._fetched_at.append(record.pop("fetched"))
            return Stat(**record)
        found = self._store.stat(key)
        with self._lock, self._kept():
            remove_drafts(folder.rglob(f"{DRAFT}*"))
            for other in folder.glob("*"):
                if other.is_dir() and other != self._place(key, found.version):
                    shutil.rmtree(other, ignore_errors=True)
            _keep(folder / "stat.json", json.dumps(asdict(found) | {"fetched": _now()}).encode())
        return found

    def read(self, key: str, span: Span | None = None, version: str | None = None) -> bytes:
        """See :meth:`Store.read`; what is read of no version in particular is not kept."""
        if span is None or version is None:
            return self._store.read(key, span, version)
        path = self._place(key, version) / "{}-{}".format(*span)
        cached = _load(path)
        if cached is not None and len(cached) == span[1] - span[0]:
            return cached
        body = self._store.read(key, span, version)
        with self._kept():
            _keep(path, body)
        return body

    def summary(self, received: str) -> str:
        """One sentence for the log, after what was `received`, in words, was read."""
        if self._opened or not self._fetched_at:
            return f"Read {received} from {self.uri}."
        return (
            f"{self.uri} came from the cache {self._folder}, fetched {min(self._fetched_at)}: "
            "use refresh to look for newer data."
        )

    @property
    def _store(self) -> Store:
        with self._lock:
            if self._opened is None:
                self._opened = self._opener()
            return self._opened

    def _place(self, key: str, version: str) -> Path:
        folder = _hash(f"{_FORMAT}\n{self._identity}\n{key}")
        return self._folder / folder / _hash(version)

    @contextlib.contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise ServiceError(
                    f"No space left in the cache {self._folder}: free some disk space or name "
                    "another cache folder."
                ) from error
            if self._writable:
                logger.warning(
                    "The cache %s cannot be written (%s): not used.", self._folder, error
                )
            self._writable = False


class Reader(Protocol):
    """What is only read: a store, a cached one, or an archive; see :class:`Store`."""

    uri: str

    def keys(self, prefix: str = "", *, deep: bool = True) -> list[str]: ...
    def find(self, prefix: str = "", *, deep: bool = True) -> dict[str, Stat]: ...
    def stat(self, key: str) -> Stat: ...
    def read(self, key: str, span: Span | None = None, version: str | None = None) -> bytes: ...
    def check(self) -> None: ...
    def local(self, key: str) -> Path | None: ...


def _hash(text: str) -> str:
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


def _keep(path: Path, body: bytes) -> None:
    """Write a cache file."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with replacing(path, durable=False) as stream:  # the checksum tells what a crash left of it
        stream.write(hashlib.sha256(body).digest() + body)
