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

_PASSING = (408, 409, 429)  # 409: another write of the same object is going on


class UnsupportedError(ServiceError):
    """The service does not know what it was asked for."""


def file_system(address: Address, known: str = "s3://bucket/folder") -> Any:
    """The file system that `address` is on.

    S3 takes its endpoint and credentials from the standard variables and profile of AWS;
    ``minio://`` is the same with an endpoint that must be given.

    Args:
        address: a folder.
        known: the addresses there are, for the error.

    Raises:
        InputError: the scheme is unknown, or needs a package or a setting that is not there.
    """
    is_s3 = address.scheme in S3_SCHEMES
    options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    try:
        system_class = fsspec.get_filesystem_class("s3" if is_s3 else address.scheme)
        if is_s3:
            options |= _s3_options(address)
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


def _s3_options(address: Address) -> dict[str, Any]:
    from botocore.session import Session

    session = Session()
    endpoint = address.endpoint or session.get_scoped_config().get("endpoint_url")
    refuse_credentials(endpoint or "", "endpoint in the AWS profile")
    credentials = session.get_credentials()
    if credentials is not None:
        conceal(credentials.secret_key, credentials.token)
    if address.scheme == "minio" and not endpoint:
        raise InputError(
            f"{address.uri} needs the address of its store: set AWS_ENDPOINT_URL, for example "
            "http://localhost:9000."
        )
    return {
        "anon": credentials is None,
        "config_kwargs": {
            "retries": {"total_max_attempts": 1},
            # Not every store but Amazon's understands the newer checksums.
            "request_checksum_calculation": "when_required",
        },
    }


@contextlib.contextmanager
def explained(uri: str, doing: str = "read") -> Iterator[None]:
    """Turn a file system's errors into ours.

    Args:
        uri: what the call is about.
        doing: ``read`` or ``written``.

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
