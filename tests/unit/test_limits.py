"""What people and files may ask for is bounded, and said to be."""

import contextlib
import json
import socket
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from augstudy.cli.app import invoke
from augstudy.core.errors import DataError, InputError
from augstudy.core.rng import MOST_SEEDS, check_seeds
from augstudy.local.runfolder import RunFolder
from augstudy.runs.folder import RunsFolder
from augstudy.settings import parsing
from augstudy.ui import server as ui
from augstudy.ui.library import Library

HUGE = "9" * 5000


@pytest.mark.parametrize(
    "text",
    ["0-9999999999", "0-1000", "5-4,0-1000", "1," * 1001, f"0-{HUGE}", HUGE, "0--3", "٣", ""],
)
def test_ranges_of_seeds_are_bounded(text: str) -> None:
    if not text:
        assert parsing.parse_integers(text, "--seeds") == []
        return
    with pytest.raises(InputError) as said:
        parsing.parse_integers(text, "--seeds")
    assert len(str(said.value)) < 200


def test_ranges_of_seeds_are_typed_as_people_type_them() -> None:
    assert parsing.parse_integers("0..4", "--seeds") == parsing.parse_integers("0-4", "--seeds")
    with pytest.raises(InputError, match="write 0-4"):
        parsing.parse_integers("4-0", "--seeds")


def test_as_many_seeds_as_there_can_be_are_taken() -> None:
    assert len(parsing.parse_integers(f"0-{MOST_SEEDS - 1}", "--seeds")) == MOST_SEEDS
    check_seeds(range(MOST_SEEDS))
    with pytest.raises(InputError, match="1000 seeds at most, not 10,000,000"):
        check_seeds(range(10_000_000))


@pytest.mark.parametrize("text", [HUGE, "0", "1.5", "-3", "4 4", "²"])
def test_levels_are_bounded(text: str) -> None:
    with pytest.raises(InputError) as said:
        parsing.parse_levels(text)
    assert len(str(said.value)) < 200


@pytest.mark.parametrize("workers", [10**9, 1001, 0, -1, True, "2 of 3", [1] * 2000, None])
def test_workers_are_bounded(workers: object) -> None:
    with pytest.raises(InputError):
        parsing.shares(workers)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for _ in range(5):
        RunFolder.create(tmp_path, "p", {}).finish("failed", 1.0)
    return tmp_path


def test_a_limit_is_that_of_the_files_as_well(runs: Path, capsys) -> None:
    words = ["runs", "--runs-dir", str(runs), "--csv", str(runs / "x.csv")]
    assert invoke([*words, "--limit", "2", "--html", str(runs / "x.html")]) == 0
    assert "3 more: raise --limit." in capsys.readouterr().out
    assert len((runs / "x.csv").read_text().splitlines()) == 1 + 2
    assert (runs / "x.html").read_text().count("<tr>") == 1 + 2
    assert invoke(words) == 0
    assert len((runs / "x.csv").read_text().splitlines()) == 1 + 5
    assert invoke(["runs", "reindex", "--runs-dir", str(runs), "--limit", "2"]) == 2
    assert "--limit is about the runs of a cluster" in capsys.readouterr().err


@pytest.fixture
def served(runs: Path) -> Iterator[ui.Server]:
    with ui.Server(Library(RunsFolder(runs))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def sent(server: ui.Server, content: bytes) -> bytes:
    with socket.create_connection(server.server_address[:2], timeout=30) as connection:
        connection.sendall(content)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                answer += part
        return answer


MALFORMED = {
    "star": b"GET * HTTP/1.1\r\nHost: localhost\r\n",
    "bracket in host": b"GET / HTTP/1.1\r\nHost: [\r\n",
    "bracket in target": b"GET http://[/ HTTP/1.1\r\nHost: localhost\r\n",
    "no path": b"GET x HTTP/1.1\r\nHost: localhost\r\n",
    "empty host of a target": b"GET http:// HTTP/1.1\r\nHost: localhost\r\n",
    "version": b"GET / HTTP/x.1\r\nHost: localhost\r\n",
    "one word": b"GET\r\n",
    "bytes": b"\xff\xfe\x00 / HTTP/1.1\r\n",
    "head of a star": b"HEAD * HTTP/1.1\r\nHost: localhost\r\n",
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_request_is_answered_400(served, what, capsys) -> None:
    answer = sent(served, MALFORMED[what] + b"Connection: close\r\n\r\n")
    status = answer.splitlines()[0]
    assert b" 400 " in status or (what == "bytes" and b" 501 " in status)
    assert b"bug" not in answer
    whole = sent(served, b"GET /api/rows HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert json.loads(whole.partition(b"\r\n\r\n")[2])["all"] == 5
    assert "Traceback" not in capsys.readouterr().err


def test_connections_are_capped_and_come_back(served, monkeypatch, capsys) -> None:
    before = threading.active_count()
    with contextlib.ExitStack() as stack:
        silent = [
            stack.enter_context(socket.create_connection(served.server_address[:2], timeout=30))
            for _ in range(ui.THREADS + 20)
        ]
        told = [item.recv(100) for item in silent[-20:]]
        assert {answer.split()[1] for answer in told} == {b"503"}
        assert threading.active_count() <= before + ui.THREADS
    asked = b"GET /api/rows HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answers = (sent(served, asked) for _ in range(1000))
    assert any(b" 200 " in answer.splitlines()[0] for answer in answers)
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("member", ["config.json", "metadata.json", "model.weights.h5", "other"])
def test_a_model_that_would_fill_the_memory_is_refused(tmp_path: Path, member: str) -> None:
    from augstudy.training.saving import load_model

    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, bytes(40 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(DataError, match="is not a model"):
        load_model(path)


def test_a_description_that_is_too_long_is_refused_however_it_is_stored(tmp_path: Path) -> None:
    from augstudy.training.saving import load_model

    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", bytes(20 << 20))
    with pytest.raises(DataError, match="is not a model"):
        load_model(path)
