"""Drawings behind any scheme fsspec knows, ``s3://`` first of all."""

from urllib.parse import quote, unquote

from augstudy.data.sources.base import SCHEMES, SUFFIX, ObjectInfo, Source
from augstudy.objects.address import S3_SCHEMES, Address

_VERSION_KEYS = ("ETag", "etag", "VersionId", "version_id", "generation", "mtime", "LastModified")


@SCHEMES.register("s3://", path="bucket/folder", remote=True)
class FsspecSource(Source):
    """A folder on a file system of fsspec, ``s3://bucket/folder``.

    Reads cannot be pinned to a version here, so :meth:`Source.confirm` looks the object up again
    once it has been read.
    """

    def __init__(self, uri: str) -> None:
        from augstudy.objects import filesystem  # takes a while, and only this source needs it

        address = Address.parse(uri)
        self._explained = filesystem.explained
        self.uri, self.container = address.uri, address.container
        self._bucket = address.bucket
        # In an address of the web, names are quoted: ? and # would end its path.
        self._is_web = address.scheme in ("http", "https")
        self._is_s3 = address.scheme in S3_SCHEMES
        self._folder = address.path if self._is_s3 else address.uri
        self._system = filesystem.file_system(address, SCHEMES.examples())

    def list_classes(self) -> list[str]:
        """See :meth:`Source.list_classes`."""
        with self._explained(self.uri):
            try:
                found = self._system.ls(self._folder, detail=False)
            except FileNotFoundError:
                if self._is_s3:  # no folder there: an error only if the bucket is missing as well
                    self._system.info(self._bucket)
                    return []
                raise
        names = [str(path).rsplit("/", 1)[-1] for path in found]
        names = list(map(unquote, names)) if self._is_web else names
        return sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX))

    def stat(self, name: str) -> ObjectInfo:
        """See :meth:`Source.stat`; the version is the ETag or the next best thing there is."""
        uri = f"{self.uri}/{name}{SUFFIX}"
        with self._explained(uri):
            found = self._system.info(self._path(name))
        if found["type"] != "file":
            raise FileNotFoundError(uri)
        version = next((found[key] for key in _VERSION_KEYS if found.get(key)), "unknown")
        return ObjectInfo(name, uri, int(found["size"]), str(version).strip('"'))

    def read(self, info: ObjectInfo, start: int, stop: int) -> bytes:
        """See :meth:`Source.read`."""
        with self._explained(info.uri):
            return bytes(self._system.cat_file(self._path(info.name), start=start, end=stop))

    def _path(self, name: str) -> str:
        part = quote(name) if self._is_web else name
        return f"{self._folder}/{part}{SUFFIX}"
