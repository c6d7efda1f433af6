"""Drawings in Google Cloud Storage: ranged reads pinned to one generation of an object."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import google.auth
import requests
import urllib3
from google.api_core import exceptions as api
from google.auth import credentials as auth_credentials
from google.auth import exceptions as auth
from google.cloud import storage

from augstudy.data.sources.address import Address
from augstudy.data.sources.base import (
    SUFFIX,
    ChangedError,
    ObjectInfo,
    Source,
    TransientError,
)
from augstudy.errors import ServiceError

_SCOPE = "https://www.googleapis.com/auth/devstorage.read_only"
_TIMEOUT = (10, 60)  # seconds to connect, seconds between bytes
_NETWORK_ERRORS = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
    ConnectionError,
    auth.TransportError,
)
# The library's own retries stay off: RetryingSource is the only one who retries.
_CALL: dict[str, Any] = {"timeout": _TIMEOUT, "retry": None}


class GcsSource(Source):
    """A bucket or a folder in it, ``gs://bucket/folder``.

    Signs in with application-default credentials, or anonymously where there are none.
    """

    def __init__(self, address: Address) -> None:
        self.uri, self.container = address.uri, address.container
        self._prefix = f"{address.prefix}/" if address.prefix else ""
        self._client = _client()
        self._bucket = self._client.bucket(address.bucket)

    def list_classes(self) -> list[str]:
        """See :meth:`Source.list_classes`."""
        with _explained(self.uri):
            blobs = self._client.list_blobs(
                self._bucket,
                prefix=self._prefix,
                delimiter="/",
                fields="items(name),nextPageToken",
                **_CALL,
            )
            names = [blob.name.removeprefix(self._prefix) for blob in blobs]
        return sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX))

    def stat(self, name: str) -> ObjectInfo:
        """See :meth:`Source.stat`; the version is the generation."""
        blob = self._blob(name)
        uri = f"{self.uri}/{name}{SUFFIX}"
        with _explained(uri):
            blob.reload(**_CALL)
        return ObjectInfo(name, uri, int(blob.size), str(blob.generation))

    def read(self, info: ObjectInfo, start: int, stop: int) -> bytes:
        """See :meth:`Source.read`."""
        try:
            with _explained(info.uri):
                body: bytes = self._blob(info.name).download_as_bytes(
                    start=start,
                    end=stop - 1,
                    if_generation_match=int(info.version),
                    raw_download=True,
                    checksum=None,  # a range has none; manifests and the cache hash what arrives
                    **_CALL,
                )
        except FileNotFoundError as error:
            raise ChangedError(info.uri) from error
        return body

    def confirm(self, info: ObjectInfo) -> None:
        """Nothing to do: every read was pinned to the generation."""

    def _blob(self, name: str) -> Any:
        return self._bucket.blob(f"{self._prefix}{name}{SUFFIX}")


def _client() -> Any:
    if os.environ.get("STORAGE_EMULATOR_HOST"):
        return storage.Client(project=None, credentials=auth_credentials.AnonymousCredentials())
    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
    except auth.DefaultCredentialsError:
        credentials = auth_credentials.AnonymousCredentials()
    return storage.Client(project=None, credentials=credentials)


@contextlib.contextmanager
def _explained(uri: str) -> Iterator[None]:
    """Turn the library's errors into ours."""
    try:
        yield
    except api.NotFound as error:
        raise FileNotFoundError(uri) from error
    except (api.Forbidden, api.Unauthorized) as error:
        raise ServiceError(
            f"{uri} refuses access: check its name and permissions, or sign in with "
            "`gcloud auth application-default login`."
        ) from error
    except api.PreconditionFailed as error:
        raise ChangedError(uri) from error
    except api.GoogleAPICallError as error:
        status = int(error.code or 0)
        if status in (408, 429) or status >= 500:
            raise TransientError(f"the service answered {status}") from error
        raise ServiceError(f"{uri} cannot be read: the service answered {status}.") from error
    except _NETWORK_ERRORS as error:
        raise TransientError(f"no answer, {type(error).__name__}") from error
    except auth.GoogleAuthError as error:
        raise ServiceError(
            f"{uri} cannot be read because signing in to Google failed: run "
            "`gcloud auth application-default login` again."
        ) from error
