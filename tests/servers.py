"""Small real servers on loopback: Cloud Storage's JSON API, one that only refuses, S3 buckets."""

import base64
import json
import re
import threading
import time
from collections import Counter
from contextlib import AbstractContextManager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import google_crc32c
from typing_extensions import Self


class _Server(AbstractContextManager["_Server"]):
    """An HTTP server in a thread; counts requests and the bytes of its bodies, by kind."""

    def __init__(self) -> None:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one packet for headers and body
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                owner.answer(self)

            do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._lock = threading.Lock()
        self.requests: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        raise NotImplementedError

    def reset_counts(self) -> None:
        self.requests.clear()
        self.sent.clear()

    def _send(
        self,
        request: BaseHTTPRequestHandler,
        kind: str,
        status: int,
        body: bytes,
        content_type: str = "application/json",
        cut: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        shown = body[: len(body) // 2] if cut else body
        with self._lock:
            if kind != "bucket":
                self.sent[kind] += len(shown)
        request.send_response(status)
        request.send_header("Content-Type", content_type)
        request.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            request.send_header(name, value)
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(shown)
        request.close_connection = cut


class GcsServer(_Server):
    """Buckets of objects with generations, and faults to order.

    Kinds of request are ``stat``, ``media``, ``list``, ``upload`` (small objects), ``resumable``
    (starts the upload of a large one) and ``chunk`` (its content).
    """

    def __init__(self) -> None:
        super().__init__()
        self._objects: dict[tuple[str, str], tuple[bytes, int]] = {}
        self._generation = 1000
        self._failures: dict[str, list[int]] = {}
        self._cuts = 0
        self._change_at: tuple[int, tuple[str, str], bytes] | None = None
        self._sessions: dict[str, tuple[tuple[str, str], dict[str, str]]] = {}
        self._lost_answers = 0
        self.buckets: set[str] = set()
        self.page = 1000  # most names in one answer to a list
        self.forbidden: set[str] = set()
        self.refused: set[str] = set()  # names of objects that may not be written
        self.payers: dict[str, str] = {}  # buckets whose requester pays, and the one who may
        self.delay = 0.0  # seconds before each answer

    def put(self, bucket: str, name: str, content: bytes) -> None:
        with self._lock:
            self._generation += 1
            self.buckets.add(bucket)
            self._objects[bucket, name] = (content, self._generation)

    def get(self, bucket: str, name: str) -> bytes:
        return self._objects[bucket, name][0]

    def names(self, bucket: str) -> list[str]:
        """In the order in which they were last written."""
        found = [(made, key[1]) for key, (_, made) in self._objects.items() if key[0] == bucket]
        return [name for _, name in sorted(found)]

    def lose_answers(self, times: int) -> None:
        """Store the next `times` uploads but break the connection instead of saying so."""
        self._lost_answers = times

    def delete(self, bucket: str, name: str) -> None:
        del self._objects[bucket, name]

    def put_folder(self, bucket: str, prefix: str, folder: Path, names: list[str]) -> None:
        for name in names:
            self.put(bucket, f"{prefix}/{name}.npy", (folder / f"{name}.npy").read_bytes())

    def fail(self, kind: str, status: int, times: int) -> None:
        """Answer the next `times` requests of a kind with `status`."""
        self._failures[kind] = [status] * times

    def cut(self, times: int) -> None:
        """Break the connection half-way through the next `times` media bodies."""
        self._cuts = times

    def change_at(self, media: int, bucket: str, name: str, content: bytes) -> None:
        """Replace an object just before the media request number `media` is answered."""
        self._change_at = (media, (bucket, name), content)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        time.sleep(self.delay)
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        url = urlsplit(request.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        root = re.sub(r"^/(download|upload)", "", url.path)
        bucket, _, rest = root.removeprefix("/storage/v1/b/").partition("/o")
        name = unquote(rest.removeprefix("/"))
        if "/o" not in root:  # the client library asks for the bucket in the background, once
            return self._refuse(request, "bucket", 403, "no access to the bucket's settings")
        kind = self._kind(request.command, url.path, query, name)
        with self._lock:
            self.requests[kind] += 1
            failure = self._failures[kind].pop() if self._failures.get(kind) else None
            change = self._change_at if kind == "media" else None
        if change and self.requests["media"] == change[0]:
            self.put(*change[1], change[2])
        if failure or bucket in self.forbidden:
            return self._refuse(request, kind, failure or 403, "ordered by the test")
        if self._unpaid(request, kind, bucket, query):
            return None
        if bucket not in self.buckets:
            return self._refuse(request, kind, 404, "The specified bucket does not exist.")
        if kind == "list":
            return self._list(request, bucket, query)
        if kind == "delete":
            found = self._objects.pop((bucket, name), None)
            status, body = (204, b"") if found else (404, b"{}")
            return self._send(request, kind, status, body)
        if kind == "resumable":
            return self._start(request, (bucket, json.loads(body)["name"]), query)
        if kind in ("upload", "chunk"):
            return self._take(request, kind, bucket, query, body)
        return self._object(request, kind, (bucket, name), query)

    def _unpaid(
        self, request: BaseHTTPRequestHandler, kind: str, bucket: str, query: dict[str, str]
    ) -> bool:
        """Refuse as Cloud Storage does where the requester pays and does not say who."""
        payer, given = self.payers.get(bucket), query.get("userProject")
        if payer is None or given == payer:
            return False
        missing = "Bucket is a requester pays bucket but no user project provided."
        denied = f"Caller does not have serviceusage.services.use access to {given}."
        self._refuse(request, kind, 403 if given else 400, denied if given else missing)
        return True

    @staticmethod
    def _kind(command: str, path: str, query: dict[str, str], name: str) -> str:
        if path.startswith("/upload/"):
            if query["uploadType"] == "multipart":
                return "upload"
            return "chunk" if command == "PUT" else "resumable"
        if path.startswith("/download/"):
            return "media"
        if command == "DELETE":
            return "delete"
        return "stat" if name else "list"

    def _start(
        self, request: BaseHTTPRequestHandler, key: tuple[str, str], query: dict[str, str]
    ) -> None:
        number = str(len(self._sessions))
        self._sessions[number] = (key, query)
        path = urlsplit(request.path).path
        place = f"{self.url}{path}?uploadType=resumable&upload_id={number}"
        self._send(request, "resumable", 200, b"", headers={"Location": place})

    def _take(
        self,
        request: BaseHTTPRequestHandler,
        kind: str,
        bucket: str,
        query: dict[str, str],
        body: bytes,
    ) -> None:
        if kind == "chunk":
            key, query = self._sessions[query["upload_id"]]
            content = body
        else:
            boundary = re.search(r'boundary="?([^";]+)', request.headers["Content-Type"])
            assert boundary
            parts = body.split(b"--" + boundary[1].encode())[1:3]
            described, content = (part.split(b"\r\n\r\n", 1)[1][:-2] for part in parts)
            metadata = json.loads(described)
            key = (bucket, metadata["name"])
            assert metadata["crc32c"] == crc32c(content)
        if key[1] in self.refused:
            return self._refuse(request, kind, 403, "ordered by the test")
        now = self._objects.get(key, (b"", 0))[1]
        if query.get("ifGenerationMatch", str(now)) != str(now):
            return self._refuse(request, kind, 412, "conditionNotMet")
        self.put(*key, content)
        with self._lock:
            lost = self._lost_answers > 0
            self._lost_answers -= lost
        record = json.dumps(self._record(key)).encode()
        return self._send(request, kind, 200, record, cut=lost)

    def _record(self, key: tuple[str, str]) -> dict[str, str]:
        content, generation = self._objects[key]
        return {
            "kind": "storage#object",
            "bucket": key[0],
            "name": key[1],
            "size": str(len(content)),
            "generation": str(generation),
            "crc32c": crc32c(content),
        }

    def _object(
        self,
        request: BaseHTTPRequestHandler,
        kind: str,
        key: tuple[str, str],
        query: dict[str, str],
    ) -> None:
        if key not in self._objects:
            return self._refuse(request, kind, 404, f"No such object: {'/'.join(key)}")
        content, generation = self._objects[key]
        if kind == "stat":
            return self._send(request, kind, 200, json.dumps(self._record(key)).encode())
        if query.get("ifGenerationMatch", str(generation)) != str(generation):
            return self._refuse(request, kind, 412, "conditionNotMet")
        wanted = request.headers.get("Range")
        status, headers = 200, {"x-goog-hash": f"crc32c={crc32c(content)}"}
        if wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            content = content[int(first) : int(last) + 1 if last else None]
            status, headers = 206, {}
        with self._lock:
            cut = self._cuts > 0
            self._cuts -= cut
        binary = "application/octet-stream"
        return self._send(request, kind, status, content, binary, cut, headers)

    def _list(self, request: BaseHTTPRequestHandler, bucket: str, query: dict[str, str]) -> None:
        prefix, end = query.get("prefix", ""), query.get("delimiter", "\n")
        names = sorted(name for owner, name in self._objects if owner == bucket)
        items = [
            self._record((bucket, name))
            for name in names
            if name.startswith(prefix) and end not in name.removeprefix(prefix)
        ]
        first = int(query.get("pageToken", 0))
        last = first + min(self.page, int(query.get("maxResults", self.page)))
        answer: dict[str, Any] = {"items": items[first:last]}
        if last < len(items):
            answer["nextPageToken"] = str(last)
        self._send(request, "list", 200, json.dumps(answer).encode())

    def _refuse(
        self, request: BaseHTTPRequestHandler, kind: str, status: int, message: str
    ) -> None:
        body = {"error": {"code": status, "message": message}}
        self._send(request, kind, status, json.dumps(body).encode())


def crc32c(content: bytes) -> str:
    """The checksum as Cloud Storage writes it."""
    return base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()


class RefusingServer(_Server):
    """Answers every request as S3 does when it refuses."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__()
        self._status, self._code = status, code

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self.requests["any"] += 1
        body = f"<Error><Code>{self._code}</Code><Message>no</Message></Error>".encode()
        self._send(request, "any", self._status, body, "application/xml")


class LoginPage(_Server):
    """Answers every request with a web page and status 200, as a proxy that wants a login."""

    BODY = b'<html xmlns="http://www.w3.org/1999/xhtml"><body>Log in</body></html>'

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self.requests["any"] += 1
        request.rfile.read(int(request.headers.get("Content-Length") or 0))
        self._send(request, "any", 200, self.BODY, "text/html; charset=utf-8")


class ForgetfulS3(_Server):
    """An S3 server that takes writes and reads for unconditional ones, or refuses the others.

    It passes everything else on to another server, and keeps the headers of what it was asked.
    """

    def __init__(self, server: str, status: int = 0) -> None:
        super().__init__()
        self._server, self._status = server, status
        self.heard: list[dict[str, str]] = []

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.heard.append(headers)
        body = request.rfile.read(int(headers.get("content-length", 0)))
        forgotten = [headers.pop(name, None) for name in ("if-match", "if-none-match")]
        if self._status and request.command == "PUT" and any(forgotten):
            self._send(request, "any", self._status, b"<Error><Code>NotImplemented</Code></Error>")
            return
        connection = HTTPConnection(self._server.removeprefix("http://"))
        connection.request(request.command, request.path, body, headers)
        found = connection.getresponse()
        content = found.read()
        request.send_response(found.status)
        for name, value in found.getheaders():
            if name.lower() not in ("connection", "date", "server", "transfer-encoding"):
                request.send_header(name, value)
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(content)
        connection.close()


class S3Bucket:
    """A bucket of its own in the S3 server that the tests share."""

    def __init__(self, client: Any, name: str) -> None:
        self._client, self.name = client, name
        client.create_bucket(Bucket=name)

    def another(self, name: str) -> "S3Bucket":
        """A bucket beside this one."""
        return S3Bucket(self._client, name)

    def names(self) -> list[str]:
        """Of the objects in it."""
        found = self._client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return [item["Key"] for item in found]

    def remove(self) -> None:
        """Delete it with what is in it."""
        for key in self.names():
            self._client.delete_object(Bucket=self.name, Key=key)
        self._client.delete_bucket(Bucket=self.name)

    def put(self, key: str, content: bytes, acl: str = "private") -> None:
        self._client.put_object(Bucket=self.name, Key=key, Body=content, ACL=acl)
