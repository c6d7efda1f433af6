"""Where drawings come from: the formats in the modules here, each in any store."""

import importlib
import pkgutil
from functools import partial
from pathlib import Path

from augstudy.data.sources.base import FORMATS, ObjectInfo, Source, find_class
from augstudy.data.sources.npy import NpySource
from augstudy.objects import open_store
from augstudy.objects.address import Address
from augstudy.objects.cache import CachedStore, Reader


def open_source(uri: str, cache: Path | None = None, refresh: bool = False) -> Source:
    """Open a folder or file of drawings; what is read from a remote store is kept in a cache.

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


__all__ = ["ObjectInfo", "Source", "find_class", "open_source"]
