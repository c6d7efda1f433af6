"""A store in Google Cloud Storage; the version of an object is its generation."""

from pathlib import Path
from typing import Any

from augstudy.objects.address import Address
from augstudy.objects.base import ABSENT, Store, Stored
from augstudy.objects.google import CALL, WRITE, client, explained
from augstudy.objects.retry import PreconditionError, TransientError
from augstudy.objects.signin import SignIn


class GcsStore(Store):
    """A bucket or a folder in it, ``gs://bucket/folder``."""

    def __init__(self, address: Address, sign_in: SignIn) -> None:
        self.uri, self.container = address.uri, address.container
        self._prefix = f"{address.prefix}/" if address.prefix else ""
        self._client = client(WRITE, sign_in.token)
        self._bucket = self._client.bucket(address.bucket)

    def _probe(self) -> None:
        with explained(self.uri):
            list(self._client.list_blobs(self._bucket, max_results=1, **CALL))

    def _list(self, prefix: str) -> list[str]:
        with explained(self.uri):
            blobs = self._client.list_blobs(
                self._bucket,
                prefix=self._prefix + prefix,
                fields="items(name),nextPageToken",
                **CALL,
            )
            return [blob.name.removeprefix(self._prefix) for blob in blobs]

    def _version(self, key: str) -> str:
        blob = self._blob(key)
        with explained(self._named(key)):
            blob.reload(**CALL)
        return str(blob.generation)

    def _read(self, key: str) -> bytes:
        with explained(self._named(key)):
            data: bytes = self._blob(key).download_as_bytes(**CALL)
        return data

    def _lookup(self, key: str) -> Stored:
        version = self._version(key)
        try:
            with explained(self._named(key)):
                data = self._blob(key).download_as_bytes(if_generation_match=int(version), **CALL)
        except PreconditionError as error:
            raise TransientError("it is being replaced") from error
        return Stored(data, version)

    def _write(self, key: str, data: bytes) -> None:
        with explained(self._named(key), "written"):
            self._blob(key).upload_from_string(data, **CALL)

    def _delete(self, key: str) -> None:
        with explained(self._named(key), "deleted"):
            self._blob(key).delete(**CALL)

    def _replace(self, key: str, data: bytes, version: str) -> None:
        wanted = 0 if version == ABSENT else int(version)
        with explained(self._named(key), "written"):
            self._blob(key).upload_from_string(data, if_generation_match=wanted, **CALL)

    def _put_file(self, path: Path, key: str) -> None:
        with explained(self._named(key), "written"):
            self._blob(key).upload_from_filename(str(path), **CALL)

    def _get_file(self, key: str, path: Path) -> None:
        with explained(self._named(key)):
            self._blob(key).download_to_filename(str(path), **CALL)

    def _blob(self, key: str) -> Any:
        return self._bucket.blob(self._prefix + key)

    def _named(self, key: str) -> str:
        return f"{self.uri}/{key}"
