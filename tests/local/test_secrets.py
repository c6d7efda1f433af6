"""Fifty secrets, given as people give them: none is in anything that a run writes or says."""

import base64
import json
import os
import random
import string
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from kfp_server import KfpServer
from program import COMMAND, FAKES

LEAKY = str(FAKES / "leaky.py")
BASE64 = string.ascii_letters + string.digits + "+/"
_chance = random.Random(17)
NOBODY = "http://127.0.0.1:9"  # nothing listens there
SCRIPT = """
import json, os, sys
from augstudy.core import redaction
from augstudy.cli.app import invoke

codes, before = [], dict(os.environ)
for words, environment in json.load(sys.stdin):
    redaction._known.clear()  # as in a new process
    os.environ.clear()
    os.environ.update(before, **environment)
    codes.append(invoke(words))
print()
print(json.dumps(codes))
"""


def made(length: int, letters: str = string.ascii_letters + string.digits) -> str:
    return "".join(_chance.choices(letters, k=length))


def aws_secret(marks: str = "") -> str:
    """40 characters with letters of both kinds and a digit, as Amazon and Google make them."""
    body = [*marks, "a", "B", "7", *_chance.choices(BASE64, k=37 - len(marks))]
    _chance.shuffle(body)
    return "".join(body)


def key(prefix: str, length: int = 16) -> str:
    return prefix + made(length, string.ascii_uppercase + string.digits)


def jwt() -> str:
    parts = [{"alg": "RS256", "n": made(9)}, {"sub": made(12)}]
    heads = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join([*(head.rstrip("=") for head in heads), made(43, BASE64.replace("/", "_"))])


def pem() -> str:
    lines = "\n".join(made(64, BASE64) for _ in range(4))
    return f"-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n"


# In variables of the environment; the names are those that people use.
VARIABLES = {
    "AWS_SECRET_ACCESS_KEY": aws_secret("/+"),
    "AWS_ACCESS_KEY_ID": key("AKIA"),
    "AWS_SESSION_TOKEN": made(120, BASE64) + "==",
    "GCS_HMAC_SECRET": aws_secret("/"),
    "GCS_HMAC_ACCESS_KEY": key("GOOG1E", 55),
    "AUGSTUDY_KFP_TOKEN": jwt(),
    "GITHUB_TOKEN": f"ghp_{made(36)}",
    "HF_TOKEN": f"hf_{made(34)}",
    "DB_PASSWORD": "p@ss/w+rd %41" + made(6),
    "API_KEY": made(24),
    "AZURE_STORAGE_ACCOUNT_KEY": made(86, BASE64) + "==",
    "SSH_PRIVATE_KEY": pem(),
    "MINIO_SECRET_KEY": made(8) + "/" + made(8),
}
PASSWORDS = [aws_secret("/"), aws_secret("+"), aws_secret("/+"), f"{made(5)}@{made(5)}/{made(4)}"]
VARIABLES_WITH_ADDRESSES = {
    "HTTPS_PROXY": f"http://me:{PASSWORDS[0]}@127.0.0.1:9",
    "DATABASE_URL": f"postgres://me:{PASSWORDS[3]}@db/x",
}
# In addresses that are given as the source, a store, a root or a host.
USER = key("AKIA")
IN_ADDRESSES = [aws_secret("/+"), aws_secret("+"), aws_secret("/"), f"{made(6)}/{made(6)}"]
IN_ADDRESSES += [f"{made(6)}:{made(6)}", f"{made(6)}@{made(6)}", f"%2F{made(9)}", made(20)]
SIGNATURES = [made(64, "0123456789abcdef"), made(40), quote(aws_secret("/+"), safe="")]
ADDRESSES = [
    *(f"s3://{USER}:{secret}@bucket/x" for secret in IN_ADDRESSES),
    f"s3://{IN_ADDRESSES[3]}@bucket/x",
    f"gs://bucket/x?X-Goog-Signature={SIGNATURES[0]}",
    f"https://host/x?sv=1&sig={SIGNATURES[2]}",
    f"minio://bucket/x?X-Amz-Security-Token={SIGNATURES[1]}",
    f"file://me:{IN_ADDRESSES[0]}@host/x",
    f"me:{IN_ADDRESSES[7]}@host/x",
]
# As the values of options, and of settings with a name that says what they are.
IN_OPTIONS = [made(9), f"{made(10)}-{made(3)}", jwt(), aws_secret("/"), f"ya29.{made(30)}"]
IN_SETTINGS = [made(10), aws_secret("/+"), f"sk-{made(30)}"]
# What libraries quote without our having been told of it; the shape must be enough.
QUOTED_SECRETS = [aws_secret("/+"), aws_secret("/"), aws_secret(), key("ASIA"), key("GOOG1E", 55)]
QUOTED_SECRETS += [jwt(), f"ya29.{made(40)}", f"AIza{made(35)}", f"gho_{made(36)}", made(30)]
QUOTED_SECRETS += [base64.b64encode(f"me:{made(12)}".encode()).decode(), made(26), made(32)]
QUOTED_SECRETS += [made(11), f"glpat-{made(20)}", f"xoxb-{made(24)}", made(64, "0123456789abcdef")]
_q = iter(QUOTED_SECRETS)
QUOTED = [
    f"SignatureDoesNotMatch: key {next(_q)} is wrong",
    f"ConnectionError: http://{USER}:{next(_q)}@host:9000/bucket",
    f"config: {{'secret_key': '{next(_q)}'}}",
    f"<AWSAccessKeyId>{next(_q)}</AWSAccessKeyId>",
    f"HMAC {next(_q)} is unknown",
    f"Authorization: Bearer {next(_q)}",
    f"token {next(_q)} has expired",
    f"GET https://storage.example/o?key={next(_q)}&alt=media",
    f"fatal: https://me:{next(_q)}@github.example/x.git",
    f'{{"refresh_token": "{next(_q)}", "type": "authorized_user"}}',
    f"Proxy-Authorization: Basic {next(_q)}",
    f"aws_secret_access_key={next(_q)}",
    f"client_secret: {next(_q)}",
    f"password='{next(_q)}'",
    f"remote: {next(_q)}",
    f"slack {next(_q)}",
    f"https://bucket.s3.example/x?X-Amz-Credential=a&X-Amz-Signature={next(_q)}",
]
SECRETS = [*VARIABLES.values(), *PASSWORDS, USER, *IN_ADDRESSES, *SIGNATURES]
SECRETS += [*IN_OPTIONS, *IN_SETTINGS, *QUOTED_SECRETS]


def test_there_are_fifty() -> None:
    assert len(set(SECRETS)) >= 50


class Place:
    """A folder in which the program runs with all the secrets, and all that it says is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = ""
        told = folder.with_name("told.json")
        told.write_text(json.dumps([*QUOTED, *VARIABLES.values()]))
        (folder / "tmp").mkdir()
        self.environment = {
            **os.environ,
            **VARIABLES,
            **VARIABLES_WITH_ADDRESSES,
            "LEAKED": str(told),
            "HOME": str(folder),
            "TMPDIR": str(folder / "tmp"),
            "AUGSTUDY_LOG": str(folder / "augstudy.log"),
        }

    def run(self, *arguments: str, **environment: str) -> int:
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        self.said += done.stdout + done.stderr
        return done.returncode

    def run_all(self, *asked: tuple[list[str], dict[str, str]]) -> list[int]:
        """Run the program once for each of many command lines, in one process to save time."""
        script = self.folder.with_name("script.py")
        script.write_text(SCRIPT)
        done = subprocess.run(
            [sys.executable, str(script)],
            input=json.dumps(asked),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
        *said, codes = done.stdout.splitlines()
        self.said += "\n".join(said) + done.stderr
        return list(json.loads(codes))

    def leaks(self) -> list[tuple[str, str]]:
        """Secrets and where each of them is, as it is or as a line or in an encoding of it."""
        found = []
        texts = {"output": self.said.encode()}
        files = (path for path in self.folder.rglob("*") if path.is_file())
        texts |= {str(path): path.read_bytes() for path in files}
        for secret in SECRETS:
            forms = {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}
            forms |= {line for line in secret.splitlines() if not line.startswith("---")}
            for name, content in texts.items():
                found += [(secret, name) for form in forms if form.encode() in content]
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "place").mkdir()
    return Place(tmp_path / "place")


@pytest.mark.parametrize(("mode", "code"), [("ok", 0), ("bug", 1)])
def test_a_run_whose_libraries_say_all(place: Place, mode: str, code: int) -> None:
    """A step that prints, logs, reports and raises every secret."""
    assert place.run("-v", "run", LEAKY, "--set", f"mode={mode}") == code
    run = place.folder / "runs" / "0001"
    assert "heard" in (run / "run.log").read_text()
    assert "***" in (run / "events.jsonl").read_text()
    assert place.leaks() == []
    assert (run / "run.log").stat().st_mode & 0o777 == 0o600


def test_addresses_of_sources_stores_roots_and_hosts(place: Place) -> None:
    asked: list[tuple[list[str], dict[str, str]]] = []
    for uri in ADDRESSES:
        asked += [
            (["run", "--preset", "smoke", "--source", uri], {}),
            (["-v", "ingest", "--source", uri, "--out", "out"], {}),
            (["champions", uri], {}),
            (["runs", "--store", uri], {}),
            (["fetch", f"{uri}/y"], {}),
            (["run", "retrain", "--set", f"champion={uri}"], {}),
            (["runs", "--cluster", "--host", NOBODY, "--pipeline-root", uri], {}),
        ]
    for secret in IN_ADDRESSES:
        host = NOBODY.replace("://", f"://me:{secret}@")
        store = {"AWS_ENDPOINT_URL": host, "STORAGE_EMULATOR_HOST": host}
        asked += [
            (["-v", "runs", "--host", host], {}),
            (["runs", "--cluster"], {"AUGSTUDY_KFP_HOST": host}),
            (["runs", "--store", "s3://b/x"], store),
            (["champions", "gs://b/x"], store),
        ]
    codes = place.run_all(*asked)
    assert [words for (words, _), code in zip(asked, codes, strict=True) if code != 2] == []
    assert not (place.folder / "runs").exists()
    assert place.leaks() == []


def test_options_and_settings(place: Place) -> None:
    asked: list[tuple[list[str], dict[str, str]]] = []
    wanted = []
    with KfpServer(token="another") as server:
        for secret in IN_OPTIONS:
            asked += [
                (["runs", "--host", server.url, "--token", secret], {}),
                (["-v", "runs", "--host", NOBODY, f"--token={secret}"], {}),
                (["submit", "--tokn", secret], {}),
                (["submit", f"--password={secret}"], {}),
                (["runs", "--cluster", "--token", secret], {"AUGSTUDY_KFP_HOST": "ftp://x"}),
            ]
            wanted += [3, 3, 2, 2, 2]
        for secret in IN_SETTINGS:
            for name in ("password", "classifier_settings.api_key", "aws_secret_access_key"):
                asked.append((["run", "--preset", "smoke", "--set", f"{name}={secret}"], {}))
            asked.append((["run", "--preset", "smoke", "--set", f"token={secret}: ["], {}))
            wanted += [2] * 4
        assert place.run_all(*asked) == wanted
    assert "--token '***'" in (place.folder / "augstudy.log").read_text()
    assert place.leaks() == []


@pytest.mark.parametrize("token", ["12345678901", "[some-words-0815]"])
def test_a_token_of_the_wrong_type(place: Place, token: str) -> None:
    (place.folder.parent / "kfp.yaml").write_text(f"host: {NOBODY}\ntoken: {token}\n")
    settings = str(place.folder.parent / "kfp.yaml")
    asked = ["-v", "runs", "--cluster"]
    assert place.run(*asked, AUGSTUDY_KFP=settings, AUGSTUDY_KFP_TOKEN="") == 2
    assert "token: Input should be a valid string" in place.said
    assert token.strip("[]") not in place.said + (place.folder / "augstudy.log").read_text()


def test_the_programs_log_is_for_its_owner_alone(place: Place) -> None:
    log = place.folder / "augstudy.log"
    log.touch(0o644)
    assert place.run("run", "--preset", "nothing") == 2
    assert "--preset nothing" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
