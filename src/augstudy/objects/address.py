"""Addresses of remote folders; taken apart without importing any client library."""

import os
from dataclasses import dataclass

from augstudy.core.errors import InputError
from augstudy.core.redaction import has_credentials

_S3_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "FSSPEC_S3_ENDPOINT_URL")
_ENDPOINT_VARIABLES = {
    "gs": ("STORAGE_EMULATOR_HOST",),
    "s3": _S3_ENDPOINTS,
    "minio": _S3_ENDPOINTS,
}
S3_SCHEMES = frozenset({"s3", "minio"})  # Kubeflow's name for the store in the cluster is minio


@dataclass(frozen=True)
class Address:
    """``scheme://bucket/prefix``; the prefix may be empty."""

    scheme: str
    bucket: str
    prefix: str

    @classmethod
    def parse(
        cls, uri: str, what: str = "source", known: str = "scheme://bucket/folder"
    ) -> "Address":
        """Take a URI apart.

        Args:
            uri: the address.
            what: what it is the address of, for the error.
            known: the addresses there are, for the error.

        Raises:
            InputError: it has no scheme, names no bucket, or carries credentials.
        """
        refuse_credentials(uri, what)
        scheme, separator, path = uri.partition("://")
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
        return f"{self.bucket}/{self.prefix}" if self.prefix else self.bucket

    @property
    def container(self) -> str:
        """What must exist for the folder to exist at all, in words."""
        in_bucket = self.scheme in _ENDPOINT_VARIABLES
        return f"bucket {self.bucket!r}" if in_bucket else f"folder {self.uri}"

    @property
    def endpoint(self) -> str:
        """Address of the service as the environment gives it; empty means the provider's own.

        Raises:
            InputError: it carries credentials.
        """
        variables = _ENDPOINT_VARIABLES.get(self.scheme, ())
        name = next(filter(os.environ.get, variables), "")
        found = os.environ.get(name, "")
        refuse_credentials(found, f"endpoint in {name}")
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
