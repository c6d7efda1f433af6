"""The tracker's records: many writers, killed writers, and everything made again."""

import json
import multiprocessing
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from recorded import add, summary

from augstudy.core import fingerprint
from augstudy.core.errors import InputError
from augstudy.runs import index
from augstudy.runs.folder import NOTE, RECORD, RunsFolder

WRITERS, RUNS_EACH = 50, 2


def add_some(runs: Path, barrier) -> None:
    barrier.wait()
    for number in range(RUNS_EACH):
        add(runs, 0.5 + 0.1 * number)
    RunsFolder(runs).records()


def test_fifty_writers_at_once_lose_no_run_and_share_no_number(tmp_path: Path) -> None:
    fingerprint.code_version()  # which fifty processes need not find out again
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(WRITERS)
    writers = [context.Process(target=add_some, args=(tmp_path, barrier)) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    written = index.parse((tmp_path / index.NAME).read_bytes())
    numbers = sorted(record["id"] for record in written.records.values())
    assert numbers == list(range(1, WRITERS * RUNS_EACH + 1)) == list(range(1, written.last_id + 1))
    records = RunsFolder(tmp_path).records()
    assert [record["id"] for record in records] == numbers
    assert {record["state"] for record in records} == {"done"}


def test_a_writer_that_is_killed_half_way_leaves_an_index_that_reads(tmp_path: Path) -> None:
    """Killed while it holds the lock, with half a line written."""
    first = add(tmp_path, 0.8)
    code = f"""
import os, signal
from pathlib import Path
from augstudy.runs import folder, index
whole = index.line
index.line = lambda record: whole(record)[:-200]
write = os.write
def die(descriptor, content):
    write(descriptor, content)
    os.kill(os.getpid(), signal.SIGKILL)
folder.os.write = die
folder.RunsFolder(Path({str(tmp_path)!r})).note("0001", "never seen whole")
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    content = (tmp_path / index.NAME).read_bytes()
    assert not content.endswith(b"\n") and b"never seen whole" in content
    (old,) = index.parse(content).records.values()
    assert old["id"] == 1 and old["note"] == ""
    # Nobody waits for the dead one's lock, and what follows stands on a line of its own.
    second = add(tmp_path, 0.9)
    assert second.path.name in index.parse((tmp_path / index.NAME).read_bytes()).records
    records = RunsFolder(tmp_path).records()
    assert [record["key"] for record in records] == [first.path.name, second.path.name]
    assert [record["note"] for record in records] == ["never seen whole", ""]


def test_rebuilding_gives_the_same_index(tmp_path: Path) -> None:
    for accuracy in (0.8, None, 0.7):
        add(tmp_path, accuracy)
    book = RunsFolder(tmp_path)
    book.note("0002", "stopped: out of ideas")
    shutil.copytree(tmp_path / "0001", tmp_path / "a copy")
    (tmp_path / "a copy" / RECORD).unlink()
    kept = book.records()
    assert [record["id"] for record in kept] == [1, 2, 3, 4]
    assert book.rebuild() == 4
    assert book.records() == kept
    assert index.parse((tmp_path / index.NAME).read_bytes()).lines == 5
    (tmp_path / index.NAME).unlink()
    assert book.rebuild() == 4
    assert book.records() == kept
    on_disk = [json.loads((tmp_path / record["key"] / RECORD).read_text()) for record in kept]
    assert on_disk == kept


def test_an_index_of_rubbish_is_made_again(tmp_path: Path) -> None:
    add(tmp_path, 0.8)
    kept = RunsFolder(tmp_path).records()
    rubbish = b'[1]\n{"schema_version": 9}\n\xff\xfe{\n{"schema_version":1,"key":3,"id":"x"}\nnull'
    (tmp_path / index.NAME).write_bytes(rubbish)
    assert RunsFolder(tmp_path).records() == kept


def test_the_index_does_not_grow_for_ever(tmp_path: Path) -> None:
    add(tmp_path)
    book = RunsFolder(tmp_path)
    for number in range(230):
        book.note("0001", str(number))
    assert (tmp_path / index.NAME).read_bytes().count(b"\n") < 120
    assert book.records()[0]["note"] == "229"


def test_the_number_of_a_deleted_run_is_not_given_again(tmp_path: Path) -> None:
    for _ in range(2):
        last = add(tmp_path)
    shutil.rmtree(last.path)
    RunsFolder(tmp_path).rebuild()
    assert add(tmp_path).record["id"] == 3
    assert [record["id"] for record in RunsFolder(tmp_path).records()] == [1, 3]


def test_a_record_follows_its_run(tmp_path: Path) -> None:
    run = add(tmp_path)
    (record,) = RunsFolder(tmp_path).records()
    assert (record["state"], record["arms"], record["level"]) == ("running", [], 30)
    (run.path / "summary.json").write_text(json.dumps(summary(0.75)))
    run.finish("done", 3.25, cpu_s=5.0, gpu_s=0.0)
    (record,) = RunsFolder(tmp_path).records()
    assert (record["state"], record["duration_s"], record["cpu_s"]) == ("done", 3.2, 5.0)
    assert (record["level"], record["fid_qd"], record["gan_verdict"]) == (60, 12.5, "stable")
    assert record["data_hash"] == "ab12" and record["outcome"] == "can't tell yet"
    real, added = record["arms"]
    assert (real["arm"], real["accuracy"], real["difference"]) == ("real", 0.75, None)
    assert (added["kind"], added["difference"], added["p"]) == ("add", 0.02, 0.2)
    assert (added["train_accuracy"], added["val_accuracy"], added["precision"]) == (0.9, 0.7, 0.75)
    (run.path / "summary.json").write_text('{"arms": ')
    (record,) = RunsFolder(tmp_path).records()
    assert (record["state"], record["arms"]) == ("damaged", [])


def test_a_note_outlives_what_the_run_writes_later(tmp_path: Path) -> None:
    run = add(tmp_path)
    RunsFolder(tmp_path).note("0001", "looks odd\n=1+1")
    run.finish("done", 1.0)
    (record,) = RunsFolder(tmp_path).records()
    assert (record["note"], record["state"]) == ("looks odd\n=1+1", "done")
    assert (tmp_path / "0001" / NOTE).read_text() == "looks odd\n=1+1\n"


def test_reading_writes_nothing_unless_it_may(tmp_path: Path) -> None:
    run = add(tmp_path)
    before = (tmp_path / index.NAME).read_bytes()
    run.update(state="done")
    (record,) = RunsFolder(tmp_path).records(keep=False)
    assert record["state"] == "done"
    assert (tmp_path / index.NAME).read_bytes() == before


def test_no_runs_and_no_folder(tmp_path: Path) -> None:
    assert RunsFolder(tmp_path).records() == []
    with pytest.raises(InputError, match="There is no"):
        RunsFolder(tmp_path / "nowhere").records()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is not a folder"):
        RunsFolder(tmp_path / "file").records()
    with pytest.raises(InputError, match="is not a folder"):
        RunsFolder(tmp_path / "file").claim()
    assert [item.name for item in tmp_path.iterdir()] == ["file"]
