"""Folders in object stores and on this machine: one client per store, one interface to all.

Addresses are ``gs://``, ``s3://``, ``minio://`` (Kubeflow's name for the store in the cluster),
``file://`` or a path. Sources, artifacts, checkpoints and champions all come through here.
"""

from augstudy.core.errors import InputError
from augstudy.objects.address import S3_SCHEMES, Address
from augstudy.objects.base import Store
from augstudy.objects.signin import SignIn
from augstudy.objects.types import (
    ABSENT,
    ChangedError,
    ConflictError,
    MissingError,
    RefusedError,
    Stat,
    Stored,
)

EXAMPLES = ("file:///folder", "gs://bucket/folder", "s3://bucket/folder", "minio://bucket/folder")
_KNOWN = f"{', '.join(EXAMPLES[:-1])} or {EXAMPLES[-1]}"


def open_store(uri: str, sign_in: SignIn | None = None, *, read_only: bool = False) -> Store:
    """Open a folder in a bucket, or one on this machine; nothing is asked of it yet.

    ``gs://`` signs in with application-default credentials. ``s3://`` and ``minio://`` take
    endpoint and credentials from the standard variables and profile of AWS (``AWS_ENDPOINT_URL``,
    ``AWS_ACCESS_KEY_ID``...).

    Args:
        uri: The folder.
        sign_in: Address and credentials that come before those of the environment.
        read_only: Ask for no right to write. Schemes that only fsspec knows are allowed, too.

    Raises:
        InputError: the URI is of none of these forms, its package is not installed, or a setting
            of the client library is wrong.
    """
    address = Address.parse(uri, "store", _KNOWN) if read_only else check_address(uri)
    # The client libraries take up to a second to import.
    if address.scheme == "file":
        from augstudy.objects.files import FileStore

        return FileStore(address)
    if address.scheme == "gs":
        from augstudy.objects.gcs import GcsStore

        return GcsStore(address, sign_in or SignIn(), read_only=read_only)
    if address.scheme in S3_SCHEMES:
        from augstudy.objects.s3 import S3Store

        return S3Store(address, sign_in or SignIn())
    from augstudy.objects.fsspec_store import FsspecStore

    return FsspecStore(address)


def check_address(uri: str) -> Address:
    """Find mistakes in the URI of a store without asking for it.

    Raises:
        InputError: it is of none of the known forms.
    """
    address = Address.parse(uri, "store", _KNOWN)
    if address.scheme not in {"file", "gs", *S3_SCHEMES}:
        raise InputError(f"Unknown scheme {address.scheme}:// of a store: use {_KNOWN}.")
    return address


__all__ = [
    "ABSENT",
    "ChangedError",
    "ConflictError",
    "MissingError",
    "RefusedError",
    "SignIn",
    "Stat",
    "Store",
    "Stored",
    "check_address",
    "open_store",
]
