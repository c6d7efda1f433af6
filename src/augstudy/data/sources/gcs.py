"""Drawings in Google Cloud Storage: ranged reads pinned to one generation of an object."""

from typing import Any

from augstudy.data.sources.base import SCHEMES, SUFFIX, ChangedError, ObjectInfo, Source
from augstudy.objects.address import Address
from augstudy.objects.retry import PreconditionError


@SCHEMES.register("gs://", path="bucket/folder", remote=True)
class GcsSource(Source):
    """A bucket or a folder in it, ``gs://bucket/folder``.

    Signs in with application-default credentials, or anonymously where there are none.
    """

    def __init__(self, uri: str) -> None:
        from augstudy.objects import google as gcs  # takes a second, and only this source needs it

        address = Address.parse(uri)
        self._gcs = gcs
        self.uri, self.container = address.uri, address.container
        self._prefix = f"{address.prefix}/" if address.prefix else ""
        self._client = gcs.client()
        self._bucket = self._client.bucket(address.bucket)

    def list_classes(self) -> list[str]:
        """See :meth:`Source.list_classes`."""
        with self._gcs.explained(self.uri):
            blobs = self._client.list_blobs(
                self._bucket,
                prefix=self._prefix,
                delimiter="/",
                fields="items(name),nextPageToken",
                **self._gcs.CALL,
            )
            names = [blob.name.removeprefix(self._prefix) for blob in blobs]
        return sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX))

    def stat(self, name: str) -> ObjectInfo:
        """See :meth:`Source.stat`; the version is the generation."""
        blob = self._blob(name)
        uri = f"{self.uri}/{name}{SUFFIX}"
        with self._gcs.explained(uri):
            blob.reload(**self._gcs.CALL)
        return ObjectInfo(name, uri, int(blob.size), str(blob.generation))

    def read(self, info: ObjectInfo, start: int, stop: int) -> bytes:
        """See :meth:`Source.read`."""
        try:
            with self._gcs.explained(info.uri):
                body: bytes = self._blob(info.name).download_as_bytes(
                    start=start,
                    end=stop - 1,
                    if_generation_match=int(info.version),
                    raw_download=True,
                    checksum=None,  # a range has none; manifests and the cache hash what arrives
                    **self._gcs.CALL,
                )
        except (FileNotFoundError, PreconditionError) as error:
            raise ChangedError(info.uri) from error
        return body

    def confirm(self, info: ObjectInfo) -> None:
        """Nothing to do: every read was pinned to the generation."""

    def _blob(self, name: str) -> Any:
        return self._bucket.blob(f"{self._prefix}{name}{SUFFIX}")
