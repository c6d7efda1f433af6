"""One request and its answer: what the clients of KFP, of Kubernetes and of MLflow share.

No redirect is followed, so that a token stays with the host it was meant for. Nothing is sent
twice, no answer is waited for without an end, and none is read without a bound.
"""

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import urllib3

CONNECT_S = 5.0
_MOST = 64 * 2**20  # bytes of an answer; the largest that we ask for, a run, has some 100 kB
_CHUNK = 2**16
_PAGES = ("text/html", "application/xhtml+xml")


def is_page(content_type: str) -> bool:
    """Whether a header says that a web page follows, such as a login proxy's."""
    return content_type.partition(";")[0].strip().lower() in _PAGES


@dataclass(frozen=True)
class Answer:
    """What a server said, whatever its status."""

    status: int
    kind: str  # content type, without its parameters
    location: str  # where a redirect would lead; empty if this is none
    body: bytes

    @property
    def is_page(self) -> bool:
        """Whether this is a web page, such as a login proxy's."""
        begins = self.body.lstrip()[:9].lower()
        return is_page(self.kind) or begins.startswith((b"<!doctype", b"<html"))

    @property
    def is_redirect(self) -> bool:
        """Whether the server wants us to ask elsewhere."""
        return 300 <= self.status < 400

    def content(self) -> dict[str, Any]:
        """The JSON object in the body; an empty body is an empty object.

        Raises:
            ValueError: it is something else.
        """
        try:
            found = json.loads(self.body or b"{}")
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        if not isinstance(found, dict):
            raise ValueError("it is no JSON object")
        return found


def private(address: str) -> bool:
    """Whether nobody between us and the host of an address can read what is sent."""
    parts = urlsplit(address)
    return parts.scheme == "https" or _loopback(parts.hostname or "")


def _loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def pool(ca_file: str | None = None, **options: Any) -> urllib3.PoolManager:
    """A pool of connections that trusts `ca_file`, by default the usual authorities."""
    import certifi

    return urllib3.PoolManager(ca_certs=ca_file or certifi.where(), **options)


def exchange(
    connections: urllib3.PoolManager,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    answer_s: float,
    body: Any = None,
    fields: Mapping[str, Any] | None = None,
    file: BinaryIO | None = None,
) -> Answer:
    """Send one request.

    Args:
        connections: What :func:`pool` gives.
        method: ``GET``, ``POST``, ``PUT`` or ``DELETE``.
        url: The whole address.
        headers: Among them the token, which goes to this address and nowhere else.
        answer_s: Seconds to wait for an answer, and for each part of it.
        body: Is sent as JSON.
        fields: Are sent as a form with files, instead of `body`.
        file: Is sent as it is, instead of `body`; the headers say how long it is.

    Raises:
        urllib3.exceptions.HTTPError: no answer came.
        ValueError: the answer is endless.
    """
    options: dict[str, Any] = {"fields": dict(fields)} if fields else {}
    if body is not None:
        options["json"] = body
    if file is not None:
        options["body"] = file
    answer = connections.request(
        method,
        url,
        headers=dict(headers),
        redirect=False,
        retries=False,
        timeout=urllib3.Timeout(connect=CONNECT_S, read=answer_s),
        preload_content=False,
        **options,
    )
    try:
        content = bytearray()
        for chunk in answer.stream(_CHUNK):
            content += chunk
            if len(content) > _MOST:
                raise ValueError(f"it is longer than {_MOST >> 20} MiB")
    except BaseException:
        answer.close()
        raise
    answer.release_conn()
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    location = answer.headers.get("Location", "") if 300 <= answer.status < 400 else ""
    return Answer(answer.status, kind, location, bytes(content))
