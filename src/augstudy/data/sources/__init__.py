"""Where images come from: the formats in the modules here, each in any store."""

import importlib
import pkgutil
from functools import partial
from pathlib import Path

from augstudy.core.errors import InputError
from augstudy.data.sources.base import (
    FORMATS,
    ObjectInfo,
    Record,
    RecordSource,
    Source,
    find_class,
    missing_class,
)
from augstudy.data.sources.folders import FolderSource
from augstudy.data.sources.npy import NpySource
from augstudy.objects import RefusedError, open_store
from augstudy.objects.address import Address
from augstudy.objects.cache import CachedStore, Reader
from augstudy.settings.data import DataSettings


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
    """
    source = open_source(uri, cache, refresh)
    if not isinstance(source, NpySource):
        return source
    try:
        if source.list_classes():
            return source
    except RefusedError:  # public objects in a bucket that may not be listed
        if settings.classes:
            return source
        raise
    found = source.store.find()
    if not found:
        raise InputError(f"{source.uri} is empty: check the address.")
    return FolderSource(source.uri, source.store, found, settings.image_settings.groups)


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

    def store(folder: str) -> Reader:
        address = Address.parse(folder, "source", FORMATS.examples())
        opener = partial(open_store, address.uri, read_only=True)
        if address.scheme == "file":
            return opener()
        return CachedStore(address, opener, cache, refresh)

    found = FORMATS.of(uri)
    return found.open(uri, store) if found else NpySource(uri, store)


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
