"""Tables of encoded images in Parquet, as data sets of Hugging Face are published."""

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import PurePosixPath
from typing import Any

from augstudy.core.errors import DataError, InputError
from augstudy.data.sources.base import Record, RecordSource
from augstudy.data.sources.folders import SPLIT_NAMES
from augstudy.objects.cache import Reader
from augstudy.objects.ranged import open_object

ENDING = ".parquet"
_LABELS = ("label", "labels", "class", "category", "target", "fine_label")
_GROUPS_KEPT = 3  # groups of rows in memory


class ParquetSource(RecordSource):
    """The rows of all shards: an image with its bytes, and a label that is a name or a number."""

    def __init__(self, uri: str, store: Reader, shards: list[str]) -> None:
        super().__init__(uri, store)
        self._shards = sorted(shards)
        self._lock = threading.Lock()
        self._rows = lru_cache(_GROUPS_KEPT)(self._read_rows)

    def records(self) -> list[Record]:
        """See :meth:`RecordSource.records`."""
        splits = [_split(shard) for shard in self._shards]
        if len(set(splits)) < 2 or "" in splits:
            splits = [""] * len(splits)
        result = []
        for shard, split in enumerate(splits):
            result += self._of_shard(shard, split)
        if not result:
            raise InputError(f"{self.uri} holds no rows: check the address.")
        return result

    def read(self, record: Record) -> bytes:
        """See :meth:`RecordSource.read`."""
        shard, group, row = map(int, record.key.split("/"))
        with self._lock:
            content = self._rows(shard, group)[row]
        return content or b""

    def _of_shard(self, shard: int, split: str) -> list[Record]:
        file, (image, label, names) = self._files[shard], self._columns
        columns = [label, *(name for name in ("group", "split") if name in file.schema_arrow.names)]
        found, total = [], 0
        for group in range(file.num_row_groups):
            with _sound(self.uri):
                table = file.read_row_group(group, [*columns, *self._path_column])
            paths = _paths(table.column(image)) if self._path_column else [None] * len(table)
            values = {name: table.column(name).to_pylist() for name in columns}
            for row, (value, path) in enumerate(zip(values[label], paths, strict=True)):
                total += 1
                text = self._label(value, names)
                if not text:
                    self.left_out["rows without a label"] += 1
                    continue
                given = str(values["split"][row] or "").lower() if "split" in values else ""
                owner = values["group"][row] if "group" in values else None
                found.append(
                    Record(
                        label=text,
                        name=PurePosixPath(path).name if path else f"{shard:05}-{total:09}",
                        key=f"{shard:05}/{group:06}/{row:07}",
                        group="" if owner is None else str(owner),
                        split=SPLIT_NAMES.get(given, "") or split,
                    )
                )
        return found

    def _label(self, value: Any, names: list[str]) -> str:
        if value is None:
            return ""
        if isinstance(value, int) and names:
            if not 0 <= value < len(names):
                return ""  # Hugging Face's sign for a label that is kept secret is -1
            return names[value]
        return str(value)

    def _read_rows(self, shard: int, group: int) -> list[bytes | None]:
        image = self._columns[0]
        with _sound(self.uri):
            column = self._files[shard].read_row_group(group, [image]).column(image)
            if self._path_column:
                column = column.combine_chunks().field("bytes")
            return list(column.to_pylist())

    @cached_property
    def _files(self) -> list[Any]:
        import pyarrow.parquet as pq

        with _sound(self.uri):
            return [pq.ParquetFile(open_object(self.store, shard)) for shard in self._shards]

    @cached_property
    def _path_column(self) -> list[str]:
        """The column of the images' names, if they have names."""
        import pyarrow as pa

        image = self._columns[0]
        kind = self._files[0].schema_arrow.field(image).type
        return [f"{image}.path"] if pa.types.is_struct(kind) else []

    @cached_property
    def _columns(self) -> tuple[str, str, list[str]]:
        """The column of images, that of labels, and the names of the labels, if there are any."""
        schema = self._files[0].schema_arrow
        features = _features(schema.metadata or {})
        images = [field.name for field in schema if _holds_images(field.type)]
        named = [name for name, item in features.items() if item.get("_type") == "ClassLabel"]
        labels = [name for name in _LABELS if name in schema.names] or named
        if not images or not labels:
            raise InputError(
                f"{self.uri} has the columns {', '.join(schema.names)}: a column of encoded images "
                "and one called label are needed."
            )
        names = features.get(labels[0], {}).get("names") or []
        if isinstance(names, dict):  # as older versions wrote them
            names = [names[key] for key in sorted(names, key=int)]
        return images[0], labels[0], [str(name) for name in names]


@contextlib.contextmanager
def _sound(uri: str) -> Iterator[None]:
    """Errors of pyarrow become ours."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{uri} is no sound Parquet file: copy it again.") from error


def _holds_images(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return "bytes" in [kind.field(at).name for at in range(kind.num_fields)]
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _features(metadata: dict[bytes, bytes]) -> dict[str, Any]:
    """What Hugging Face's library wrote about the columns."""
    try:
        found = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    return {name: item for name, item in found.items() if isinstance(item, dict)}


def _paths(column: Any) -> list[str | None]:
    return [item and item.get("path") for item in column.to_pylist()]


def _split(shard: str) -> str:
    """The split that the name of a shard or of its folder begins with."""
    path = PurePosixPath(shard)
    for name in (path.name, path.parent.name):
        word = re.split(r"[-_.]", name.lower(), maxsplit=1)[0]
        if word in SPLIT_NAMES:
            return SPLIT_NAMES[word]
    return ""
