"""The server of the web page: standard library, reading only and for this machine unless asked.

It answers GET and HEAD, and PUT of a note where notes may be changed. No part of a path is ever the
name of a file: runs, arms and files are looked up among those that there are. Browsers are told to
load nothing from anywhere else, and on loopback a request must name loopback as its host, so that
no web page can reach the server under a name of its own.
"""

import contextlib
import json
import logging
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from augstudy.core.errors import AugstudyError, InputError, ServiceError
from augstudy.core.redaction import without_secrets
from augstudy.pages import readings, tables
from augstudy.runs.grouping import MEASURED
from augstudy.runs.record import ARM_FIELDS, FIELDS
from augstudy.ui import files
from augstudy.ui.editing import MOST_CHARACTERS, Editor, RefusedError
from augstudy.ui.files import MissingPageError
from augstudy.ui.library import PAGE, Library, Question

logger = logging.getLogger("augstudy")

_NOTHING_ELSE = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_APP_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    f"connect-src 'self'; {_NOTHING_ELSE}"
)
# Reports and comparisons are one file each: their styles and pictures are within, scripts are not.
_PAGE_POLICY = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; {_NOTHING_ELSE}"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# Columns to group rows by: those whose values repeat.
_GROUPED = ("id", "text", "integer", "hash")
_ALONE = ("name", "note", "link", "images")
THREADS = 64  # at most, so as many connections at once
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
Query = dict[str, str]


class Server(ThreadingHTTPServer):
    """Serves a library on an address of this machine."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, library: Library, host: str = "127.0.0.1", port: int = 0, edit: bool = False
    ) -> None:
        """Listen at once; `port` 0 means any that is free.

        Args:
            library: What is served.
            host: Address to listen on.
            port: Likewise.
            edit: Whether the page may change notes.

        Raises:
            InputError: notes could be changed from other machines.
            ServiceError: the port is taken, or the address is not this machine's.
        """
        self.library = library
        self.on_loopback = _is_loopback(host)
        if edit and not self.on_loopback:
            raise InputError(
                "With --edit, everybody who can reach this machine could change the notes: leave "
                "out --host."
            )
        self.editor = Editor(edit)
        self._free = threading.BoundedSemaphore(THREADS)
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise ServiceError(
                f"Cannot listen on {host}:{port}: {error.strerror or error}; choose another --port."
            ) from error

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own; who comes while all are taken is told to come again."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        with contextlib.suppress(OSError):
            request.settimeout(1)
            request.sendall(_BUSY)
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one connection, and give its thread back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep broken connections out of the terminal."""
        logger.debug("The connection of %s ended early.", client_address, exc_info=True)

    @property
    def url(self) -> str:
        """Where the page is."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version = "augstudy"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    default_request_version = protocol_version  # else what cannot be read gets no status
    timeout = 15  # seconds for which a silent connection keeps its thread

    def do_GET(self) -> None:
        """Answer a question."""
        self._handle(self._route)

    do_HEAD = do_GET  # noqa: N815

    def do_PUT(self) -> None:
        """Change a note, where that is allowed."""
        self.close_connection = True  # what is refused is not read
        self._handle(self._change)

    do_POST = do_PUT  # noqa: N815

    def _handle(self, answer: Callable[[list[str], Query], None]) -> None:
        try:
            parts, here = urlsplit(self.path), _names_loopback(self.headers.get("Host", ""))
            asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            if not parts.path.startswith("/"):
                raise ValueError("it is no path")
        except ValueError:
            self.close_connection = True
            self._send_error(HTTPStatus.BAD_REQUEST, "This is no request that can be answered.")
            return
        if self.server.on_loopback and not here:
            self._send_error(HTTPStatus.MISDIRECTED_REQUEST, "This server is for this machine.")
            return
        try:
            answer([unquote(part) for part in parts.path.split("/")[1:]], asked)
        except RefusedError as error:
            self._send_error(error.status, str(error))
        except InputError as error:
            missing = isinstance(error, MissingPageError)
            status = HTTPStatus.NOT_FOUND if missing else HTTPStatus.BAD_REQUEST
            self._send_error(status, without_secrets(str(error)))
        except AugstudyError as error:
            self._send_error(HTTPStatus.BAD_GATEWAY, without_secrets(str(error)))
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.close_connection = True
        except Exception:
            logger.exception("The page could not be served: %s", self.path)
            sentence = "This is a bug in augstudy; the terminal says more."
            self._send_error(HTTPStatus.INTERNAL_SERVER_ERROR, sentence)

    def _change(self, path: list[str], _asked: Query) -> None:
        text = self.server.editor.text(self.command, self.headers, self.rfile.read)
        if path[:2] != ["api", "note"] or len(path) != 3:
            raise MissingPageError("There is no such note.")
        answer = {"note": self.server.library.note(path[2], text)}
        self._send(json.dumps(answer).encode(), "application/json", _APP_POLICY)

    def _route(self, path: list[str], asked: Query) -> None:
        library = self.server.library
        answers: dict[tuple[str, int], Callable[[], Any]] = {
            ("fields", 2): _fields,
            ("settings", 2): library.settings,
            ("editing", 2): lambda: {"token": self.server.editor.token, "most": MOST_CHARACTERS},
            ("rows", 2): lambda: library.table(
                _question(asked), _number(asked, "offset", 0), _number(asked, "limit", PAGE)
            ),
            ("points", 2): lambda: library.points(
                _question(asked), _names(asked, "columns"), asked.get("colour", "")
            ),
            ("run", 3): lambda: library.run(path[2]),
            ("curves", 3): lambda: library.curves(path[2]),
            ("samples", 3): lambda: library.samples(path[2]),
            ("cams", 4): lambda: library.cams(path[2], path[3]),
        }
        if path[0] == "api" and (answer := answers.get((path[1] if path[1:] else "", len(path)))):
            self._send(json.dumps(answer()).encode(), "application/json", _APP_POLICY)
        elif path[0] == "compare" and len(path) == 1:
            page = library.comparison(asked.get("arms", "").split(","))
            self._send(page.encode(), "text/html", _PAGE_POLICY)
        elif path[0] == "report" and len(path) == 2:
            self._send(library.report(path[1]).encode(), "text/html", _PAGE_POLICY)
        elif path[0] == "run" and len(path) > 2:
            self._send_of_run(path[1], "/".join(path[2:]))
        elif len(path) == 1:
            name = path[0] or "index.html"
            self._send(files.static(name), files.kind(name), _APP_POLICY)
        else:
            raise MissingPageError("There is no such page.")

    def _send_of_run(self, run: str, name: str) -> None:
        """The page of a run, or what it links to; its addresses are as in the run's folder."""
        if name in ("", "index.html"):
            self._send(self.server.library.page(run).encode(), "text/html", _PAGE_POLICY)
        else:
            content = self.server.library.file(run, name)
            self._send(content, files.kind(name), _PAGE_POLICY)

    def _send_error(self, status: HTTPStatus, sentence: str) -> None:
        content = json.dumps({"error": sentence}).encode()
        self._send(content, "application/json", _APP_POLICY, status)

    def _send(
        self, content: bytes, kind: str, policy: str, status: HTTPStatus = HTTPStatus.OK
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", policy)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what http.server itself refuses, such as other methods, like all else."""
        self.close_connection = True
        self._send_error(HTTPStatus(code), message or HTTPStatus(code).phrase)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep requests out of the terminal."""
        logger.debug(format, *args)


def _number(asked: Query, name: str, default: int) -> int:
    text = asked.get(name, str(default))
    if not text.isdecimal() or len(text) > 9:
        raise InputError(f"{name} {text!r} must be a number.")
    return int(text)


def _names(asked: Query, name: str) -> tuple[str, ...]:
    return tuple(item for item in asked.get(name, "").split(",") if item)


def _question(asked: Query) -> Question:
    texts = {name: asked.get(name, "") for name in ("where", "search", "sort", "group")}
    return Question(**texts, ticks=_names(asked, "ticks"))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _fields() -> list[dict[str, Any]]:
    """The columns of tables, with what people read about them."""
    said = {name: readings.field(name) for name in FIELDS}
    return [
        {
            **vars(field),
            "title": said[name].title,
            "meaning": said[name].text,
            "usual": tables.SHOWN.index(name) if name in tables.SHOWN else None,
            "arm": field in ARM_FIELDS,
            "groups": field.kind in _GROUPED and name not in _ALONE,
            "measured": field in MEASURED,
        }
        for name, field in FIELDS.items()
    ]


def _names_loopback(header: str) -> bool:
    """Whether the Host header of a request, which is what a browser was asked for, is loopback."""
    host = urlsplit(f"//{header}").hostname or ""
    return _is_loopback(host)
