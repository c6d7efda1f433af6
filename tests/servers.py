"""Small real servers on loopback: Cloud Storage's JSON API, one that only refuses, S3 buckets."""

import json
import threading
import time
from collections import Counter
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

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
    ) -> None:
        shown = body[: len(body) // 2] if cut else body
        with self._lock:
            if kind != "bucket":
                self.sent[kind] += len(shown)
        request.send_response(status)
        request.send_header("Content-Type", content_type)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(shown)
        request.close_connection = cut


class GcsServer(_Server):
    """Buckets of objects with generations, and faults to order.

    Kinds of request are ``stat``, ``media`` and ``list``.
    """

    def __init__(self) -> None:
        super().__init__()
        self._objects: dict[tuple[str, str], tuple[bytes, int]] = {}
        self._generation = 1000
        self._failures: dict[str, list[int]] = {}
        self._cuts = 0
        self._change_at: tuple[int, tuple[str, str], bytes] | None = None
        self.forbidden: set[str] = set()
        self.delay = 0.0  # seconds before each answer

    def put(self, bucket: str, name: str, content: bytes) -> None:
        with self._lock:
            self._generation += 1
            self._objects[bucket, name] = (content, self._generation)

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
        url = urlsplit(request.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        path = url.path.removeprefix("/download").removeprefix("/storage/v1/b/")
        bucket, _, rest = path.partition("/o")
        name = unquote(rest.removeprefix("/"))
        if "/o" not in path:  # the client library asks for the bucket in the background, once
            return self._refuse(request, "bucket", 403, "no access to the bucket's settings")
        kind = "media" if url.path.startswith("/download/") else "stat" if name else "list"
        with self._lock:
            self.requests[kind] += 1
            failure = self._failures[kind].pop() if self._failures.get(kind) else None
            change = self._change_at if kind == "media" else None
        if change and self.requests["media"] == change[0]:
            self.put(*change[1], change[2])
        if failure or bucket in self.forbidden:
            return self._refuse(request, kind, failure or 403, "ordered by the test")
        if bucket not in {owner for owner, _ in self._objects}:
            return self._refuse(request, kind, 404, "The specified bucket does not exist.")
        if kind == "list":
            return self._list(request, bucket, query)
        return self._object(request, kind, (bucket, name), query)

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
            record = {
                "kind": "storage#object",
                "bucket": key[0],
                "name": key[1],
                "size": str(len(content)),
                "generation": str(generation),
            }
            return self._send(request, kind, 200, json.dumps(record).encode())
        if query.get("ifGenerationMatch", str(generation)) != str(generation):
            return self._refuse(request, kind, 412, "conditionNotMet")
        wanted = request.headers.get("Range")
        status = 200
        if wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            content = content[int(first) : int(last) + 1 if last else None]
            status = 206
        with self._lock:
            cut = self._cuts > 0
            self._cuts -= cut
        return self._send(request, kind, status, content, "application/octet-stream", cut)

    def _list(self, request: BaseHTTPRequestHandler, bucket: str, query: dict[str, str]) -> None:
        prefix, end = query.get("prefix", ""), query.get("delimiter", "\n")
        names = sorted(name for owner, name in self._objects if owner == bucket)
        items = [
            {"name": name}
            for name in names
            if name.startswith(prefix) and end not in name.removeprefix(prefix)
        ]
        self._send(request, "list", 200, json.dumps({"items": items}).encode())

    def _refuse(
        self, request: BaseHTTPRequestHandler, kind: str, status: int, message: str
    ) -> None:
        body = {"error": {"code": status, "message": message}}
        self._send(request, kind, status, json.dumps(body).encode())


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


class S3Bucket:
    """A bucket of its own in the S3 server that the tests share."""

    def __init__(self, client: Any, name: str) -> None:
        self._client, self.name = client, name
        client.create_bucket(Bucket=name)

    def put(self, key: str, content: bytes, acl: str = "private") -> None:
        self._client.put_object(Bucket=self.name, Key=key, Body=content, ACL=acl)
