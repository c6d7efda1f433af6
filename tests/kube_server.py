"""A server on loopback that speaks the part of the Kubernetes API that we read, over TLS."""

import base64
import datetime
import ipaddress
import json
import ssl
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from servers import _Server

TOKEN = "a-token"
Json = dict[str, Any]


class KubeServer(_Server):
    """Answers reads from `objects` (a path to an object or a list) and reviews from `denied`.

    Attributes:
        denied: Requests that no account may make, as "verb resource".
        forbidden: Starts of paths that the caller may not use.
        reviewed: The resource attributes that callers asked about.
        queries: What followed the path of each request.
        instead: Status, content type, body and place of an answer to everything, if not None.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.objects: dict[str, Json | list[Json]] = {"/version": {"gitVersion": "v1.36.1"}}
        self.denied: set[str] = set()
        self.forbidden: set[str] = set()
        self.reviewed: list[Json] = []
        self.queries: list[str] = []
        self.instead: tuple[int, str, bytes, str] | None = None
        self.authority = folder / "ca.crt"
        self.authority.write_bytes(_certificate()[0])
        key = folder / "tls.pem"
        key.write_bytes(b"".join(_certificate()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(key)
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.port = self._http.server_port
        self.url = f"https://127.0.0.1:{self.port}"

    def put(self, *objects: Json) -> None:
        """Add objects where the API has them; the lists that hold them follow."""
        for item in objects:
            path = path_of(item)
            self.objects[path] = item
            held = self.objects.setdefault(path.rpartition("/")[0], [])
            held[:] = [*(old for old in held if path_of(old) != path), item]

    def remove(self, path: str) -> None:
        """Take an object away."""
        gone = self.objects.pop(path)
        self.objects[path.rpartition("/")[0]].remove(gone)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = urlsplit(request.path).path
        length = int(request.headers.get("Content-Length") or 0)
        body = json.loads(request.rfile.read(length)) if length else {}
        self.requests["any"] += 1
        self.queries.append(unquote(urlsplit(request.path).query))
        if self.instead:
            status, kind, content, place = self.instead
            return self._send(
                request, "any", status, content, kind, headers={"Location": place} if place else {}
            )
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._say(request, 401, {"message": "Unauthorized"})
        if any(path.startswith(start) for start in self.forbidden):
            return self._say(request, 403, {"message": "forbidden"})
        if path.endswith("accessreviews"):
            asked = body["spec"]["resourceAttributes"]
            self.reviewed.append(body["spec"])
            allowed = f"{asked['verb']} {asked['resource']}" not in self.denied
            return self._say(request, 201, {**body, "status": {"allowed": allowed}})
        found = self.objects.get(path)
        if found is None:
            return self._say(request, 404, {"message": f"{path} not found"})
        return self._say(request, 200, {"items": found} if isinstance(found, list) else found)

    def _say(self, request: BaseHTTPRequestHandler, status: int, body: Json) -> None:
        self._send(request, "any", status, json.dumps(body).encode())

    def kubeconfig(self, path: Path, context: str = "test") -> Path:
        """Write a kubeconfig that leads here."""
        authority = base64.b64encode(self.authority.read_bytes()).decode()
        cluster = {"server": self.url, "certificate-authority-data": authority}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "clusters": [{"name": "here", "cluster": cluster}],
            "users": [{"name": "me", "user": {"token": TOKEN}}],
            "contexts": [{"name": context, "context": {"cluster": "here", "user": "me"}}],
        }
        path.write_text(yaml.safe_dump(content))
        return path


_PLURALS = {"NetworkPolicy": "networkpolicies"}


def path_of(item: Json) -> str:
    """The path at which the API has an object."""
    group = item["apiVersion"]
    plural = _PLURALS.get(item["kind"], item["kind"].lower() + "s")
    space = item["metadata"].get("namespace")
    parts = ["api" if "/" not in group else "apis", group]
    parts += ["namespaces", space] if space else []
    return "/" + "/".join([*parts, plural, item["metadata"]["name"]])


@cache
def _certificate() -> tuple[bytes, bytes]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.timezone.utc)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(encoding), private
