"""A store in Google Cloud Storage; the version of an object is its generation."""

import json
import mimetypes
import os
from typing import Any, BinaryIO

import google.auth
import requests
import urllib3
from google.api_core import exceptions as api
from google.auth import credentials as auth_credentials
from google.auth import exceptions as auth
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption
from google.oauth2 import service_account

from augstudy.core.errors import InputError, ServiceError
from augstudy.objects.address import Address
from augstudy.objects.base import Store
from augstudy.objects.exchange import is_page
from augstudy.objects.parallel import SMALL_AT_ONCE
from augstudy.objects.retry import PageError
from augstudy.objects.signin import SignIn
from augstudy.objects.types import Span, Stat

BILLING_VARIABLE = "AUGSTUDY_BILLING_PROJECT"
_SCOPE = "https://www.googleapis.com/auth/devstorage."
_TIMEOUT = (10, 60)  # seconds to connect, seconds between bytes
# The library's own retries stay off: augstudy.objects.retry is the only one who retries.
_CALL: dict[str, Any] = {"timeout": _TIMEOUT, "retry": None}
_NETWORK_ERRORS = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.InvalidJSONError,
    urllib3.exceptions.HTTPError,
    ConnectionError,
    auth.TransportError,
    DataCorruption,  # the checksum of an upload or download is not that of the object
)


class GcsStore(Store):
    """A bucket or a folder in it, ``gs://bucket/folder``."""

    errors = (api.GoogleAPICallError, auth.GoogleAuthError, *_NETWORK_ERRORS)

    def __init__(self, address: Address, sign_in: SignIn, *, read_only: bool) -> None:
        self.uri, self.container = address.uri, address.container
        self._prefix = f"{address.prefix}/" if address.prefix else ""
        self._client = _client(address.endpoint, sign_in.token, read_only=read_only)
        _for_many_requests(self._client._http, self._client.api_endpoint)
        billed = os.environ.get(BILLING_VARIABLE, "")
        self._bucket = self._client.bucket(address.bucket, user_project=billed or None)
        self.advice = (
            f"check its name and permissions{billed and f', also to bill project {billed}'}, "
            "or sign in with `gcloud auth application-default login`"
        )

    def _probe(self) -> None:
        list(self._client.list_blobs(self._bucket, max_results=1, **_CALL))

    def _list(self, prefix: str, deep: bool) -> dict[str, Stat]:
        blobs = self._client.list_blobs(
            self._bucket,
            prefix=self._prefix + prefix,
            delimiter=None if deep else "/",
            fields="items(name,size,generation),nextPageToken",
            **_CALL,
        )
        return {blob.name.removeprefix(self._prefix): _described(blob) for blob in blobs}

    def _stat(self, key: str) -> Stat:
        blob = self._blob(key)
        blob.reload(**_CALL)
        return _described(blob)

    def _fetch(
        self, key: str, into: BinaryIO, span: Span | None = None, version: str | None = None
    ) -> None:
        # A range has no checksum; manifests and the cache hash what arrives.
        part = {"start": span[0], "end": span[1] - 1, "raw_download": True} if span else {}
        self._blob(key).download_to_file(
            into,
            if_generation_match=None if version is None else int(version),
            checksum=None if span else "auto",
            **part,
            **_CALL,
        )

    def _put(self, key: str, stream: BinaryIO, version: str | None) -> None:
        self._blob(key).upload_from_file(
            stream,
            size=stream.seek(0, os.SEEK_END),
            rewind=True,
            content_type=mimetypes.guess_type(key)[0],
            if_generation_match=None if version is None else int(version or 0),
            **_CALL,
        )

    def _delete(self, key: str) -> None:
        self._blob(key).delete(**_CALL)

    def _blob(self, key: str) -> Any:
        return self._bucket.blob(self._prefix + key)

    def _status(self, error: Exception, uri: str, doing: str) -> int | None:
        if isinstance(error, api.GoogleAPICallError):
            if "requester pays" in str(error.message).lower():
                raise ServiceError(
                    f"{uri} is in a bucket whose requester pays: set {BILLING_VARIABLE} to the "
                    "project to bill."
                ) from error
            return int(error.code or 0)
        if isinstance(error, _NETWORK_ERRORS):
            return None
        raise ServiceError(
            f"{uri} cannot be {doing} because signing in to Google failed "
            f"({type(error).__name__}): run `gcloud auth application-default login` again."
        ) from None  # its text quotes the answer, which may quote the credentials


def _client(emulator: str, token: bytes, *, read_only: bool) -> Any:
    """A client with application-default credentials, or an anonymous one where there are none.

    Args:
        emulator: Address of an emulator, which comes before everything else.
        token: The JSON key of a service account, which comes before the default credentials.
        read_only: Ask for no right to write.

    Raises:
        InputError: the token is no such key.
    """
    scopes = [_SCOPE + ("read_only" if read_only else "read_write")]
    credentials: Any = auth_credentials.AnonymousCredentials()
    if emulator:
        options = {"api_endpoint": emulator}
        return storage.Client(project=None, credentials=credentials, client_options=options)
    try:
        if token:
            # Only keys of accounts: other kinds of file may name programs to run.
            credentials = service_account.Credentials.from_service_account_info(
                json.loads(token), scopes=scopes
            )
        else:
            credentials, _ = google.auth.default(scopes=scopes)
    except (ValueError, TypeError, AttributeError, auth.GoogleAuthError) as error:
        if token or not isinstance(error, auth.DefaultCredentialsError):
            # Without its cause: the text may quote the key.
            raise InputError(
                "The store's credentials are not a service account's JSON key: create a new key."
            ) from None
    return storage.Client(project=None, credentials=credentials)


def _for_many_requests(session: requests.Session, endpoint: str) -> None:
    """Make a session fit for thousands of small requests to one endpoint.

    By default only ten connections are kept, and each request searches all environment variables
    for a proxy.
    """
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=SMALL_AT_ONCE + 2)
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    found = session.merge_environment_settings(endpoint, {}, None, None, None)
    session.proxies, session.verify, session.trust_env = found["proxies"], found["verify"], False
    session.hooks["response"].append(_check_sender)


def _check_sender(answer: requests.Response, **_: Any) -> None:
    """Raise PageError where a login proxy answers in place of the store.

    An object may be a web page, too; Google sends headers of its own with it.
    """
    own = any(name.lower().startswith("x-goog-") for name in answer.headers)
    if answer.ok and is_page(answer.headers.get("Content-Type", "")) and not own:
        raise PageError(answer.url)


def _described(blob: Any) -> Stat:
    return Stat(int(blob.size), str(blob.generation))
