"""Google Cloud Storage: its client, and its errors in our words."""

import contextlib
import json
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
from google.cloud.storage.exceptions import DataCorruption
from google.oauth2 import service_account

from augstudy.core.errors import InputError, ServiceError
from augstudy.objects.address import refuse_credentials
from augstudy.objects.retry import PreconditionError, TransientError

READ, WRITE = "read_only", "read_write"
_SCOPE = "https://www.googleapis.com/auth/devstorage."
_EMULATOR = "STORAGE_EMULATOR_HOST"
_TIMEOUT = (10, 60)  # seconds to connect, seconds between bytes
_NETWORK_ERRORS = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
    ConnectionError,
    auth.TransportError,
    DataCorruption,  # the checksum of an upload or download is not that of the object
)
# The library's own retries stay off: augstudy.objects.retry is the only one who retries.
CALL: dict[str, Any] = {"timeout": _TIMEOUT, "retry": None}


def client(access: str = READ, token: bytes = b"") -> Any:
    """A client with application-default credentials, or an anonymous one where there are none.

    Args:
        access: ``READ`` or ``WRITE``.
        token: The JSON key of a service account, which comes before the default credentials.

    Raises:
        InputError: the token is no such key.
    """
    emulator = os.environ.get(_EMULATOR)
    if emulator:
        refuse_credentials(emulator, f"endpoint in {_EMULATOR}")
        # Kubeflow's launcher wants this variable without a scheme, Google's library with one.
        endpoint = emulator if "://" in emulator else f"http://{emulator}"
        return storage.Client(
            project=None,
            credentials=auth_credentials.AnonymousCredentials(),
            client_options={"api_endpoint": endpoint},
        )
    if token:
        return storage.Client(project=None, credentials=_credentials(token, access))
    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE + access])
    except auth.DefaultCredentialsError:
        credentials = auth_credentials.AnonymousCredentials()
    return storage.Client(project=None, credentials=credentials)


def _credentials(token: bytes, access: str) -> Any:
    # Only keys of accounts: other kinds of file may name programs to run and addresses to ask.
    try:
        return service_account.Credentials.from_service_account_info(
            json.loads(token), scopes=[_SCOPE + access]
        )
    except (ValueError, TypeError, AttributeError, auth.GoogleAuthError):
        # Without its cause: the text may quote the key.
        raise InputError(
            "The credentials of the store are no JSON key of a service account: create a new key."
        ) from None


@contextlib.contextmanager
def explained(uri: str, doing: str = "read") -> Iterator[None]:
    """Turn the library's errors into ours.

    Args:
        uri: what the call is about.
        doing: ``read`` or ``written``.

    Raises:
        FileNotFoundError: there is no such object or bucket.
        PreconditionError: the object is not of the generation that was asked for.
        TransientError: the service failed in a way that may pass.
        ServiceError: the service refuses the call.
    """
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
        raise PreconditionError(uri) from error
    except api.GoogleAPICallError as error:
        status = int(error.code or 0)
        if status in (408, 429) or status >= 500:
            raise TransientError(f"the service answered {status}") from error
        raise ServiceError(f"{uri} cannot be {doing}: the service answered {status}.") from error
    except _NETWORK_ERRORS as error:
        raise TransientError(f"no answer, {type(error).__name__}") from error
    except auth.GoogleAuthError as error:
        raise ServiceError(
            f"{uri} cannot be {doing} because signing in to Google failed "
            f"({type(error).__name__}): run `gcloud auth application-default login` again."
        ) from None  # its text quotes the answer, which may quote the credentials
