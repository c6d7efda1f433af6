"""Where drawings come from: the sources in the modules here, each under the address it opens.

What none of them knows is tried with fsspec.
"""

import importlib
import pkgutil
from pathlib import Path

from augstudy.data.sources.base import (
    SCHEMES,
    ObjectInfo,
    RetryingSource,
    Scheme,
    Source,
    beginning,
    find_class,
)
from augstudy.data.sources.cache import CachedSource
from augstudy.objects.address import Address, refuse_credentials


def open_source(uri: str, cache: Path | None = None, refresh: bool = False) -> Source:
    """Open a folder of drawings; remote ones get retries and a local cache.

    Args:
        uri: ``sample``, or a folder such as ``gs://quickdraw_dataset/full/numpy_bitmap``.
        cache: folder of the cache; by default augstudy's folder in the user's cache folder.
        refresh: look every object up again instead of trusting the cache about its version.

    Raises:
        InputError: no scheme, no bucket, or credentials. That a scheme is unknown, or that it needs
            a package that is not installed, is an InputError as well, once the source is first
            asked.
    """
    refuse_credentials(uri, "source")
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)
    kind = SCHEMES.get(beginning(uri)) or Scheme(uri, _through_fsspec, remote=True)
    if not kind.remote:
        return kind.open(uri)
    address = Address.parse(uri, "source", SCHEMES.examples())
    return CachedSource(RetryingSource(address, kind.open), address.identity, cache, refresh)


def _through_fsspec(uri: str) -> Source:
    from augstudy.data.sources.remote import FsspecSource

    return FsspecSource(uri)


__all__ = ["ObjectInfo", "Source", "find_class", "open_source"]
