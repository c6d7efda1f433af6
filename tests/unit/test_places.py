"""Paths that cannot be written or read, and disks that are full: a sentence, before the work."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from augstudy.cli.app import invoke
from augstudy.core import files, telemetry
from augstudy.core.errors import InputError, ServiceError, of_system
from augstudy.local.events import Follower, RunState, Step
from augstudy.local.failures import explain
from augstudy.local.runfolder import RunFolder
from augstudy.runs import index
from augstudy.runs.folder import RunsFolder

PLACES = {
    "a folder": lambda it: it / "folder",
    "below a file": lambda it: it / "file" / "x.csv",
    "too long": lambda it: it / ("x" * 300),
    "a loop": lambda it: it / "loop" / "x.csv",
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "runs" / "0001").mkdir(parents=True)
    (tmp_path / "runs" / "0001" / "run.json").write_text('{"id": 1, "state": "done"}')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert invoke(list(words)) in (2, 3)
    said = capsys.readouterr().err
    assert "bug" not in said and "Traceback" not in said
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "command",
    [
        ("runs", "export", "{}"),
        ("runs", "--csv", "{}"),
        ("runs", "--html", "{}"),
        ("compare", "1:real", "--html", "{}"),
        ("compile", "-o", "{}"),
    ],
    ids=" ".join,
)
def test_a_file_that_cannot_be_written_is_named(place, command, here, capsys) -> None:
    path = PLACES[place](here)
    path = path.with_suffix(".csv") if place == "too long" else path
    said = refused(capsys, *(word.format(path) for word in command))
    # export looks at the ending of the name first
    assert str(path) in said or ("export" in command and "ends in none" in said)


@pytest.mark.parametrize("place", ["file", "file/x", "loop", "loop/x", "x" * 300])
@pytest.mark.parametrize("command", ["ingest", "run"])
def test_a_folder_that_cannot_be_made_is_named(place, command, here, capsys) -> None:
    option = "--out" if command == "ingest" else "--runs-dir"
    preset = () if command == "ingest" else ("--preset", "smoke")
    assert place.partition("/")[0] in refused(capsys, command, *preset, option, place)


@pytest.mark.parametrize("source", ["file", "loop", "x" * 300, "folder/nothing\0"])
def test_a_source_that_cannot_be_read_is_named(source, here, capsys) -> None:
    refused(capsys, "ingest", "--source", f"file://{here}/{source}", "--out", "out")
    assert not (here / "out").exists()


@pytest.mark.parametrize(
    "words", [("runs", "--csv", "x.csv"), ("ingest", "--out", "out"), ("compile", "-o", "c")]
)
def test_where_one_may_not_write_is_named_before_the_work(here, words) -> None:
    (here / "closed").mkdir(mode=0o500)
    (here / "closed" / "runs").symlink_to(here / "runs")
    code = "from augstudy.cli import main; main()"
    # Root may write anywhere unless it gives up its capabilities.
    weak = [] if os.getuid() else ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    done = subprocess.run(
        [*weak, sys.executable, "-c", code, *words],
        cwd=here / "closed",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "cannot be written: check the permissions of" in done.stderr


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        *((number, ServiceError) for number in (errno.ENOSPC, errno.EIO, errno.EROFS)),
        *((number, InputError) for number in (errno.EACCES, errno.ENOENT, errno.ENOTDIR)),
    ],
)
def test_an_error_of_the_system_is_a_sentence_with_its_path(number, kind) -> None:
    found = of_system(OSError(number, os.strerror(number), "some/path"))
    assert type(found) is kind and "some/path" in str(found)


def test_what_may_be_a_bug_stays_one() -> None:
    assert of_system(ValueError("x")) is None
    assert of_system(OSError(errno.EBADF, "Bad file descriptor")) is None
    assert of_system(ConnectionResetError(errno.ECONNRESET, "reset")) is None
    assert "Memory ran out" in str(of_system(MemoryError()))


def test_a_stream_that_is_full_says_which_file(tiny_disk: Path) -> None:
    with pytest.raises(OSError, match="No space left") as caught:
        files.replace_text(tiny_disk / "page.html", "x" * 200_000)
    assert str(tiny_disk / "page.html") in str(of_system(caught.value))
    assert not list(tiny_disk.iterdir())


def test_a_download_that_fills_the_disk_says_which_file(tiny_disk: Path, here, capsys) -> None:
    (here / "folder" / "big").write_bytes(bytes(200_000))
    said = refused(capsys, "fetch", f"file://{here}/folder/big", "--out", str(tiny_disk))
    assert f"No space left while writing {tiny_disk / 'big'}" in said


@pytest.mark.parametrize("place", ["below a file", "a loop"])
def test_where_nothing_can_be_fetched_to_is_named(place: str, here: Path, capsys) -> None:
    (here / "folder" / "big").write_bytes(b"x")
    out = PLACES[place](here)
    assert str(out.parent) in refused(
        capsys, "fetch", f"file://{here}/folder/big", "--out", str(out)
    )


def test_timings_that_fill_the_disk_name_their_file(tiny_disk: Path) -> None:
    steps = [Step("evaluate", "x" * 1000, 0.0)] * 100
    with pytest.raises(OSError, match="No space left") as caught:
        RunFolder(tiny_disk, {}).write_timings(steps, 1.0)
    assert str(tiny_disk / "timings.csv") in str(of_system(caught.value))


def event(number: int) -> dict[str, object]:
    return {"event": "launch", "time": 1.0, "pid": number, "stage": "work", "label": ""}


@pytest.mark.parametrize("torn", [b'{"event": "pro', b"[1]\n", b"null\n", b'{"pid": "x"}\n'])
def test_readers_of_events_skip_what_is_torn(tmp_path: Path, torn: bytes) -> None:
    path, state = tmp_path / "events.jsonl", RunState()
    files.append_lines(path, json.dumps(event(1)).encode() + b"\n")
    with path.open("ab") as stream:
        stream.write(torn)
    files.append_lines(path, json.dumps(event(2)).encode() + b"\n")
    follower = Follower(path)
    follower.update(state)
    assert state.running_pids() == [1, 2]


def test_a_full_disk_stops_a_step_but_not_for_its_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(telemetry.EVENTS_VARIABLE, "/dev/full")
    stage = telemetry.Stage("work", "")
    stage.progress(1, 2)
    with pytest.raises(OSError, match="No space left") as caught:
        stage.event("end")
    assert "/dev/full" in str(of_system(caught.value))


def test_a_short_write_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda number, content: write(number, content[:3]))
    files.append_lines(tmp_path / "lines", b"a whole line\n")
    assert (tmp_path / "lines").read_bytes() == b"a whole line\n"


def test_the_index_says_which_file_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "0001").mkdir()
    (tmp_path / "0001" / "run.json").write_text('{"state": "done"}')
    with monkeypatch.context() as patch, pytest.raises(ServiceError, match="No space left") as said:
        patch.setattr(os, "write", full)
        RunsFolder(tmp_path).records()
    assert str(tmp_path / index.NAME) in str(said.value)


@pytest.mark.parametrize("what", ["pipe", "device", "folder"])
def test_an_index_that_is_no_file_is_not_waited_for(tmp_path: Path, what: str) -> None:
    path = tmp_path / index.NAME
    {"pipe": os.mkfifo, "device": lambda it: it.symlink_to("/dev/zero"), "folder": Path.mkdir}[
        what
    ](path)
    with pytest.raises((InputError, ServiceError), match=index.NAME):
        RunsFolder(tmp_path).records()


@pytest.mark.parametrize("guessed", [True, False])
def test_a_run_that_ends_on_a_full_disk_says_so(tmp_path: Path, guessed: bool) -> None:
    (tmp_path / "run.log").write_text("OSError: [Errno 28] No space left on device\n")
    state = RunState()
    state.apply(event(1))
    if guessed:
        state.bury(1, 2.0)
    else:
        told = {"message": "OSError", "traceback": "", "known": False, "exit_code": 1}
        state.apply({**event(1), "event": "error", **told})
    found = explain(state, tmp_path / "run.log")
    assert found.exit_code == 3
    assert str(found).startswith(f"No space left in {tmp_path}")
