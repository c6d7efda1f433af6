"""File systems of fsspec, S3 first of all, and their errors in our words."""

import asyncio
import contextlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import fsspec

from augstudy.core.errors import InputError, ServiceError
from augstudy.core.redaction import conceal
from augstudy.objects.address import S3_SCHEMES, Address, refuse_credentials
from augstudy.objects.retry import PreconditionError, TransientError
from augstudy.objects.signin import SignIn

_PASSING = (408, 409, 429)  # 409: another write of the same object is going on


class UnsupportedError(ServiceError):
    """The service does not know what it was asked for."""


def file_system(
    address: Address, known: str = "s3://bucket/folder", sign_in: SignIn | None = None
) -> Any:
    """The file system that `address` is on.

    S3 takes its endpoint and credentials from the standard variables and profile of AWS;
    ``minio://`` is the same with an endpoint that must be given.

    Args:
        address: a folder.
        known: the addresses there are, for the error.
        sign_in: endpoint and credentials of S3 that come before those of the environment.

    Raises:
        InputError: the scheme is unknown, or needs a package or a setting that is not there.
    """
    is_s3 = address.scheme in S3_SCHEMES
    options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    try:
        system_class = fsspec.get_filesystem_class("s3" if is_s3 else address.scheme)
        if is_s3:
            options |= _s3_options(address, sign_in or SignIn())
        system = system_class(**options)
    except ImportError as error:
        scheme = address.scheme
        extra = "pip install 'augstudy[s3]'" if is_s3 else f"the fsspec package for {scheme}://"
        raise InputError(f"Reading {scheme}:// needs a package not installed: {extra}.") from error
    except ValueError as error:
        raise InputError(f"Unknown source scheme {address.scheme}://: use {known}.") from error
    if is_s3:
        system.retries = 1  # augstudy.objects.retry is the only one who retries
    return system


def _s3_options(address: Address, sign_in: SignIn) -> dict[str, Any]:
    endpoint, has_keys = own_access(address)
    endpoint = sign_in.endpoint or endpoint
    if address.scheme == "minio" and not endpoint:
        raise InputError(
            f"{address.uri} needs the address of its store: set AWS_ENDPOINT_URL, for example "
            "http://localhost:9000."
        )
    given = {
        "endpoint_url": sign_in.endpoint,
        "key": sign_in.key,
        "secret": sign_in.secret,
        "client_kwargs": {"region_name": sign_in.region} if sign_in.region else {},
    }
    return {
        **{name: value for name, value in given.items() if value},
        "anon": not sign_in.key and not has_keys,
        "config_kwargs": {
            "retries": {"total_max_attempts": 1},
            # Not every store but Amazon's understands the newer checksums.
            "request_checksum_calculation": "when_required",
        },
    }


def own_access(address: Address) -> tuple[str, bool]:
    """The endpoint of S3 that environment and profile name, and whether they have credentials."""
    from botocore.session import Session

    session = Session()
    endpoint = address.endpoint or session.get_scoped_config().get("endpoint_url") or ""
    refuse_credentials(str(endpoint), "endpoint in the AWS profile")
    credentials = session.get_credentials()
    if credentials is not None:
        conceal(credentials.secret_key, credentials.token)
    return str(endpoint), credentials is not None


@contextlib.contextmanager
def explained(uri: str, doing: str = "read") -> Iterator[None]:
    """Turn a file system's errors into ours.

    Args:
        uri: what the call is about.
        doing: ``read``, ``written`` or ``deleted``.

    Raises:
        FileNotFoundError: there is no such object or bucket.
        PreconditionError: the object is not the one that was asked for.
        TransientError: the service failed in a way that may pass.
        ServiceError: the service refuses the call.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except PermissionError as error:
        raise ServiceError(
            f"{uri} refuses access: check its name, its permissions and the credentials."
        ) from error
    except _library_errors() as error:
        status = _status(error)
        if status == 412:
            raise PreconditionError(uri) from error
        if "Credential" in type(error).__name__ or "Token" in type(error).__name__:
            raise ServiceError(f"{uri} cannot be {doing}: the credentials are bad.") from error
        if status is not None and (status < 500 or status == 501) and status not in _PASSING:
            kind = UnsupportedError if status == 501 else ServiceError
            raise kind(
                f"{uri} cannot be {doing}: the service answered {status}, check the address."
            ) from error
        answer = f"the service answered {status}" if status else f"{type(error).__name__}"
        raise TransientError(answer) from error


@lru_cache
def _library_errors() -> tuple[type[Exception], ...]:
    """Exceptions by which file systems report trouble with the service."""
    known: list[type[Exception]] = [OSError, asyncio.TimeoutError]
    with contextlib.suppress(ImportError):
        from botocore.exceptions import BotoCoreError

        known.append(BotoCoreError)
    with contextlib.suppress(ImportError):
        from aiohttp import ClientError

        known.append(ClientError)
    return tuple(known)


def _status(error: BaseException) -> int | None:
    """HTTP status behind an error of s3fs or fsspec's HTTP file system, if it has one."""
    for item in (error, error.__cause__):
        response = getattr(item, "response", None)
        if isinstance(response, dict):
            return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) or None
        if isinstance(status := getattr(item, "status", None), int):
            return status
    return None
