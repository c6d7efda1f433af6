"""What writers that were killed have left goes away by itself; what is being written does not."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from augstudy.cli.app import invoke
from augstudy.core import artifacts, cache, files
from augstudy.local import runfolder
from augstudy.local.runfolder import RunFolder, settle
from augstudy.objects import open_store
from augstudy.runs import index
from augstudy.runs.folder import RunsFolder

WRITERS = {
    "replacing": "with files.replacing(here / 'run.json') as stream: stream.write(b'half'); die()",
    "draft_beside": "with cache.draft_beside(here / 'data') as it: (it / 'x').touch(); die()",
    "publish": "with artifacts.publish(here / 'data', 'k') as it: (it / 'x').touch(); die()",
    "store": """
from augstudy.objects import open_store
import shutil; shutil.copyfileobj = lambda *_: die()
open_store(here.as_uri()).write('champion.json', b'x')""",
}


def killed(here: Path, code: str) -> None:
    """Run code that kills itself with SIGKILL."""
    head = f"""
import os, signal
from pathlib import Path
from augstudy.core import artifacts, cache, files
here = Path({str(here)!r})
def die(): os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", head + code], check=False)
    assert done.returncode == -signal.SIGKILL


def hidden(folder: Path) -> list[Path]:
    return [item for item in folder.rglob("*") if item.name.startswith(".")]


def aged(folder: Path) -> None:
    for item in hidden(folder):
        os.utime(item, (1, 1))


@pytest.mark.parametrize("what", WRITERS)
def test_the_next_writer_removes_what_a_killed_one_left(what: str, tmp_path: Path) -> None:
    killed(tmp_path, WRITERS[what])
    assert len(hidden(tmp_path)) == 1
    aged(tmp_path)
    if what in ("replacing", "store"):
        open_store(tmp_path.as_uri()).write("champion.json", b"whole")
    else:
        with artifacts.publish(tmp_path / "data", "k") as draft:
            (draft / "x").touch()
    assert hidden(tmp_path) == []


def test_what_somebody_is_writing_stays(tmp_path: Path) -> None:
    with (
        files.replacing(tmp_path / "file") as stream,
        cache.draft_beside(tmp_path / "folder") as draft,
    ):
        stream.write(b"half")
        aged(tmp_path)
        with cache.draft_beside(tmp_path / "folder"):
            pass
        files.remove_drafts(hidden(tmp_path))
        assert draft.is_dir() and len(hidden(tmp_path)) == 2
    assert (tmp_path / "file").read_bytes() == b"half"


def test_other_hidden_things_beside_an_artifact_stay(tmp_path: Path) -> None:
    names = (".data", ".data-notes", ".data-checkpoints", ".datas-abcdefgh", ".git")
    for name in names:
        (tmp_path / name).mkdir()
    aged(tmp_path)
    with artifacts.publish(tmp_path / "data", "k"):
        pass
    assert sorted(item.name for item in hidden(tmp_path)) == sorted(names)


def test_a_cache_is_tidied(tmp_path: Path) -> None:
    store = cache.Cache(tmp_path / "cache")
    for place in (store.entry("aa11").parent, store.root / "trainings" / "bb22"):
        place.mkdir(parents=True)
        killed(place, "with cache.draft_beside(here / 'a') as it: (it / 'x').touch(); die()")
    aged(tmp_path)
    store.tidy()
    assert hidden(tmp_path) == []


@pytest.fixture
def dead(tmp_path: Path) -> RunFolder:
    """A run whose process was killed."""
    run = RunFolder.create(tmp_path / "runs", "p", {})
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    run.update(pid=gone.pid)
    (run.path / runfolder.TEMPORARY / "steps").mkdir(parents=True)
    (run.root / "p" / "train" / ".classifier-abcdefgh").mkdir(parents=True)
    for place in (run.path, run.path.parent):
        (place / f"{files.DRAFT}x").touch()
    (run.path.parent / ".deleted-0007").mkdir()
    aged(tmp_path)
    return run


def test_what_a_killed_run_left_is_removed_by_the_next_look(dead: RunFolder) -> None:
    settle(dead.path.parent)
    assert hidden(dead.path.parent) == []
    assert json.loads((dead.path / "run.json").read_text())["state"] == "interrupted"


def test_what_a_running_run_has_stays(dead: RunFolder) -> None:
    dead.update(pid=os.getpid())
    settle(dead.path.parent)
    assert len(hidden(dead.path)) == 3
    assert json.loads((dead.path / "run.json").read_text())["state"] == "running"


def test_steps_that_outlive_their_run_are_tidied_up_after(dead: RunFolder) -> None:
    settle(dead.path.parent)
    (dead.path / runfolder.TEMPORARY).mkdir()
    settle(dead.path.parent)
    assert hidden(dead.path.parent) == []


def test_a_run_that_cannot_begin_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runfolder, "replace_text", full)
    with pytest.raises(OSError, match="No space"):
        RunFolder.create(tmp_path, "p", {})
    assert not (tmp_path / "0001").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("classes=[cow, giraff, zebra]",), "the nearest are 'giraffe'"),
        (("train_per_class=1000",), "lower them by 912 in all"),
        (("train_per_class=0", "level=89"), "at most 88 of the 100 images"),
        (("source=file:///nowhere",), "nowhere"),
        (("sets=[{set: sd, source: /nowhere}]",), "nowhere"),
        (("sets=[{set: sd, source: sample, classes: {zebra: zebre}}]",), "no images of 'zebre'"),
        (("source=smaple",), "smaple"),
        (("classes=[cow, cow]",), "a class is named twice"),
        (("arms=[{arm: real}, {arm: add, share: 0.001}]",), "'add:0.001'"),
        (("equivalence_margin=.inf",), "equivalence_margin"),
        (("classifier_settings.optimizer.learning_rate=.nan",), "learning_rate"),
        (("gan_settings.learning_rate=.inf",), "learning_rate"),
    ],
)
def test_a_mistyped_setting_leaves_no_run(tmp_path, settings, said, capsys) -> None:
    words = [word for item in settings for word in ("--set", item)]
    runs = tmp_path / "runs"
    assert invoke(["run", "--preset", "smoke", *words, "--runs-dir", str(runs)]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert not told.out
    assert not runs.exists() or not list(runs.glob("[0-9]*"))


def delete(runs: Path, *words: str) -> int:
    return invoke(["runs", "delete", *words, "--runs-dir", str(runs)])


def test_runs_are_deleted_and_their_numbers_are_not_given_again(tmp_path, capsys) -> None:
    for _ in range(4):
        RunFolder.create(tmp_path, "p", {}).finish("failed", 1.0)
    assert delete(tmp_path, "2", "0004", "--yes") == 0
    assert "Deleted run 2, 4." in capsys.readouterr().out
    assert [record["id"] for record in RunsFolder(tmp_path).records()] == [1, 3]
    assert sorted(item.name for item in tmp_path.iterdir() if item.is_dir()) == ["0001", "0003"]
    assert '"0004"' not in (tmp_path / index.NAME).read_text()
    assert "0004" not in (tmp_path / "overview.csv").read_text()
    assert RunFolder.create(tmp_path, "p", {}).record["id"] == 5


def test_deleting_asks_and_spares_what_runs(tmp_path, capsys, monkeypatch) -> None:
    RunFolder.create(tmp_path, "p", {}).finish("failed", 1.0)
    running = RunFolder.create(tmp_path, "p", {})
    assert delete(tmp_path, "1") == 2
    assert "--yes" in capsys.readouterr().err  # there is nobody to ask
    assert delete(tmp_path, "1", "2", "--yes") == 2
    assert "is running" in capsys.readouterr().err
    assert delete(tmp_path, "9", "--yes") == 2
    assert (tmp_path / "0001").exists() and running.path.exists()


def test_deleting_a_link_leaves_what_it_leads_to(tmp_path) -> None:
    real = RunFolder.create(tmp_path / "elsewhere", "p", {})
    real.finish("done", 1.0)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "0001").symlink_to(real.path)
    assert delete(tmp_path / "runs", "1", "--yes") == 0
    assert (real.path / "run.json").exists() and not (tmp_path / "runs" / "0001").exists()


def test_pointers_and_the_names_of_artifacts_are_durable(tmp_path, monkeypatch) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def noting(number: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{number}").readlink()))
        fsync(number)

    monkeypatch.setattr(os, "fsync", noting)
    with artifacts.publish(tmp_path / "deep" / "data", "k") as draft:
        (draft / "x").touch()
    assert str(draft / artifacts.MANIFEST) in synced and str(draft) in synced
    assert synced[-1] == str(tmp_path / "deep")
    synced.clear()
    open_store(tmp_path.as_uri()).write("champion.json", b"x")
    assert len(synced) == 2 and synced[-1] == str(tmp_path)


def test_a_young_draft_is_spared(tmp_path: Path) -> None:
    """It may have been made a moment ago, and is not locked yet."""
    (tmp_path / ".draft-new").touch()
    files.remove_drafts(hidden(tmp_path))
    assert hidden(tmp_path)


def test_many_writers_of_one_artifact_do_not_remove_each_others_drafts(tmp_path: Path) -> None:
    failed: list[Exception] = []

    def write(number: int) -> None:
        try:
            for _ in range(20):
                with cache.draft_beside(tmp_path / "data") as draft:
                    (draft / "x").write_text(str(number))
                    time.sleep(0.001)
                    assert (draft / "x").exists()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [] and hidden(tmp_path) == []
