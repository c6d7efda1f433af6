"""What the server of the web page says, and what it refuses to say."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from recorded import add, build_run
from servers import GcsServer
from serving import serve

from augstudy.core.errors import ServiceError
from augstudy.objects import open_store
from augstudy.runs import index
from augstudy.runs.bucket import Bucket
from augstudy.runs.folder import RunsFolder
from augstudy.ui.library import Library
from augstudy.ui.server import Server

ARMS = (("real", None, 0.0), ("add", 1.0, 0.5))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ui") / "runs"
    build_run(folder, ARMS)
    add(folder, 0.9)
    add(folder)
    (folder.parent / "secret.txt").write_text("not for the page")
    return folder


@pytest.fixture(scope="module")
def served(runs: Path) -> Iterator[Server]:
    yield from serve(Library(RunsFolder(runs)))


def ask(server: Server, path: str, method: str = "GET", **headers: str) -> tuple[Any, bytes]:
    """The answer to a request whose path is sent as it is."""
    host, port = server.server_address[:2]
    connection = http.client.HTTPConnection(str(host), port, timeout=60)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def told(server: Server, path: str, status: int = 200) -> Any:
    answer, content = ask(server, path)
    assert answer.status == status, content
    return json.loads(content)


def test_rows(served: Server) -> None:
    whole = told(served, "/api/rows")
    assert (whole["total"], whole["all"]) == (5, 5)
    where = quote("arm == 'add'")
    found = told(served, f"/api/rows?where={where}&sort=-accuracy&limit=1")
    assert (found["total"], found["all"], len(found["rows"])) == (2, 5, 1)
    assert found["rows"][0]["id"] == 2 and "settings" not in found["rows"][0]
    assert told(served, "/api/rows?search=RUNNING%20augment")["total"] == 1
    assert told(served, "/api/rows?offset=4")["rows"][0]["id"] == 1
    assert told(served, "/api/rows?offset=99")["rows"] == []
    assert "did you mean 'accuracy'" in told(served, "/api/rows?where=acuracy%3E1", 400)["error"]
    assert "must be a number" in told(served, "/api/rows?limit=-1", 400)["error"]


def test_a_run(served: Server) -> None:
    run = told(served, "/api/run/1")
    assert run["curves"] == run["cams"] == ["real", "add:1"]
    assert run["gan"] and run["report"] and run["record"]["cpu_s"] == 90.0
    curves = told(served, "/api/curves/1")
    assert [item["title"] for item in curves["legend"]] == ["real", "add:1"]
    assert all(item["uri"].startswith("data:image/svg") for item in curves["pictures"])
    samples = told(served, "/api/samples/1")
    assert len(samples["frames"]) == len(samples["steps"]) == 5
    assert samples["classes"] == ["cow", "horse", "tiger", "zebra"]
    tiles = told(served, "/api/cams/1/add:1")
    assert {tile["class"] for tile in tiles} == set(samples["classes"])
    assert any(tile["class"] != tile["predicted"] for tile in tiles)
    answer, page = ask(served, "/report/1")
    assert page == b"<p>A report</p>"
    assert "script-src" not in answer.getheader("Content-Security-Policy")
    _, page = ask(served, "/compare?arms=1:real,1:add")
    assert b"minus 1:real" in page


def test_what_is_not_there(served: Server) -> None:
    assert "There is no run '9'" in told(served, "/api/run/9", 400)["error"]
    assert "holds no cam of arm x" in told(served, "/api/cams/1/x", 400)["error"]
    assert "holds no gan" in told(served, "/api/samples/2", 400)["error"]
    assert "Two to 8 arms" in told(served, "/compare?arms=1:real", 400)["error"]
    assert "Name the arms" in told(served, "/compare", 400)["error"]
    for path in ("/nowhere", "/api", "/api/nothing", "/api/run/1/x", "/a/b/c/d"):
        assert "There is no" in told(served, path, 404)["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/static/../../secret.txt",
        "//etc/passwd",
        "/report/..%2f..%2fsecret.txt",
        "/report/../0001",
        "/api/run/..%2f..%2fsecret.txt",
        "/api/cams/1/..%2f..%2f..%2fsecret.txt",
        "/api/run/%00",
        "/compare?arms=../1:real,1:add",
        "/server.py",
        "/library.py",
        "/app.js%00.html",
    ],
)
def test_no_path_leads_out(served: Server, path: str) -> None:
    answer, content = ask(served, path)
    assert answer.status in (400, 404)
    assert set(json.loads(content)) == {"error"}
    assert b"not for the page" not in content


@pytest.mark.parametrize("path", ["/", "/app.js", "/api/rows", "/report/1", "/nowhere"])
def test_every_answer_keeps_the_browser_at_home(served: Server, path: str) -> None:
    answer, _ = ask(served, path)
    policy = answer.getheader("Content-Security-Policy")
    assert policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy
    assert "http" not in policy and "*" not in policy and "unsafe-eval" not in policy
    assert "script-src 'unsafe-inline'" not in policy
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    assert answer.getheader("Access-Control-Allow-Origin") is None


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("path", ["/api/note/1", "/api/run/1", "/"])
def test_without_edit_nothing_is_written(
    served: Server, runs: Path, method: str, path: str
) -> None:
    answer, content = ask(served, path, method)
    assert answer.status == 403 and "start it with --edit" in json.loads(content)["error"]
    assert told(served, "/api/editing")["token"] is None
    assert not (runs / "0001" / "note.txt").exists()


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_it_only_reads(served: Server, runs: Path, method: str) -> None:
    before = (runs / index.NAME).read_bytes()
    answer, content = ask(served, "/api/run/1", method)
    assert answer.status == 501 and "Unsupported method" in json.loads(content)["error"]
    assert (runs / index.NAME).read_bytes() == before


def test_heads_have_no_body(served: Server) -> None:
    answer, content = ask(served, "/", "HEAD")
    assert answer.status == 200 and content == b""
    assert int(answer.getheader("Content-Length")) > 1000


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "10.0.0.1", ""])
def test_a_page_under_another_name_is_turned_away(served: Server, host: str) -> None:
    """Else any web page could read the runs by giving its own name our address."""
    answer, _ = ask(served, "/api/rows", Host=host)
    assert answer.status == 421
    assert ask(served, "/api/rows", Host="localhost:1")[0].status == 200
    assert ask(served, "/api/rows", Host="[::1]:1")[0].status == 200


def test_a_page_for_others_has_any_name(served: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "on_loopback", False)  # as with --host 0.0.0.0
    assert ask(served, "/api/rows", Host="studies.example")[0].status == 200


def test_it_listens_on_loopback_and_says_when_it_cannot(served: Server) -> None:
    assert served.url.startswith("http://127.0.0.1:") and served.on_loopback
    with pytest.raises(ServiceError, match="choose another --port"):
        Server(served.library, port=served.server_address[1])


def test_a_damaged_artifact_is_told(runs: Path, tmp_path: Path) -> None:
    build_run(tmp_path, ARMS)
    next(tmp_path.rglob("samples.npz")).write_bytes(b"PK")
    serving = serve(Library(RunsFolder(tmp_path)))
    server = next(serving)
    assert "samples.npz differs" in told(server, "/api/samples/1", 502)["error"]
    assert list(serving) == []


def test_the_page_reads_a_bucket(runs: Path, gcs: GcsServer) -> None:
    gcs.put("artifacts", "kfp/other", b"")
    store = open_store("gs://artifacts/kfp")
    for part in ("gan", "cams/real", "summarize/report"):
        source = next(runs.glob(f"0001/artifacts/study/{part}"))
        store.upload(source, f"study/ab12/task/1/{source.name}")
    Bucket(store).rebuild()
    serving = serve(Library(Bucket(store)))
    server = next(serving)
    assert told(server, "/api/rows")["total"] == 2
    assert told(server, "/api/run/1")["cams"] == ["real"]
    assert len(told(server, "/api/samples/1")["frames"]) == 5
    assert told(server, "/api/cams/1/real")
    assert ask(server, "/report/1")[1] == b"<p>A report</p>"
    assert list(serving) == []
