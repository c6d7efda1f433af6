"""Which token goes to which host.

A token goes only to the host that it was given for, and never unencrypted, unless that host is
this machine. Google's default credentials open a whole cloud, so without being asked for they go
to the hosts of AI Platform Pipelines alone: anybody may have another name under
googleusercontent.com.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from augstudy.core.errors import InputError, ServiceError
from augstudy.objects.exchange import private

# Kubeflow's notebooks and our schedule job get a token as a file, renewed by the kubelet.
TOKEN_FILE_VARIABLE = "KF_PIPELINES_SA_TOKEN_PATH"  # noqa: S105
ADC = "adc"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_GOOGLES = re.compile(r"[0-9a-z]+-dot-[0-9a-z]+(?:-[0-9a-z]+)*\.pipelines\.googleusercontent\.com")
# Names that only the DNS of a cluster knows, of a Service in it.
_IN_CLUSTER = re.compile(r"[0-9a-z-]+\.[0-9a-z-]+\.svc(?:\.cluster\.local)?")

Token = Callable[[], str]


def source(host: str, given: str) -> Token | None:
    """What gives the token for the next request to `host`; None if none is to be sent.

    Args:
        host: The address, with its scheme.
        given: The token of the settings, ``adc``, or empty.

    Raises:
        InputError: the token that was given would travel unencrypted.
        ServiceError: Google's default credentials are wanted and there are none.
    """
    if given and not private(host):
        raise InputError(
            f"The token would travel to {host} unencrypted: give an https:// address, or forward "
            "a port of this machine to it."
        )
    if given == ADC or (not given and googles(host)):
        return _google()
    if given:
        return lambda: given
    path = os.environ.get(TOKEN_FILE_VARIABLE)
    if path and Path(path).is_file() and (private(host) or _in_cluster(host)):
        return lambda: Path(path).read_text(encoding="utf-8").strip()
    return None


def googles(host: str) -> bool:
    """Whether `host` is one of Google's own, which its default credentials are meant for."""
    parts = urlsplit(host)
    return (
        parts.scheme == "https"
        and parts.port in (None, 443)
        and _GOOGLES.fullmatch(parts.hostname or "") is not None
    )


def _in_cluster(host: str) -> bool:
    """Whether `host` is a Service of the cluster that we are in.

    KFP's API has no TLS there by default. The token in the file is made for it alone and expires
    within the hour; no other token goes there.
    """
    return _IN_CLUSTER.fullmatch(urlsplit(host).hostname or "") is not None


def _google() -> Token:
    """A valid token of Google's application default credentials for each request."""
    import google.auth
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request

    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
    except GoogleAuthError as error:
        raise ServiceError(
            "There are no application default credentials: run "
            "'gcloud auth application-default login', or give --token."
        ) from error

    def token() -> str:
        if not credentials.valid:
            try:
                credentials.refresh(Request())
            except GoogleAuthError as error:
                raise ServiceError(
                    "Google gives no token for the application default credentials: run "
                    "'gcloud auth application-default login' again."
                ) from error
        return str(credentials.token)

    return token
