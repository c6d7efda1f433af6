"""Every answer of every server is checked, whichever call of the client it answers."""

import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kfp_server import KfpServer, Reply
from said import SMALL, Program

from augstudy.cluster import tokens
from augstudy.cluster.connection import Connection
from augstudy.cluster.kfp_api import Schedule, Server, Version
from augstudy.core.errors import InputError, ServiceError

SECRET = "tok-5d41402abc4b"
VERSION = Version("p1", "v1")
PAGE = Reply(200, b"<!doctype html><title>Sign in</title>", "text/html; charset=utf-8")
PLAIN_PAGE = Reply(200, b"  <HTML>Sign in</HTML>", "text/plain")

# Every method that asks KFP for something, and arguments that it takes.
CALLS: dict[str, Callable[[Server], Any]] = {
    "find_experiment": lambda server: server.find_experiment("e"),
    "create_experiment": lambda server: server.create_experiment("e"),
    "find_pipeline": lambda server: server.find_pipeline("p"),
    "create_pipeline": lambda server: server.create_pipeline("p", ""),
    "find_version": lambda server: server.find_version("p1", "v"),
    "newest_version": lambda server: server.newest_version("p1"),
    "upload_version": lambda server: server.upload_version("p1", "v", Path(__file__)),
    "pipeline_spec": lambda server: server.pipeline_spec(VERSION),
    "pipeline_name": lambda server: server.pipeline_name(VERSION),
    "create_run": lambda server: server.create_run("r", "e1", VERSION, {}),
    "run": lambda server: server.run("r1"),
    "runs": lambda server: list(server.runs()),
    "log": lambda server: server.log("r1", "pod-1"),
    "schedules": lambda server: server.schedules(),
    "create_schedule": lambda server: server.create_schedule(
        Schedule("s", "e1", VERSION, {}, "@daily")
    ),
    "delete_schedule": lambda server: server.delete_schedule("s1"),
    "pause_schedule": lambda server: server.pause_schedule("s1"),
    "version": lambda server: server.version(),
}
# What these answer has no id: a text, nothing, or a name.
NO_IDS = ("log", "delete_schedule", "pause_schedule", "version")
LISTS = ("experiments", "pipelines", "pipeline_versions", "runs", "recurringRuns")
every_call = pytest.mark.parametrize("call", CALLS)


@pytest.fixture
def server(kfp: KfpServer) -> Server:
    """A client that has been let in, and whose token nobody else may see."""
    return Server(Connection(host=kfp.url, token=SECRET))


@pytest.fixture
def other() -> Iterator[KfpServer]:
    """Another host, which a redirect leads to."""
    with KfpServer() as found:
        yield found


def spoil(kfp: KfpServer, reply: Reply) -> None:
    kfp.instead = {"*": reply, "GET healthz": reply}


def test_no_call_is_left_out() -> None:
    public = {
        name
        for name, item in inspect.getmembers(Server, inspect.isfunction)
        if not name.startswith("_") and not name.endswith("_link")
    }
    assert public == set(CALLS)


@every_call
@pytest.mark.parametrize("status", [302, 303, 307, 308])
def test_no_token_follows_a_redirect(
    kfp: KfpServer, other: KfpServer, server: Server, call: str, status: int
) -> None:
    spoil(kfp, Reply(status, b"", location=f"{other.url}/apis/v2beta1/healthz"))
    with pytest.raises(ServiceError, match="wants a login"):
        CALLS[call](server)
    assert kfp.callers[-1] == f"Bearer {SECRET}"
    assert not other.callers


@every_call
@pytest.mark.parametrize("page", [PAGE, PLAIN_PAGE])
def test_a_login_page_is_an_error(kfp: KfpServer, server: Server, call: str, page: Reply) -> None:
    spoil(kfp, page)
    with pytest.raises(ServiceError, match="is a web page and not Kubeflow Pipelines: log in"):
        CALLS[call](server)


@every_call
@pytest.mark.parametrize(
    "body",
    [
        {},
        {name: [{}] for name in LISTS},
        {f"{name}_id": None for name in ("run", "experiment", "pipeline", "pipeline_version")},
        {f"{name}_id": "../x" for name in ("run", "experiment", "pipeline", "pipeline_version")},
        {"run_id": ""},
        {"run_id": 7, "experiment_id": [], "pipeline_id": {}, "recurring_run_id": True},
    ],
)
def test_a_missing_id_is_an_error(
    kfp: KfpServer, server: Server, call: str, body: dict[str, Any]
) -> None:
    spoil(kfp, Reply(200, json.dumps(body).encode()))
    listing = call in ("runs", "schedules") or call.startswith(("find", "newest"))
    if call in NO_IDS or (listing and not any(name in body for name in LISTS)):
        CALLS[call](server)  # a list may be empty
        return
    with pytest.raises(ServiceError, match=r"_id is (missing|not what it must be)"):
        CALLS[call](server)


@every_call
@pytest.mark.parametrize("body", [b"[]", b"7", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_object_is_an_error(
    kfp: KfpServer, server: Server, call: str, body: bytes
) -> None:
    spoil(kfp, Reply(200, body))
    if call in ("log", "version"):
        CALLS[call](server)  # any text is a log, and a version need not be told
        return
    with pytest.raises(ServiceError, match="answers as Kubeflow Pipelines would not"):
        CALLS[call](server)


@every_call
def test_an_endless_answer_is_an_error(
    kfp: KfpServer, server: Server, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("augstudy.objects.exchange._MOST", 1000)
    spoil(kfp, Reply(200, json.dumps({"run_id": "r" * 5000}).encode()))
    with pytest.raises(ServiceError, match="answers as Kubeflow Pipelines would not"):
        CALLS[call](server)


def test_another_run_is_an_error(kfp: KfpServer, server: Server) -> None:
    kfp.instead["GET runs"] = Reply(200, b'{"run_id": "r2"}')
    with pytest.raises(ServiceError, match="shows another run than r1"):
        server.run("r1")


@pytest.mark.parametrize("reply", [PAGE, Reply(200, b"{}"), Reply(200, b'{"run_id": null}')])
def test_nothing_is_started_without_an_id(kfp: KfpServer, program: Program, reply: Reply) -> None:
    kfp.instead["POST runs"] = reply
    done = program("submit", SMALL)
    assert done.code == 3, done.out
    assert "Started" not in done.out and "None" not in done.out


@pytest.mark.parametrize("kind", ["GET experiments", "GET pipelines", "GET runs"])
def test_no_command_takes_a_login_page_for_an_answer(
    kfp: KfpServer, program: Program, kind: str
) -> None:
    kfp.instead[kind] = PAGE
    command = ["runs", "--cluster"] if kind == "GET runs" else ["submit", SMALL]
    done = program(*command)
    assert done.code == 3 and "log in" in done.err


def test_tls_is_named_where_it_is_all_that_is_wanted(kfp: KfpServer, program: Program) -> None:
    secure = kfp.url.replace("http://", "https://")
    kfp.instead["GET healthz"] = Reply(308, b"", location=f"{secure}/apis/v2beta1/healthz")
    done = program("submit", SMALL)
    assert done.code == 3 and "start the address with https://" in done.err


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("https://5f3a-dot-us-central1.pipelines.googleusercontent.com", True),
        ("https://5f3a-dot-us-central1.pipelines.googleusercontent.com:443", True),
        ("http://5f3a-dot-us-central1.pipelines.googleusercontent.com", False),
        ("https://5f3a-dot-us-central1.pipelines.googleusercontent.com:8443", False),
        ("https://5f3a-dot-us-central1.notebooks.googleusercontent.com", False),
        ("https://evil.googleusercontent.com", False),
        ("https://googleusercontent.com", False),
        ("https://a.b-dot-us.pipelines.googleusercontent.com", False),
        ("https://5f3a-dot-us-central1.pipelines.googleusercontent.com.evil.example", False),
        ("https://evilpipelines.googleusercontent.com", False),
        ("https://kfp.example", False),
    ],
)
def test_googles_token_is_offered_to_googles_pipelines_only(
    host: str, own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_google", lambda: lambda: SECRET)
    found = tokens.source(host, "")
    assert (found() if found else "") == (SECRET if own else "")


@pytest.mark.parametrize("token", [SECRET, "adc"])
@pytest.mark.parametrize(
    "host",
    [
        "http://kfp.example",
        "http://10.0.0.1:8080",
        "http://localhost.example",
        "http://ml-pipeline.kubeflow.svc:8888",
        "http://127.0.0.1.example",
    ],
)
def test_no_token_travels_unencrypted(program: Program, host: str, token: str) -> None:
    done = program("submit", SMALL, "--host", host, "--token", token)
    assert done.code == 2 and f"would travel to {host} unencrypted" in done.err


@pytest.mark.parametrize(
    ("host", "sent"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://localhost:8080", True),
        ("https://kfp.example", True),
        ("http://ml-pipeline.kubeflow.svc:8888", True),
        ("http://ml-pipeline.kubeflow.svc.cluster.local:8888", True),
        ("http://kfp.example", False),
        ("http://ml-pipeline.kubeflow:8888", False),
        ("http://ml-pipeline.kubeflow.svc.example:8888", False),
        ("http://10.0.0.1", False),
    ],
)
def test_the_token_of_a_pod_stays_in_its_cluster(
    host: str, sent: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(SECRET)
    monkeypatch.setenv(tokens.TOKEN_FILE_VARIABLE, str(tmp_path / "token"))
    assert (tokens.source(host, "") is not None) == sent


@pytest.mark.parametrize("text", ["http://[::1", "http://kfp:port", "https://kfp:99999"])
def test_what_is_no_address_is_said(program: Program, text: str) -> None:
    done = program("submit", SMALL, "--host", text)
    assert done.code == 2 and "is no address of KFP" in done.err


def test_errors_quote_no_token(kfp: KfpServer) -> None:
    kfp.token = SECRET
    server = Server(Connection(host=kfp.url, token=SECRET))
    body = {"message": f"Bearer {SECRET} is not welcome"}
    kfp.instead["GET runs"] = Reply(400, json.dumps(body).encode())
    with pytest.raises(InputError, match=r"Bearer \*\*\* is not welcome"):
        list(server.runs())
