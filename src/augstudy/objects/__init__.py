"""Keeps artifacts and small objects under a URI: ``gs://``, ``s3://``, ``minio://`` or ``file://``."""

from augstudy.core.errors import InputError
from augstudy.objects.address import S3_SCHEMES, Address, refuse_credentials
from augstudy.objects.base import ABSENT, ConflictError, MissingError, Store, Stored
from augstudy.objects.signin import SignIn

_KNOWN = "file:///folder, gs://bucket/folder, s3://bucket/folder or minio://bucket/folder"


def open_store(uri: str, sign_in: SignIn | None = None) -> Store:
    """Open a folder in a bucket, or one on this machine; nothing is asked of it yet.

    ``gs://`` signs in with application-default credentials. ``s3://`` and ``minio://``, Kubeflow's
    name for the store in the cluster, take endpoint and credentials from the standard variables
    and profile of AWS (``AWS_ENDPOINT_URL``, ``AWS_ACCESS_KEY_ID``...).

    Args:
        uri: The folder.
        sign_in: Address and credentials that come before those of the environment.

    Raises:
        InputError: the URI is of none of these forms, or its package is not installed.
    """
    check_address(uri)
    # The client libraries take up to a second to import.
    if uri.startswith("file://"):
        from augstudy.objects.files import FileStore

        return FileStore(uri)
    address = Address.parse(uri, "store", _KNOWN)
    if address.scheme == "gs":
        from augstudy.objects.gcs import GcsStore

        return GcsStore(address, sign_in or SignIn())
    from augstudy.objects.s3 import S3Store

    return S3Store(address, sign_in or SignIn())


def check_address(uri: str) -> None:
    """Find mistakes in the URI of a store without asking for it.

    Raises:
        InputError: it is of none of the known forms.
    """
    refuse_credentials(uri, "address of a store")
    if uri.startswith("file://"):
        if not uri.removeprefix("file://"):
            raise InputError("file:// names no folder: use for example file:///data/champions.")
        return
    scheme = Address.parse(uri, "store", _KNOWN).scheme
    if scheme != "gs" and scheme not in S3_SCHEMES:
        raise InputError(f"Unknown scheme {scheme}:// of a store: use {_KNOWN}.")


__all__ = [
    "ABSENT",
    "ConflictError",
    "MissingError",
    "SignIn",
    "Store",
    "Stored",
    "check_address",
    "open_store",
]
