"""The cache by content: what was made of the same things comes back, and nothing else does."""

import logging
import multiprocessing
import os
import shutil
import time
from pathlib import Path

import pytest

from augstudy.cli.app import invoke
from augstudy.core import artifacts, cache, fingerprint, telemetry
from augstudy.core.errors import DataError, InputError
from augstudy.core.machine import bf16_pays
from augstudy.training.checkpoints import Keeper


@pytest.fixture
def dataset(tmp_path: Path) -> artifacts.Artifact:
    with artifacts.publish(tmp_path / "dataset", "dataset", config={"level": 2}) as draft:
        (draft / "images.npy").write_bytes(b"drawings")
    return artifacts.read(tmp_path / "dataset")


def evaluate(dataset: artifacts.Artifact, out: Path, text: str = "same", **config: object) -> bool:
    """A step that copies `text`; whether it had to."""
    with telemetry.stage("evaluate", "real"):
        if artifacts.find(out, "evaluation", inputs={"dataset": dataset}, config=config):
            return False
        with artifacts.publish(
            out, "evaluation", inputs={"dataset": dataset}, config=config
        ) as draft:
            (draft / "deep").mkdir()
            (draft / "deep" / "metrics.json").write_text(text)
    return True


def test_another_folder_gets_what_was_made(store, dataset, tmp_path):
    assert evaluate(dataset, tmp_path / "a" / "out")
    assert not evaluate(dataset, tmp_path / "b" / "out")
    first, second = (artifacts.read(tmp_path / name / "out", "evaluation") for name in "ab")
    assert first.manifest == second.manifest
    inodes = {item.file("deep/metrics.json").stat().st_ino for item in (first, second)}
    assert len(inodes) == 1
    assert not list(tmp_path.rglob(".*"))


def test_without_a_cache_nothing_is_kept(dataset, tmp_path):
    assert evaluate(dataset, tmp_path / "a") and evaluate(dataset, tmp_path / "b")
    assert not evaluate(dataset, tmp_path / "a")  # the folder itself says that it is done


@pytest.mark.parametrize(
    "what", ["config", "input", "its config", "threads", "code", "GPUs", "bfloat16"]
)
def test_whatever_decides_the_content_is_part_of_the_key(
    what, store, dataset, tmp_path, monkeypatch
):
    assert evaluate(dataset, tmp_path / "a", seed=1)
    other, config = dataset, {"seed": 1}
    if what == "config":
        config = {"seed": 2}
    elif what == "threads":
        monkeypatch.setenv("AUGSTUDY_THREADS", "7")
    elif what == "GPUs":
        monkeypatch.setattr(fingerprint, "gpus", lambda: ["NVIDIA H100 80GB HBM3"])
    elif what == "bfloat16":
        monkeypatch.setattr(fingerprint, "bf16_pays", lambda: not bf16_pays())
    elif what == "code":
        other_code = {**fingerprint.made_by("evaluate", {}), "code": "another"}
        monkeypatch.setattr(artifacts, "made_by", lambda *_: other_code)
    else:
        level, content = (2, b"others") if what == "input" else (3, b"drawings")
        with artifacts.publish(tmp_path / "other", "dataset", config={"level": level}) as draft:
            (draft / "images.npy").write_bytes(content)
        other = artifacts.read(tmp_path / "other")
    assert evaluate(other, tmp_path / "b", **config)
    assert not evaluate(other, tmp_path / "c", **config)


def test_what_comes_from_outside_or_acts_outside_is_never_kept(store, dataset, tmp_path):
    for name in "ab":  # like ingest: no inputs
        with telemetry.stage("ingest"):
            assert artifacts.find(tmp_path / name, "dataset", config={"source": "x"}) is None
            with artifacts.publish(tmp_path / name, "dataset", config={"source": "x"}) as draft:
                (draft / "images.npy").write_bytes(name.encode())
    with telemetry.stage("promote"):  # like promote: nobody looked for it
        with artifacts.publish(tmp_path / "c", "decision", inputs={"dataset": dataset}) as draft:
            (draft / "decision.json").write_text("{}")
        again = artifacts.find(tmp_path / "d", "decision", inputs={"dataset": dataset})
    assert again is None
    assert store.measure().entries == 0


@pytest.mark.parametrize("damage", ["alter", "remove", "manifest"])
def test_a_damaged_entry_is_dropped_and_made_again(damage, store, dataset, tmp_path, caplog):
    evaluate(dataset, tmp_path / "a")
    (entry,) = (store.root / "entries").glob("*/*")
    target = entry / ("manifest.json" if damage == "manifest" else "deep/metrics.json")
    target.unlink()  # a new inode: the run folder keeps the good one
    if damage != "remove":
        target.write_text("evil")
    with caplog.at_level(logging.WARNING, "augstudy"):
        assert evaluate(dataset, tmp_path / "b")
    assert "made again" in caplog.text
    assert (tmp_path / "b" / "deep" / "metrics.json").read_text() == "same"
    assert not evaluate(dataset, tmp_path / "c")


def _writer(folder: str, number: int) -> None:
    source = Path(folder) / f"source-{number}"
    source.mkdir()
    for name in "abcdef":
        (source / name).write_text(str(number) * 10_000)
    for key in ("aa11", "aa22"):
        cache.Cache(Path(folder) / "cache").keep(key, source, manifest="whole")


def test_many_writers_at_once_leave_one_whole_entry(tmp_path):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_writer, args=(str(tmp_path), n)) for n in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    for key in ("aa11", "aa22"):
        entry = cache.Cache(tmp_path / "cache").entry(key)
        assert {item.name for item in entry.iterdir()} == {*"abcdef", "manifest"}
        assert len({(entry / name).read_text() for name in "abcdef"}) == 1
    assert not list((tmp_path / "cache").rglob(".*"))


def test_a_cache_that_cannot_be_written_costs_a_warning(
    store, dataset, tmp_path, monkeypatch, caplog
):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "not yours")

    monkeypatch.setattr(cache.Cache, "keep", refuse)
    with caplog.at_level(logging.WARNING, "augstudy"):
        assert evaluate(dataset, tmp_path / "a")
    assert "cannot be written" in caplog.text
    assert artifacts.read(tmp_path / "a", "evaluation")


def test_a_file_is_no_cache(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file"))
    with pytest.raises(InputError, match="is not a folder"):
        cache.active()


def test_other_file_systems_get_copies(store, dataset, tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    evaluate(dataset, tmp_path / "a")
    assert not evaluate(dataset, tmp_path / "b")
    shutil.rmtree(tmp_path / "a")
    assert artifacts.read(tmp_path / "b", "evaluation")  # files of its own


def test_a_part_is_shared_between_artifacts_and_tells_its_cost(store, dataset, tmp_path):
    made = []

    def train(folder: Path, seed: int) -> None:
        made.append(seed)
        (folder / "model").write_text(f"seed {seed}")

    def cell(name: str, seeds: list[int]) -> None:
        inputs = {"dataset": dataset}
        with (
            telemetry.stage("train_cnn", "real"),
            artifacts.publish(tmp_path / name, "classifier", inputs=inputs) as draft,
        ):
            for seed in seeds:
                artifacts.part(
                    draft / f"seed-{seed}",
                    "seed",
                    lambda folder, seed=seed: train(folder, seed),
                    inputs=inputs,
                    config={"seed": seed},
                )

    cell("two", [0, 1])
    cell("three", [0, 1, 2])
    assert made == [0, 1, 2]
    files = artifacts.read(tmp_path / "three", "classifier").manifest.files
    assert sorted(files) == [f"seed-{seed}/model" for seed in (0, 1, 2)]
    entries = [artifacts.read(item).manifest for item in (store.root / "entries").glob("*/*")]
    assert len(entries) == 3
    assert all(item.provenance.keys() == {"wall_s", "cpu_s"} for item in entries)


def test_a_step_says_that_it_was_taken_from_the_cache(store, dataset, tmp_path, monkeypatch):
    evaluate(dataset, tmp_path / "a")
    monkeypatch.setenv(telemetry.EVENTS_VARIABLE, str(tmp_path / "events"))
    evaluate(dataset, tmp_path / "b")
    text = (tmp_path / "events").read_text()
    assert '"text": "taken from the cache"' in text and '"reused": true' in text


def test_checkpoints_wait_in_the_cache_for_the_next_run(store, dataset, tmp_path):
    def keeper(out: str, name: str = "seed-1") -> Keeper:
        return Keeper.beside(tmp_path / out, name, {"dataset": dataset}, {"epochs": 2})

    first = keeper("a")
    first.offer(1, {"rows": [1]})
    first.write()
    other = keeper("b")  # the training goes on elsewhere: its checkpoints are not disturbed
    other.offer(9, {"rows": []})
    other.write()
    assert other.latest() == (9, {"rows": []})
    first._training.release()  # as the end of its process does
    assert keeper("c", "seed-2").latest() is None
    resumed = keeper("c")
    assert resumed.latest() == (1, {"rows": [1]})
    resumed.clear()
    assert not list((store.root / "trainings").glob("*/*"))
    assert keeper("d").latest() is None


def test_show_and_clear(store, dataset, tmp_path, capsys):
    evaluate(dataset, tmp_path / "a")
    evaluate(dataset, tmp_path / "b", seed=2)
    entry = next((store.root / "entries").glob("*/*"))
    shutil.rmtree(tmp_path / "a")
    found = store.measure()
    assert found.entries == 2
    assert 0 < found.own < found.size
    assert invoke(["cache"]) == 0
    assert "2 entries" in capsys.readouterr().out
    month_ago = time.time() - 30 * 24 * 3600
    os.utime(entry, (month_ago, month_ago))
    for item in entry.iterdir():
        os.utime(item, (month_ago, month_ago))
    assert invoke(["cache", "clear", "--unused-days", "29"]) == 0
    assert store.measure().entries == 1
    assert invoke(["cache", "clear"]) == 0
    assert "0 entries" in capsys.readouterr().out
    assert artifacts.read(tmp_path / "b", "evaluation")
    assert invoke(["cache", "empty"]) == 2


def test_clearing_touches_nothing_else_in_the_folder(store, tmp_path):
    (store.root / "notes").mkdir(parents=True)
    (store.root / "notes" / "mine.txt").write_text("mine")
    store.clear()
    assert (store.root / "notes" / "mine.txt").read_text() == "mine"


def test_what_was_made_while_the_code_changed_is_not_kept(store, dataset, tmp_path, monkeypatch):
    assert evaluate(dataset, tmp_path / "a")
    monkeypatch.setattr(artifacts, "is_as_it_was", lambda step: step != "evaluate")
    assert evaluate(dataset, tmp_path / "b", seed=2)
    assert evaluate(dataset, tmp_path / "c", seed=2)
    assert not evaluate(dataset, tmp_path / "d")


def test_a_step_notices_that_its_code_was_changed(tmp_path, monkeypatch):
    copy = tmp_path / "augstudy"
    shutil.copytree(Path(fingerprint.__file__).parents[1], copy)
    monkeypatch.setattr(fingerprint, "_ROOT", copy)
    fingerprint._code.cache_clear()
    whole = fingerprint.code_version.__wrapped__()
    assert fingerprint.is_as_it_was("cam")
    (copy / "pages" / "html.py").unlink()
    assert fingerprint.is_as_it_was("cam")
    assert fingerprint.code_version.__wrapped__() != whole
    (copy / "explain" / "gradcam.py").unlink()
    assert not fingerprint.is_as_it_was("cam")
    fingerprint._code.cache_clear()


def test_a_damaged_run_folder_does_not_get_into_others(store, dataset, tmp_path):
    evaluate(dataset, tmp_path / "a")
    (tmp_path / "a" / "deep" / "metrics.json").write_text("written over in place")
    assert evaluate(dataset, tmp_path / "b")
    assert (tmp_path / "b" / "deep" / "metrics.json").read_text() == "same"
    with pytest.raises(DataError):
        artifacts.read(tmp_path / "a", "evaluation")


def entry_of(store: cache.Cache) -> Path:
    (entry,) = (store.root / "entries").glob("*/[!.]*")
    return entry


def test_another_artifact_under_the_key_is_not_taken(store, dataset, tmp_path, caplog):
    evaluate(dataset, tmp_path / "a", "first", seed=1)
    entry = entry_of(store)
    evaluate(dataset, tmp_path / "b", "second", seed=2)
    (other,) = {*(store.root / "entries").glob("*/[!.]*")} - {entry}
    shutil.rmtree(entry)
    shutil.copytree(other, entry)
    with caplog.at_level(logging.WARNING, "augstudy"):
        assert evaluate(dataset, tmp_path / "c", "first", seed=1)
    assert "made of other things" in caplog.text
    assert (tmp_path / "c" / "deep" / "metrics.json").read_text() == "first"
    assert not evaluate(dataset, tmp_path / "d", "never", seed=1)


IN_PLACE = {
    "a file": lambda it: it.write_text("x"),
    "a dangling link": lambda it: it.symlink_to("nowhere"),
    "a link to itself": lambda it: it.symlink_to(it.name),
    "a pipe": os.mkfifo,
    "an empty folder": Path.mkdir,
}


@pytest.mark.parametrize("what", IN_PLACE)
@pytest.mark.parametrize("above", [False, True])
def test_what_stands_in_the_place_of_an_entry_gives_way(what, above, store, dataset, tmp_path):
    evaluate(dataset, tmp_path / "a")
    entry = entry_of(store)
    place = entry.parent if above else entry
    shutil.rmtree(place)
    IN_PLACE[what](place)
    assert evaluate(dataset, tmp_path / "b")
    assert artifacts.read(entry, "evaluation")
    assert not evaluate(dataset, tmp_path / "c")


@pytest.mark.parametrize("what", [name for name in IN_PLACE if name != "an empty folder"])
def test_an_entry_with_something_else_than_files_is_made_again(what, store, dataset, tmp_path):
    evaluate(dataset, tmp_path / "a")
    IN_PLACE[what](entry_of(store) / "more")
    assert evaluate(dataset, tmp_path / "b")
    entry = entry_of(store)
    (entry / "deep" / "metrics.json").unlink()
    (entry / "deep" / "metrics.json").symlink_to(tmp_path / "a" / "deep" / "metrics.json")
    assert evaluate(dataset, tmp_path / "c")
    assert not (tmp_path / "c" / "deep" / "metrics.json").is_symlink()


@pytest.mark.parametrize("what", ["a file", "a dangling link"])
def test_a_training_has_its_folder_whatever_stands_there(what, store):
    place = store.root / "trainings" / "aa"
    place.parent.mkdir(parents=True)
    IN_PLACE[what](place)
    assert store.training("aa").path.is_dir()


def test_clearing_removes_whatever_is_in_it(store, dataset, tmp_path):
    evaluate(dataset, tmp_path / "a")
    for name, make in IN_PLACE.items():
        make(entry_of(store).parent.parent / name)
    store.measure()
    store.clear()
    assert not [item for item in store.root.glob("entries/*/*") if item.is_dir()]
