"""No credential in an error, a traceback or a log, whatever a server says when it refuses."""

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from servers import RefusingServer, _Server

from augstudy.core.redaction import without_secrets

SECRET = "hush-0123456789-never-shown"  # not a real one

STEP = """
import sys
import tenacity
from augstudy.objects import retry
from augstudy.steps.adapters import step
from augstudy.objects import open_store
retry.WAIT = tenacity.wait_none()
with step("store"):
    open_store(sys.argv[1]).write("key", b"x")
"""


class EchoingServer(_Server):
    """Refuses, and repeats all that it was told, as a badly made proxy does."""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.heard = request.rfile.read(int(request.headers["Content-Length"])).decode()
        body = {"error": "invalid_grant", "error_description": self.heard}
        self._send(request, "any", 400, json.dumps(body).encode())


def shown(uri: str, folder: Path, code: int = 3, **environment: str) -> str:
    """All that a failing step leaves behind: its output and the event file."""
    done = subprocess.run(
        [sys.executable, "-c", STEP, uri],
        env={**os.environ, "AUGSTUDY_EVENTS": str(folder / "events"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr + (folder / "events").read_text()


@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidRequest"])
def test_s3_with_a_secret_from_the_environment(code: str, tmp_path: Path) -> None:
    with RefusingServer(403 if code != "InvalidRequest" else 400, code) as server:
        text = shown(
            "s3://bucket/x",
            tmp_path,
            AWS_ENDPOINT_URL=server.url,
            AWS_ACCESS_KEY_ID="me",
            AWS_SECRET_ACCESS_KEY=SECRET,
        )
    assert "store failed: s3://bucket/x/key" in text
    assert SECRET not in text


def test_s3_with_a_secret_from_a_profile(tmp_path: Path) -> None:
    profile = tmp_path / "credentials"
    profile.write_text(f"[default]\naws_access_key_id = me\naws_secret_access_key = {SECRET}\n")
    with RefusingServer(403, "AccessDenied") as server:
        text = shown(
            "minio://bucket/x",
            tmp_path,
            AWS_ENDPOINT_URL=server.url,
            AWS_SHARED_CREDENTIALS_FILE=str(profile),
        )
    assert "minio://bucket/x/key refuses access" in text
    assert SECRET not in text


def test_an_endpoint_with_a_password(tmp_path: Path) -> None:
    text = shown(
        "s3://bucket/x",
        tmp_path,
        code=2,
        AWS_ENDPOINT_URL=f"http://user:{SECRET}@127.0.0.1:1/{SECRET}@x",
        AWS_ACCESS_KEY_ID="me",
        AWS_SECRET_ACCESS_KEY=SECRET,
    )
    assert "The endpoint in AWS_ENDPOINT_URL must not carry credentials" in text
    assert SECRET not in text


def test_google_with_the_key_of_a_service_account(tmp_path: Path) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    with EchoingServer() as server:
        key = {
            "type": "service_account",
            "client_email": "me@project",
            "private_key": private.decode(),
            "token_uri": f"{server.url}/token",
        }
        (tmp_path / "key.json").write_text(json.dumps(key))
        text = shown(
            "gs://bucket/x", tmp_path, GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "key.json")
        )
        assertion = parse_qs(server.heard)["assertion"][0]
    assert "gs://bucket/x/key cannot be written because signing in to Google failed" in text
    assert assertion not in text
    assert not any(line in text for line in private.decode().splitlines())


def test_an_address_with_a_password_is_refused_before_it_is_kept(tmp_path: Path) -> None:
    champion = f"champion=s3://me:{SECRET}@bucket/x"
    done = subprocess.run(
        [sys.executable, "-m", "augstudy.cli", "run", "retrain", "--set", champion],
        env={**os.environ, "AUGSTUDY_LOG": str(tmp_path / "log")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "must not carry credentials" in done.stderr
    assert SECRET not in done.stdout + done.stderr + (tmp_path / "log").read_text()
    assert not (tmp_path / "runs").exists()


def test_what_libraries_quote_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PASSWORD", "correct horse")
    monkeypatch.setenv("PAGE_TOKEN", "1")
    said = "http://me:pass@host/x, said Bearer abc.def-123, correct horse, 1 of file:///b/x@y"
    hidden = "http://***@host/x, said Bearer ***, ***, 1 of file:///b/x@y"
    assert without_secrets(said) == hidden
