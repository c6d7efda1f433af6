"""Notes through the web page: who may change them, what they may be, and what can go wrong."""

import http.client
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from recorded import add
from servers import GcsServer

from augstudy.core.errors import InputError
from augstudy.objects import open_store
from augstudy.runs import folder as runs_folder
from augstudy.runs import index
from augstudy.runs.bucket import Bucket
from augstudy.runs.folder import RunsFolder
from augstudy.ui.editing import MOST_CHARACTERS, TOKEN
from augstudy.ui.library import Library
from augstudy.ui.server import Server


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    add(tmp_path, 0.9)
    add(tmp_path, 0.8)
    return tmp_path


@pytest.fixture
def served(runs: Path) -> Iterator[Server]:
    yield from serve(Library(RunsFolder(runs)))


def serve(library: Library) -> Iterator[Server]:
    with Server(library, edit=True) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def put(
    server: Server,
    content: Any,
    path: str = "/api/note/1",
    method: str = "PUT",
    **changed: str | None,
) -> tuple[int, Any]:
    """Status and answer of a request as the page sends it, but for the headers that are changed."""
    host = server.url.removeprefix("http://").rstrip("/")
    headers: dict[str, str | None] = {
        "Origin": f"http://{host}",
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": "application/json",
        TOKEN: server.editor.token,
    }
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.request(
        method, path, body, {name: value for name, value in headers.items() if value is not None}
    )
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found


def note_of(runs: Path, number: int = 1) -> str | None:
    return RunsFolder(runs).records()[number - 1]["note"]


def test_a_note_is_written_as_on_the_command_line(served: Server, runs: Path) -> None:
    assert served.library.records()[0]["note"] == ""
    text = "looks odd\n<b>=1+1</b> \N{GREEK SMALL LETTER ALPHA}"
    assert put(served, {"note": f" {text}\n"}) == (200, {"note": text})
    assert (runs / "0001" / "note.txt").read_text() == f"{text}\n"
    assert note_of(runs) == text and note_of(runs, 2) == ""
    assert served.library.records()[0]["note"] == text  # at once, not only seconds later
    assert put(served, {"note": ""})[0] == 200
    assert note_of(runs) == ""


@pytest.mark.parametrize(
    "changed",
    [
        {"Origin": None},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:1"},  # another program's page on this machine
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {TOKEN: None},
        {TOKEN: "wrong"},
        {TOKEN: "\xff"},
    ],
)
def test_other_pages_cannot_change_it(
    served: Server, runs: Path, changed: dict[str, str | None]
) -> None:
    status, answer = put(served, {"note": "caught"}, **changed)
    assert status == 403 and "reload it" in answer["error"]
    assert note_of(runs) == ""


def test_a_page_under_another_name_cannot_change_it(served: Server, runs: Path) -> None:
    host = "evil.example"
    assert put(served, {"note": "caught"}, Host=host, Origin=f"http://{host}")[0] == 421
    assert note_of(runs) == ""


@pytest.mark.parametrize(
    ("content", "changed", "status"),
    [
        ({"note": "x" * (MOST_CHARACTERS + 1)}, {}, 413),
        (b"", {"Content_Length": "999999999999"}, 413),
        (b"", {"Content_Length": "-1"}, 411),
        (b"", {"Content_Length": "many"}, 411),
        ({"note": "x"}, {"Content_Type": "text/plain"}, 415),
        ({"note": "x"}, {"Content_Type": "application/x-www-form-urlencoded"}, 415),
        (b"{", {}, 400),
        (b"\xff\xfe", {}, 400),
        (["note"], {}, 400),
        ({"text": "x"}, {}, 400),
        ({"note": 1}, {}, 400),
        ({"note": "a\0b"}, {}, 400),
    ],
)
def test_what_is_no_note_is_refused(
    served: Server, runs: Path, content: Any, changed: dict[str, str], status: int
) -> None:
    found, answer = put(served, content, **changed)
    assert (found, set(answer)) == (status, {"error"})
    assert note_of(runs) == ""


def test_only_notes_are_written_and_only_of_runs(served: Server, runs: Path) -> None:
    assert put(served, {"note": "x"}, "/api/run/1")[0] == 404
    assert put(served, {"note": "x"}, "/api/note")[0] == 404
    assert put(served, {"note": "x"}, method="POST")[0] == 405
    for name in ("9", "..", "..%2F..", "%00"):
        status, answer = put(served, {"note": "x"}, f"/api/note/{name}")
        assert status == 400 and "There is no run" in answer["error"]
    assert not list(runs.parent.glob("note.txt"))


def test_half_characters_do_not_damage_the_run(served: Server, runs: Path) -> None:
    assert put(served, b'{"note": "a \\ud800 b"}') == (200, {"note": "a ? b"})
    assert RunsFolder(runs).records()[0]["state"] == "done"


def test_a_run_that_was_deleted_meanwhile_stays_deleted(served: Server, runs: Path) -> None:
    served.library.records()
    shutil.rmtree(runs / "0002")
    status, answer = put(served, {"note": "late"}, "/api/note/2")
    assert status == 400 and "There is no run" in answer["error"]
    assert not (runs / "0002").exists()
    assert [record["id"] for record in RunsFolder(runs).records()] == [1]


def test_a_folder_that_cannot_be_written_is_told(
    served: Server, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, text: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(runs_folder, "replace_text", refuse)  # root may write anywhere
    status, answer = put(served, {"note": "x"})
    assert status == 502 and answer["error"].startswith("Cannot write to")
    assert answer["error"].endswith("note.txt: Permission denied.")


def test_a_note_in_a_bucket(gcs: GcsServer) -> None:
    gcs.put("artifacts", "kfp/other", b"")
    store = open_store("gs://artifacts/kfp")
    known = index.Index()
    record = {"schema_version": 1, "key": "study/ab12", "id": 1, "note": None, "state": "done"}
    record |= {"date": None, "settings": {}, "changed": {}, "arms": []}
    known.put(record)
    store.replace("tracker/index.jsonl", index.render(known.records.values(), 1))
    serving = serve(Library(Bucket(store)))
    server = next(serving)
    assert put(server, {"note": "from the page"}) == (200, {"note": "from the page"})
    assert Bucket(store).records()[0]["note"] == "from the page"
    assert list(serving) == []


def test_notes_are_changed_on_this_machine_only(runs: Path) -> None:
    with pytest.raises(InputError, match="leave out --host"):
        Server(Library(RunsFolder(runs)), "0.0.0.0", edit=True)
