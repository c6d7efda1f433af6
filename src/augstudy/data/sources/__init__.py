"""Where drawings come from: ``sample``, ``file://``, ``gs://``, ``s3://`` and what fsspec knows."""

from pathlib import Path

from augstudy.data.sources.base import ObjectInfo, RetryingSource, Source, find_class
from augstudy.data.sources.cache import CachedSource
from augstudy.data.sources.local import FileSource, SampleSource
from augstudy.remote.address import Address


def open_source(uri: str, cache: Path | None = None, refresh: bool = False) -> Source:
    """Open a folder of drawings; remote ones get retries and a local cache.

    Args:
        uri: ``sample``, or a folder such as ``gs://quickdraw_dataset/full/numpy_bitmap``.
        cache: folder of the cache; by default augstudy's folder in the user's cache folder.
        refresh: look every object up again instead of trusting the cache about its version.

    Raises:
        InputError: no scheme, or no bucket. That a scheme is unknown, or that it needs a package
            that is not installed, is an InputError as well, once the source is first asked.
    """
    if uri == "sample":
        return SampleSource()
    if uri.startswith("file://"):
        return FileSource(uri)
    address = Address.parse(uri)
    return CachedSource(RetryingSource(address, _remote), address.identity, cache, refresh)


def _remote(address: Address) -> Source:
    # These libraries take up to a second to import, and most runs need none of them.
    if address.scheme == "gs":
        from augstudy.data.sources.gcs import GcsSource

        return GcsSource(address)
    from augstudy.data.sources.remote import FsspecSource

    return FsspecSource(address)


__all__ = ["ObjectInfo", "Source", "find_class", "open_source"]
