"""Who may change a note through the page, and what a note may be.

Another website, or another program's page on this machine, can make a browser send requests here,
but it can neither read our answers nor choose the header ``Origin``. So a change must come from our
own origin, as JSON, and bring a token that only our answers contain.
"""

import hmac
import json
import secrets
from collections.abc import Callable
from email.message import Message
from http import HTTPStatus

from augstudy.core.errors import InputError

TOKEN = "X-Augstudy-Token"  # noqa: S105 (the name of a header)
MOST_CHARACTERS = 10_000
_MOST_BYTES = 6 * MOST_CHARACTERS + 100  # of JSON, where a character may be written as \uffff


class RefusedError(InputError):
    """A change that is not made; `status` says why to programs."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Editor:
    """Lets notes be changed, or not."""

    def __init__(self, allowed: bool) -> None:
        self.token = secrets.token_urlsafe(32) if allowed else None

    def text(self, method: str, headers: Message, read: Callable[[int], bytes]) -> str:
        """The note that a request brings.

        Args:
            method: Of the request.
            headers: Of the request.
            read: Gives so many bytes of its content.

        Raises:
            RefusedError: notes cannot be changed here, or not by this request.
        """
        if self.token is None:
            sentence = "This page is read-only: to change notes, start it with --edit."
            raise RefusedError(HTTPStatus.FORBIDDEN, sentence)
        if method != "PUT":
            raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "Notes are changed with PUT.")
        self._check_sender(headers)
        return _note(read(_length(headers)))

    def _check_sender(self, headers: Message) -> None:
        own = headers.get("Origin") == f"http://{headers.get('Host')}"
        site = headers.get("Sec-Fetch-Site") or "same-origin"
        given = (headers.get(TOKEN) or "").encode(errors="replace")
        if not own or site != "same-origin" or not hmac.compare_digest(given, self._secret):
            sentence = "Only the page itself may change notes: reload it and try again."
            raise RefusedError(HTTPStatus.FORBIDDEN, sentence)
        if (headers.get("Content-Type") or "").partition(";")[0].strip() != "application/json":
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "A note is sent as JSON.")

    @property
    def _secret(self) -> bytes:
        return (self.token or "").encode()


def _length(headers: Message) -> int:
    length = headers.get("Content-Length") or ""
    if not length.isdecimal() or not length.isascii():
        raise RefusedError(HTTPStatus.LENGTH_REQUIRED, "The length of the note is not given.")
    if len(length) > len(str(_MOST_BYTES)) or int(length) > _MOST_BYTES:
        raise _too_long()
    return int(length)


def _note(content: bytes) -> str:
    try:
        text = json.loads(content)["note"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "This is no note.") from error
    if not isinstance(text, str) or "\0" in text:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "A note is a text.")
    if len(text) > MOST_CHARACTERS:
        raise _too_long()
    return text.strip()


def _too_long() -> RefusedError:
    sentence = f"A note has at most {MOST_CHARACTERS:,} characters: shorten it."
    return RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, sentence)
