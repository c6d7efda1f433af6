"""Addresses of folders, here or in a store; taken apart without importing any client library."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from augstudy.core.errors import InputError
from augstudy.core.redaction import has_credentials

_FILE = "file://"
_PATHS = ("/", "./", "../", "~")
_LOGIN = re.compile(r"[^/\s]+:\S*@")
_S3_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "FSSPEC_S3_ENDPOINT_URL")
_ENDPOINT_VARIABLES = {
    "gs": ("STORAGE_EMULATOR_HOST",),
    "s3": _S3_ENDPOINTS,
    "minio": _S3_ENDPOINTS,
}
S3_SCHEMES = frozenset({"s3", "minio"})  # Kubeflow's name for the store in the cluster is minio


@dataclass(frozen=True)
class Address:
    """``scheme://bucket/prefix``; the prefix may be empty.

    A folder of this machine, ``file:///folder`` or a path, has no bucket; its prefix is absolute.
    """

    scheme: str
    bucket: str
    prefix: str

    @classmethod
    def parse(
        cls, uri: str, what: str = "source", known: str = "scheme://bucket/folder"
    ) -> "Address":
        """Take a URI apart.

        Args:
            uri: the address. A path is one if it begins with ``/``, ``./``, ``../`` or ``~``.
            what: what it is the address of, for the error.
            known: the addresses there are, for the error.

        Raises:
            InputError: it has no scheme, names no bucket or folder, or carries credentials.
        """
        if "://" in uri:
            refuse_credentials(uri, what)
        scheme, separator, path = uri.partition("://")
        if separator and scheme.isalnum() and scheme != scheme.lower():
            return cls.parse(f"{scheme.lower()}://{path}", what, known)
        if uri.startswith((_FILE, *_PATHS)):
            return cls("file", "", _absolute(uri.removeprefix(_FILE)))
        if not separator or not scheme:
            raise InputError(f"Unknown {what} {uri!r}: use {known}.")
        bucket, _, prefix = path.partition("/")
        if not bucket:
            raise InputError(f"{uri} names no bucket: use for example {scheme}://bucket/folder.")
        return cls(scheme, bucket, prefix.strip("/"))

    @property
    def uri(self) -> str:
        """The URI, without a slash at its end."""
        return f"{self.scheme}://{self.path}"

    @property
    def path(self) -> str:
        """Bucket and prefix."""
        return "/".join(filter(None, (self.bucket, self.prefix)))

    @property
    def container(self) -> str:
        """What must exist for the folder to exist at all, in words."""
        if self.scheme in _ENDPOINT_VARIABLES:
            return f"bucket {self.bucket!r}"
        return f"folder {self.prefix if self.scheme == 'file' else self.uri}"

    @property
    def endpoint(self) -> str:
        """Address of the service as the environment gives it; empty means the provider's own.

        Raises:
            InputError: it is not the address of a service, or carries credentials.
        """
        variables = _ENDPOINT_VARIABLES.get(self.scheme, ())
        name = next(filter(os.environ.get, variables), "")
        found = os.environ.get(name, "")
        # Kubeflow's launcher wants this variable without a scheme, Google's library with one.
        if found and self.scheme == "gs" and "://" not in found:
            found = f"http://{found}"
        refuse_credentials(found, f"endpoint in {name}")
        check_endpoint(found, f"The variable {name}")
        return found

    @property
    def identity(self) -> str:
        """Tells the folder apart from its namesake at another endpoint, such as an emulator."""
        return f"{self.uri} {self.endpoint}".strip()


def refuse_credentials(uri: str, what: str) -> None:
    """Refuse an address that carries a user, a password or a signature, without showing it.

    Addresses are kept with runs, shown and passed on; credentials must not be.

    Args:
        uri: The address of anything: a folder, a store, a service.
        what: It is the address of, for the error.

    Raises:
        InputError: it does.
    """
    if has_credentials(uri):
        raise InputError(
            f"The {what} must not carry credentials, a signature or an @: leave them to the "
            "environment or a profile."
        )


def check_endpoint(url: str, where: str) -> None:
    """Refuse what is not the address of a service; nothing at all is in order.

    Args:
        url: the address. It is not shown, as it may hold a password.
        where: it stands, for the error.

    Raises:
        InputError: it has no scheme, another one than ``http`` or ``https``, no host or a bad port.
    """
    if not url:
        return
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise InputError(
            f"{where} must be an address with http:// or https://, such as http://localhost:9000: "
            "correct it."
        )


def absolute(uri: str) -> str:
    """The address of a file or folder that is given relative to the current folder or to a home.

    All else is returned as it is: addresses with a scheme, and names that are no path.

    Raises:
        InputError: it is an address with a user and a password, and without its scheme.
    """
    if _LOGIN.match(uri):
        refuse_credentials(uri, "address")
    path = uri.removeprefix(_FILE)
    there = uri.startswith((_FILE, *_PATHS)) or "/" in uri or os.path.exists(uri)  # noqa: PTH110
    if not path or path.startswith("/") or "://" in path or not there or uri == "sample":
        return uri
    return _FILE + _absolute(path)


def _absolute(path: str) -> str:
    if not path:
        raise InputError("file:// names no folder: use for example file:///data/drawings.")
    try:
        return str(Path(path).expanduser().resolve())
    except (OSError, RuntimeError, ValueError) as error:  # loops of links, no home, null bytes
        raise InputError(f"The path {path!r} cannot be followed: check it.") from error
