"""Where images come from: the formats in the modules here, each in any store."""

import importlib
import pkgutil
from functools import partial
from pathlib import Path

from augstudy.core.errors import InputError
from augstudy.data.sources import manifest, parquet
from augstudy.data.sources.archives import TARS, Archive
from augstudy.data.sources.arrays import IDX, open_idx, open_npz
from augstudy.data.sources.base import (
    FORMATS,
    SUFFIX,
    ObjectInfo,
    Record,
    RecordSource,
    Source,
    find_class,
    missing_class,
)
from augstudy.data.sources.folders import FolderSource, is_hidden
from augstudy.data.sources.manifest import ManifestSource
from augstudy.data.sources.npy import NpySource
from augstudy.data.sources.parquet import ParquetSource
from augstudy.objects import RefusedError, open_store
from augstudy.objects.address import Address
from augstudy.objects.cache import CachedStore, Reader
from augstudy.settings.data import DataSettings

_FILES = (".zip", *TARS, *manifest.ENDING, parquet.ENDING, ".npz")


def open_images(
    uri: str, settings: DataSettings, cache: Path | None = None, refresh: bool = False
) -> Source | RecordSource:
    """Open a source, of whatever kind is found at an address.

    Args:
        uri: the address.
        settings: the classes that are wanted, and what groups images.
        cache: see :func:`open_source`.
        refresh: see :func:`open_source`.

    Raises:
        InputError: there is nothing that is known as a source.
        ServiceError: the store cannot be reached or refuses access.
        DataError: it is damaged.
    """
    groups = settings.image_settings.groups
    if not FORMATS.of(uri) and _is_file(uri):
        folder, _, name = uri.rpartition("/")
        store = _store(folder, cache, refresh)
        return _of_file(f"{store.uri}/{name}", store, name, groups)
    source = open_source(uri, cache, refresh)
    if not isinstance(source, NpySource):
        return source
    try:
        if any(key.endswith(SUFFIX) for key in source.store.keys(deep=False)):
            return source
    except RefusedError:  # public objects in a bucket that may not be listed
        if settings.classes:
            return source
        raise
    return _of_folder(source.uri, source.store, groups)


def _is_file(uri: str) -> bool:
    """Whether an address is that of a single file."""
    path = uri.removeprefix("file://")
    if "://" not in path and Path(path).expanduser().is_dir():
        return False
    return uri.lower().endswith(_FILES) or IDX.search(uri.lower()) is not None


def _of_file(uri: str, store: Reader, name: str, groups: str) -> Source | RecordSource:
    kind = name.lower()
    if kind.endswith((".zip", *TARS)):
        archive = Archive(uri, store, name)
        inside = NpySource(uri, lambda _: archive)
        source = inside if inside.list_classes() else _of_folder(uri, archive, groups)
        if isinstance(source, RecordSource) and archive.refused:
            source.left_out["links and paths that lead out of the archive"] += archive.refused
        return source
    if kind.endswith(manifest.ENDING):
        found = store.find()
        if name not in found:
            store.stat(name)  # which says that it is not there
        return ManifestSource(uri.removesuffix(f"/{name}"), store, found, groups, tables=[name])
    if kind.endswith(parquet.ENDING):
        return ParquetSource(uri, store, [name])
    return open_npz(uri, store, name) if kind.endswith(".npz") else open_idx(uri, store, [name])


def _of_folder(uri: str, store: Reader, groups: str) -> RecordSource:
    """The source that a folder holds: tables and arrays, or else images in folders of classes."""
    found = store.find()
    shown = [key for key in found if not is_hidden(key)]
    if not shown:
        store.check()
        raise InputError(f"{uri} is empty: check the address.")
    shards = [key for key in shown if key.lower().endswith(parquet.ENDING)]
    arrays = [key for key in shown if IDX.search(key.lower())]
    packed = [key for key in shown if key.lower().endswith(".npz")]
    tables = [key for key in shown if key.rpartition("/")[2].lower() == manifest.METADATA]
    tables = tables or [
        key for key in shown if "/" not in key and key.lower().endswith(manifest.ENDING)
    ]
    tables = [key for key in tables if manifest.is_manifest(store, key, found[key])]
    if shards:
        return ParquetSource(uri, store, shards)
    if arrays:
        return open_idx(uri, store, arrays)
    if tables:
        return ManifestSource(uri, store, found, groups, tables=tables)
    if len(packed) == 1:
        return open_npz(uri, store, packed[0])
    return FolderSource(uri, store, found, groups)


def open_source(
    uri: str, cache: Path | None = None, refresh: bool = False
) -> Source | RecordSource:
    """Open a source of images; what is read from a remote store is kept in a cache.

    Args:
        uri: ``sample``, or a folder such as ``gs://quickdraw_dataset/full/numpy_bitmap``.
        cache: folder of the cache; by default augstudy's folder in the user's cache folder.
        refresh: look every object up again instead of trusting the cache about its version.

    Raises:
        InputError: no scheme, no bucket or no folder. That a scheme is unknown, or that it needs a
            package that is not installed, is an InputError as well, once the source is first asked.
    """
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)

    store = partial(_store, cache=cache, refresh=refresh)
    found = FORMATS.of(uri)
    return found.open(uri, store) if found else NpySource(uri, store)


def _store(folder: str, cache: Path | None, refresh: bool) -> Reader:
    address = Address.parse(folder, "source", FORMATS.examples())
    opener = partial(open_store, address.uri, read_only=True)
    if address.scheme == "file":
        return opener()
    return CachedStore(address, opener, cache, refresh)


__all__ = [
    "ObjectInfo",
    "Record",
    "RecordSource",
    "Source",
    "find_class",
    "missing_class",
    "open_images",
    "open_source",
]
