"""A table of images: ``path,label[,group][,split]``, as CSV with any usual separator.

A ``metadata.csv`` beside images, with a ``file_name``, is one as well.
"""

import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from augstudy.core.errors import DataError, InputError
from augstudy.data.sources.base import Record
from augstudy.data.sources.folders import ENDINGS, SPLIT_NAMES, FileSource
from augstudy.objects import Stat
from augstudy.objects.cache import Reader

ENDING = (".csv", ".tsv")
METADATA = "metadata.csv"
_COLUMNS = {
    "path": ("path", "file_name", "filename", "file", "image", "image_path", "filepath"),
    "label": ("label", "class", "category", "target", "class_name"),
    "group": ("group", "group_id"),
    "split": ("split", "subset"),
}
_SEPARATORS = ",;\t|"
_LONGEST = 256 * 2**20  # bytes

Row = dict[str, str]


class ManifestSource(FileSource):
    """Images that tables name, by paths relative to the table."""

    def __init__(
        self,
        uri: str,
        store: Reader,
        found: dict[str, Stat],
        groups: str = "",
        *,
        tables: Sequence[str],
    ) -> None:
        """Of the `tables` among the files `found`; for the others see :class:`FileSource`."""
        super().__init__(uri, store, found, groups)
        self._tables = tables

    def records(self) -> list[Record]:
        """See :meth:`RecordSource.records`."""
        by_name = {unicodedata.normalize("NFC", key): key for key in self._found}
        result = []
        for table in self._tables:
            folder, text = PurePosixPath(table).parent, _text(self.store, table, self._found[table])
            own = SPLIT_NAMES.get(folder.name.lower(), "") if len(self._tables) > 1 else ""
            for number, row in rows_of(text, f"{self.uri}/{table}"):
                if not row["path"] or not row["label"]:
                    self.left_out["rows without a path or a label"] += 1
                    continue
                key = _key(folder, row["path"], f"{self.uri}/{table}, row {number}")
                key = by_name.get(unicodedata.normalize("NFC", key), key)
                split = _split(row.get("split", ""), f"{self.uri}/{table}, row {number}")
                result.append(
                    Record(
                        label=row["label"],
                        name=_name(key, row["label"]),
                        key=key,
                        group=row.get("group") or self.group_of(key),
                        split=split or own,
                    )
                )
        if not result:
            raise InputError(f"{self.uri} names no image: check its rows.")
        return result


def is_manifest(store: Reader, key: str, found: Stat) -> bool:
    """Whether a table has a column of paths and one of labels."""
    line = io.StringIO(_text(store, key, found)).readline()
    return _header(line) is not None


def rows_of(text: str, where: str) -> Iterator[tuple[int, Row]]:
    """The rows of a table, by number as in an editor, with the columns that are known.

    Raises:
        InputError: it has no column of paths or of labels.
        DataError: it is no table.
    """
    header = _header(io.StringIO(text).readline())
    if header is None:
        raise InputError(
            f"{where} has no columns path and label in its first row: name them so, or "
            f"{', '.join(_COLUMNS['path'][1:3])} and {_COLUMNS['label'][1]}."
        )
    separator, columns, skipped = header
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text), delimiter=separator), 1):
            if number > skipped and any(cell.strip() for cell in cells):
                yield (
                    number,
                    {
                        name: unicodedata.normalize("NFC", cells[at].strip())
                        if at < len(cells)
                        else ""
                        for name, at in columns.items()
                    },
                )
    except csv.Error as error:
        raise DataError(f"{where} is no table ({error}): save it as CSV again.") from error


def _header(line: str) -> tuple[str, dict[str, int], int] | None:
    """The separator, the places of the known columns, and the rows before the first image."""
    for separator in _SEPARATORS:
        cells = next(csv.reader([line], delimiter=separator), [])
        names = [cell.strip().lower() for cell in cells]
        columns = {
            what: names.index(known)
            for what, all_known in _COLUMNS.items()
            for known in reversed(all_known)
            if known in names
        }
        if {"path", "label"} <= set(columns):
            return separator, columns, 1
        if len(cells) >= 2 and PurePosixPath(cells[0].strip()).suffix.lower() in ENDINGS:
            return separator, dict(zip(_COLUMNS, range(len(cells)), strict=False)), 0
    return None


def _text(store: Reader, key: str, found: Stat) -> str:
    if found.size > _LONGEST:
        raise DataError(f"{key} of {store.uri} has more than 256 MiB: split the table.")
    content = store.read(key, (0, found.size), found.version) if found.size else b""
    for encoding in (
        "utf-8-sig",
        "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252",
    ):
        try:
            return content.decode(encoding).replace("\x00", "")
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _key(folder: PurePosixPath, path: str, where: str) -> str:
    parts = path.replace("\\", "/").removeprefix("./").split("/")
    if "://" in path or parts[0] == "" or ".." in parts or ":" in parts[0][:2]:
        raise InputError(
            f"{where}: {path!r} leads out of the table's folder: give paths relative to it."
        )
    return (folder / "/".join(parts)).as_posix()


def _split(text: str, where: str) -> str:
    if text and text.lower() not in SPLIT_NAMES:
        raise InputError(f"{where}: split {text!r} is none: use train, val or test.")
    return SPLIT_NAMES.get(text.lower(), "")


def _name(key: str, label: str) -> str:
    """The path below the folder of the class, if there is one: as folders of classes have it."""
    *folders, name = key.split("/")
    if label in folders:
        folders = folders[folders.index(label) + 1 :]
    return "/".join([*folders, name])
