"""A folder for each class, with image files in it and in folders below it."""

import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from augstudy.core.errors import DataError, InputError
from augstudy.data.sources.base import Record, RecordSource
from augstudy.objects import Stat
from augstudy.objects.cache import Reader

ENDINGS = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".webp",
        ".bmp",
        ".dib",
        ".tif",
        ".tiff",
        ".gif",
        ".ppm",
        ".pgm",
        ".pbm",
    ]
)
_LONGEST = 256 * 2**20  # bytes
_HIDDEN = frozenset(("thumbs.db", "desktop.ini", "__macosx"))
SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


class FileSource(RecordSource):
    """Images that are files of a store, each read as it was when it was listed."""

    def __init__(self, uri: str, store: Reader, found: dict[str, Stat], groups: str = "") -> None:
        """Of the files `found`; `groups` is a pattern with one group on their paths."""
        super().__init__(uri, store)
        self._found = found
        self._groups = re.compile(groups) if groups else None

    def read(self, record: Record) -> bytes:
        """See :meth:`RecordSource.read`."""
        found = self._found.get(record.key) or self.store.stat(record.key)
        if found.size > _LONGEST:
            raise DataError(f"{record.key} of {self.uri} has more than 256 MiB.")
        return self.store.read(record.key, (0, found.size), found.version) if found.size else b""

    def group_of(self, key: str) -> str:
        """What the pattern finds in the path of a file."""
        found = self._groups.search(key) if self._groups else None
        return (found and found[1]) or ""


class FolderSource(FileSource):
    """``<class>/**/<image>``, or the same below ``train/``, ``val/`` and ``test/``."""

    def records(self) -> list[Record]:
        """See :meth:`RecordSource.records`."""
        self._count_links()
        images = [key for key in self._found if self._is_image(key)]
        paths = [PurePosixPath(key) for key in images]
        splits = _splits(path.parts for path in paths)
        records = []
        for key, path in zip(images, paths, strict=True):
            *folders, _ = path.parts
            split = splits.get(folders.pop(0), "") if splits and folders else ""
            if not folders:
                self.left_out["images outside the folders of classes"] += 1
                continue
            name = "/".join(path.parts[len(path.parts) - len(folders) :])
            label = unicodedata.normalize("NFC", folders[0])
            records.append(Record(label, name, key, self.group_of(key), split))
        if not records:
            raise InputError(
                f"{self.uri} holds no images in folders of classes: put the images of each class "
                "into a folder with its name."
            )
        return records

    def _is_image(self, key: str) -> bool:
        if is_hidden(key):
            return False
        if PurePosixPath(key).suffix.lower() not in ("", *ENDINGS):
            self.left_out["files that are no images"] += 1
            return False
        return True

    def _count_links(self) -> None:
        """Links that were not followed: to folders, out of the source, or to nothing."""
        root = self.store.local("")
        for folder, folders, names in os.walk(root) if root else ():
            for name in (*folders, *names):
                path = Path(folder, name)
                if path.is_symlink() and path.relative_to(root or "").as_posix() not in self._found:
                    self.left_out["links that lead elsewhere"] += 1


def is_hidden(key: str) -> bool:
    """Whether a file is none that people know of, such as ``.DS_Store`` or ``Thumbs.db``."""
    return any(part.startswith(".") or part.lower() in _HIDDEN for part in key.split("/"))


def _splits(paths: Iterable[tuple[str, ...]]) -> dict[str, str]:
    """The split that each folder at the top is, if all of them are splits."""
    tops = {parts[0] for parts in paths if len(parts) > 1}
    found = {top: SPLIT_NAMES.get(top.lower(), "") for top in tops}
    if not found or not all(found.values()):
        return {}
    # A single one is just where everything is.
    return found if len(set(found.values())) > 1 else dict.fromkeys(found, "")
