"""Zip and tar files as stores that are read without being unpacked."""

import bz2
import gzip
import lzma
import os
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from stat import S_ISLNK
from typing import Any, BinaryIO

from augstudy.core.errors import DataError
from augstudy.data.sources.folders import ENDINGS, is_hidden
from augstudy.objects import MissingError, Stat
from augstudy.objects.cache import Reader
from augstudy.objects.ranged import open_object
from augstudy.objects.types import Span

_DAMAGED = (
    *(OSError, EOFError, ValueError, RuntimeError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, tarfile.TarError),
)
_OPEN: Mapping[str, Callable[[BinaryIO], Any]] = {
    ".gz": gzip.open,
    ".tgz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
_GROWS = 50  # times; images are compressed already, so an archive that grows more is no set of them
_SMALL = 1 << 30
_COPIED = 1 << 20
_Members = dict[str, tuple[Stat, Callable[[], bytes]]]
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


class Archive:
    """The files in an archive, by their paths in it; a :class:`Reader`.

    Links, paths that lead out of the archive and what is no file are left out, and counted in
    ``refused``. Folders that hold everything else are left out of the paths.
    """

    def __init__(self, uri: str, store: Reader, key: str) -> None:
        """Open the archive `key` of a store.

        Raises:
            DataError: it is damaged, or none.
        """
        self.uri, self.refused = uri, 0
        try:
            self._file = open_object(store, key)
            found = self._zipped() if key.lower().endswith(".zip") else self._tarred(key)
        except _DAMAGED as error:
            if isinstance(error, DataError):
                raise
            raise DataError(
                f"{uri} is damaged, or no archive of the kind that its name says: copy it again."
            ) from error
        root = _common(found)
        self._found = {path.removeprefix(root): item for path, item in found.items()}

    def find(self, prefix: str = "", *, deep: bool = True) -> dict[str, Stat]:
        """See :meth:`Store.find`."""
        return {
            key: stat
            for key, (stat, _) in sorted(self._found.items())
            if key.startswith(prefix) and (deep or "/" not in key.removeprefix(prefix))
        }

    def keys(self, prefix: str = "", *, deep: bool = True) -> list[str]:
        """See :meth:`Store.keys`."""
        return list(self.find(prefix, deep=deep))

    def stat(self, key: str) -> Stat:
        """See :meth:`Store.stat`."""
        if key not in self._found:
            raise MissingError(f"{self.uri} holds no {key}: check its name.")
        return self._found[key][0]

    def read(self, key: str, span: Span | None = None, version: str | None = None) -> bytes:
        """See :meth:`Store.read`.

        Raises:
            DataError: the file is damaged, or encrypted.
        """
        self.stat(key)
        try:
            content = self._found[key][1]()
        except _DAMAGED as error:
            raise DataError(
                f"{key} in {self.uri} is damaged or encrypted: pack it again."
            ) from error
        return content if span is None else content[slice(*span)]

    def check(self) -> None:
        """See :meth:`Store.check`: it was found."""

    def local(self, key: str) -> Path | None:
        """See :meth:`Store.local`."""
        return None

    def _zipped(self) -> _Members:
        archive = zipfile.ZipFile(self._file)
        check_growth(self.uri, archive)
        found: _Members = {}
        for item in archive.infolist():
            link = S_ISLNK(item.external_attr >> 16)
            path = item.filename.replace("\\", "/")
            if item.is_dir():
                continue
            if link or not _is_inside(path):
                self.refused += 1
                continue
            stat = Stat(item.file_size, f"{item.CRC:08x}")
            found[path] = (stat, partial(archive.read, item))
        return found

    def _tarred(self, key: str) -> _Members:
        if opener := _OPEN.get(PurePosixPath(key).suffix.lower()):
            self._file = self._expanded(opener)
        found: _Members = {}
        number = self._file.fileno()
        with tarfile.open(fileobj=self._file, mode="r:", encoding="utf-8") as archive:
            for item in archive:
                if item.isdir():
                    continue
                path = item.name.removeprefix("./")
                if not item.isreg() or item.issparse() or not _is_inside(path):
                    self.refused += 1
                    continue
                place = (item.size, item.offset_data)
                stat = Stat(item.size, f"{item.mtime}-{item.offset_data}")
                found[path] = (stat, partial(os.pread, number, *place))
        return found

    def _expanded(self, opener: Callable[[BinaryIO], Any]) -> BinaryIO:
        """The archive without its compression, on disk: its files are not read in order."""
        most = _SMALL + _GROWS * self._file.seek(0, os.SEEK_END)
        self._file.seek(0)
        plain = tempfile.TemporaryFile()  # noqa: SIM115
        with opener(self._file) as stream:
            while part := stream.read(_COPIED):
                plain.write(part)
                if plain.tell() > most:
                    raise _growing(self.uri)
        plain.seek(0)
        return plain


def check_growth(uri: str, archive: zipfile.ZipFile) -> None:
    """Refuse an archive with a member that would fill the memory, as members are read whole.

    Raises:
        DataError: there is one.
    """
    for item in archive.infolist():
        if item.file_size > _SMALL + _GROWS * item.compress_size:
            raise _growing(uri)


def _growing(uri: str) -> DataError:
    return DataError(
        f"{uri} grows more than {_GROWS} times when it is unpacked: unpack it yourself and name "
        "the folder."
    )


def _is_inside(path: str) -> bool:
    return not path.startswith("/") and ".." not in path.split("/") and ":" not in path[:2]


def _common(paths: Mapping[str, object]) -> str:
    """The folders that hold everything, unless one may be the folder of a class."""
    shown = [path.split("/") for path in paths if not is_hidden(path)]
    root = ""
    while shown and len({parts[0] for parts in shown}) == 1:
        images = any(PurePosixPath(parts[-1]).suffix.lower() in ENDINGS for parts in shown)
        if min(map(len, shown)) < (3 if images else 2):
            break
        root += f"{shown[0][0]}/"
        shown = [parts[1:] for parts in shown]
    return root
