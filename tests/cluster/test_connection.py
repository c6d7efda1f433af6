"""Every way in which a KFP server cannot be used ends in one sentence, soon."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import urllib3
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from kfp_server import KfpServer
from said import SMALL, Program
from servers import _Server
from urllib3.exceptions import MaxRetryError, NameResolutionError

from augstudy.cluster import connection, kfp_http
from augstudy.cluster.faults import Faults
from augstudy.core.errors import ServiceError

SECRET = "tok-5d41402abc4b"


class OtherServer(_Server):
    """Answers every path with the same thing, which KFP would not."""

    def __init__(self, status: int, body: bytes, kind: str = "text/html") -> None:
        super().__init__()
        self._answer = status, body, kind

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.requests["any"] += 1
        if self._answer[0] == 302:
            request.send_response(302)
            request.send_header("Location", f"{self.url}/login")
            request.send_header("Content-Length", "0")
            request.end_headers()
        else:
            self._send(request, "any", *self._answer)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"<html>Welcome</html>", "is a web page and not Kubeflow Pipelines: log in"),
        (200, b'["a"]', "is not Kubeflow Pipelines"),
        (404, b"not here", "is not Kubeflow Pipelines"),
        (302, b"", "wants a login: give a token"),
        (500, b"oops", "does not answer: HTTP 500"),
        (503, b"", "is not ready (HTTP 503): try again."),
        (403, b"no", "does not let us answer"),
        (200, b"\xff\xfe", "is not Kubeflow Pipelines"),
    ],
)
def test_something_else(program: Program, status: int, body: bytes, said: str) -> None:
    kind = "text/html" if b"<" in body else "application/json"
    with OtherServer(status, body, kind) as server:
        done = program("submit", SMALL, "--host", server.url)
    assert done.code == 3
    assert said in done.err and server.url in done.err
    assert "Traceback" not in done.err
    assert server.requests["any"] <= 2


def test_nothing_answers(program: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = program("submit", SMALL, "--host", f"http://127.0.0.1:{port}")
    assert done.code == 3
    assert done.err == (
        f"Nothing answers at http://127.0.0.1:{port}: check the address, and that its port is "
        "forwarded."
    )


def test_no_such_host() -> None:
    pool = urllib3.HTTPConnectionPool("kfp.invalid")
    unknown = NameResolutionError("kfp.invalid", pool, socket.gaierror())  # type: ignore[arg-type]
    faults = Faults("http://kfp.invalid")
    with pytest.raises(ServiceError, match="no host of the name kfp") as raised, faults.told("a"):
        raise MaxRetryError(pool, "/", unknown)
    assert "kfp.invalid:" in str(raised.value)


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def hold() -> None:
            try:
                while True:
                    held.append(server.accept()[0])
            except OSError:
                pass

        threading.Thread(target=hold, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        for item in held:
            item.close()


def test_a_silent_server_is_not_waited_for(
    program: Program, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kfp_http, "_HEALTH_S", 0.1)
    done = program("schedule", "list", "--host", silent)
    assert done.code == 3 and "does not answer in time" in done.err


def test_tls_where_there_is_none(kfp: KfpServer, program: Program) -> None:
    done = program("submit", SMALL, "--host", kfp.url.replace("http:", "https:"))
    assert done.code == 3 and "start the address with http://" in done.err


def test_too_old_a_server(kfp: KfpServer, program: Program) -> None:
    kfp.api = "v1beta1"
    done = program("submit", SMALL)
    assert done.code == 3 and "is too old: version 2 is needed." in done.err


def test_several_users_need_a_namespace(kfp: KfpServer, program: Program) -> None:
    kfp.multi_user = True
    done = program("submit", SMALL)
    assert done.code == 2 and "give --namespace" in done.err
    assert program("submit", SMALL, "--namespace", "ada").code == 0
    (experiment,) = kfp.experiments.values()
    assert experiment["namespace"] == "ada"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "wants a token: give a valid one"),
        (["--token", SECRET], "refuses the token: give a valid one"),
    ],
)
def test_tokens_are_refused_and_never_shown(
    kfp: KfpServer, program: Program, tmp_path: Path, arguments: list[str], said: str
) -> None:
    kfp.token = "another"
    done = program("submit", SMALL, *arguments)
    assert done.code == 3 and said in done.err
    assert SECRET not in done.err + done.out + (tmp_path / "augstudy.log").read_text()


def test_a_token_without_rights(kfp: KfpServer, program: Program, tmp_path: Path) -> None:
    """The server's message even repeats the token."""
    kfp.token = SECRET
    kfp.fail("POST runs", 403)
    done = program("-v", "submit", SMALL, "--token", SECRET)
    assert done.code == 3
    assert "does not let us start run" in done.err and "Bearer ***" in done.err
    assert SECRET not in done.err + done.out + (tmp_path / "augstudy.log").read_text()


def test_settings_come_from_the_file_then_the_environment_then_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "config" / "augstudy"
    folder.mkdir(parents=True)
    (folder / "kfp.yaml").write_text(f"host: a.example\nnamespace: file\ntoken: {SECRET}\n")
    monkeypatch.setenv("AUGSTUDY_KFP_NAMESPACE", "environment")
    found = connection.settings()
    assert (found.host, found.namespace) == ("https://a.example", "environment")
    assert SECRET not in repr(found)
    assert connection.settings(namespace="option", host=None).namespace == "option"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("hots: a\n", "has no setting 'hots'"),
        (f"token: [{SECRET}\n", "is not valid YAML"),
        ("- a\n", "must be a mapping"),
        ("host: http://me:pass@kfp\n", "must not carry credentials"),
        ("host: ftp://kfp\n", "is no address of KFP"),
    ],
)
def test_a_wrong_file(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, said: str
) -> None:
    path = tmp_path / "kfp.yaml"
    path.write_text(content)
    monkeypatch.setenv("AUGSTUDY_KFP", str(path))
    done = program("submit", SMALL)
    assert done.code == 2 and said in done.err
    assert SECRET not in done.err + (tmp_path / "augstudy.log").read_text()


def test_no_address_at_all(program: Program) -> None:
    done = program("submit", SMALL)
    assert done.code == 2 and "AUGSTUDY_KFP_HOST" in done.err


def test_token_from_a_mounted_file(
    kfp: KfpServer, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kfp.token = SECRET
    (tmp_path / "token").write_text(SECRET + "\n")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(tmp_path / "token"))
    assert program("submit", SMALL).code == 0


class TokenServer(_Server):
    """Google's token endpoint."""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        request.rfile.read(int(request.headers["Content-Length"]))
        self.requests["token"] += 1
        body = {"access_token": SECRET, "expires_in": 3600, "token_type": "Bearer"}
        self._send(request, "token", 200, json.dumps(body).encode())


def test_application_default_credentials(
    kfp: KfpServer, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kfp.token = SECRET
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with TokenServer() as google:
        account = {
            "type": "service_account",
            "client_email": "me@example.org",
            "private_key": pem.decode(),
            "private_key_id": "1",
            "token_uri": f"{google.url}/token",
            "project_id": "p",
        }
        (tmp_path / "adc.json").write_text(json.dumps(account))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "adc.json"))
        done = program("submit", SMALL, "--token", "adc")
        assert done.code == 0, done.err
        assert google.requests["token"] == 1


def test_missing_default_credentials(
    kfp: KfpServer, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    done = program("submit", SMALL, "--token", "adc")
    assert done.code == 3 and "gcloud auth application-default login" in done.err
