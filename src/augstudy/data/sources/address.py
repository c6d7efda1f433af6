"""Addresses of remote folders; taken apart without importing any client library."""

import os
from dataclasses import dataclass

from augstudy.errors import InputError

_ENDPOINT_VARIABLES = {
    "gs": ("STORAGE_EMULATOR_HOST",),
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "FSSPEC_S3_ENDPOINT_URL"),
}


@dataclass(frozen=True)
class Address:
    """``scheme://bucket/prefix``; the prefix may be empty."""

    scheme: str
    bucket: str
    prefix: str

    @classmethod
    def parse(cls, uri: str) -> "Address":
        """Take a URI apart.

        Raises:
            InputError: it has no scheme or names no bucket.
        """
        scheme, separator, path = uri.partition("://")
        if not separator or not scheme:
            raise InputError(
                f"Unknown source {uri!r}: use sample, file:///folder, gs://bucket/folder or "
                "s3://bucket/folder."
            )
        bucket, _, prefix = path.partition("/")
        if not bucket:
            raise InputError(f"{uri} names no bucket: use for example {scheme}://bucket/folder.")
        return cls(scheme, bucket, prefix.strip("/"))

    @property
    def uri(self) -> str:
        """The URI, without a slash at its end."""
        return f"{self.scheme}://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")

    @property
    def container(self) -> str:
        """What must exist for the folder to exist at all, in words."""
        in_bucket = self.scheme in _ENDPOINT_VARIABLES
        return f"bucket {self.bucket!r}" if in_bucket else f"folder {self.uri}"

    @property
    def identity(self) -> str:
        """Tells the folder apart from its namesake at another endpoint, such as an emulator."""
        variables = _ENDPOINT_VARIABLES.get(self.scheme, ())
        endpoint = next(filter(None, map(os.environ.get, variables)), "")
        return f"{self.uri} {endpoint}".strip()
