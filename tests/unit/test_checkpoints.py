"""Trainings that are cut short end where undisturbed ones do, bit for bit."""

import functools
import logging
import os
import subprocess
import sys
from pathlib import Path

import interrupted
import numpy as np
import pytest
from builders import build_dataset

from augstudy.core import artifacts, telemetry
from augstudy.core.stopping import TERMINATED
from augstudy.settings.judging import JudgeSettings
from augstudy.steps import adapters, evaluate, synthesize, train_gan, train_judge
from augstudy.training import checkpoints
from augstudy.training.checkpoints import Keeper

CLASSES = ("cow", "giraffe", "zebra")
STATE = {
    "variables": [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(7, dtype=np.int64)],
    "early_stopping": {"best": 0.1 + 0.2, "best_weights": None, "wait": 2},
    "history": {"rows": [{"epoch": 1, "loss": 1 / 3}], "samples": []},
    "stopped": False,
}


def keeper(tmp_path: Path, seed: int = 0) -> Keeper:
    return Keeper(tmp_path / "checkpoints", {"seed": seed}, every_s=0)


def assert_same(found, step, state=STATE):
    assert found is not None
    assert found[0] == step
    for one, other in zip(found[1]["variables"], state["variables"], strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    rest = {key: value for key, value in found[1].items() if key != "variables"}
    assert rest == {key: value for key, value in state.items() if key != "variables"}


def test_the_newest_state_comes_back_exactly(tmp_path):
    assert keeper(tmp_path).latest() is None
    writer = keeper(tmp_path)
    for step in (1, 2, 3):
        writer.offer(step, STATE)
    assert_same(keeper(tmp_path).latest(), 3)


def test_another_training_is_not_read(tmp_path):
    keeper(tmp_path).offer(1, STATE)
    assert keeper(tmp_path, seed=1).latest() is None


@pytest.mark.parametrize(
    ("variable", "value"), [("AUGSTUDY_THREADS", "7"), ("KERAS_BACKEND", "another")]
)
def test_what_would_end_with_other_bits_is_another_training(tmp_path, monkeypatch, variable, value):
    keeper(tmp_path).offer(1, STATE)
    monkeypatch.setenv(variable, value)
    assert keeper(tmp_path).latest() is None


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path, caplog):
    writer = keeper(tmp_path)
    writer.offer(1, STATE)
    writer.offer(2, STATE)
    [newest] = [p for p in tmp_path.rglob("manifest.json") if '"step": 2' in p.read_text()]
    with (newest.parent / "arrays.npz").open("r+b") as stream:
        byte = stream.read(100)[-1]
        stream.seek(99)
        stream.write(bytes([byte ^ 1]))
    assert_same(keeper(tmp_path).latest(), 1)
    assert "A checkpoint is damaged" in caplog.text
    assert "arrays.npz differs from what was written" in caplog.text


def test_a_full_disk_leaves_the_last_good_one_and_the_training(tmp_path, monkeypatch, caplog):
    writer = keeper(tmp_path)
    writer.offer(1, STATE)
    writer.offer(2, STATE)

    def fill(target, **_):
        Path(target).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING, "augstudy"):
        patch.setattr(checkpoints, "write_arrays", fill)
        writer.offer(3, STATE)
    assert "No checkpoint at step 3: No space left" in caplog.text
    assert_same(keeper(tmp_path).latest(), 2)
    writer.write()  # there is room again when the training is asked to end
    assert_same(keeper(tmp_path).latest(), 3)


def test_a_disk_that_fails_costs_a_warning(tmp_path, monkeypatch, caplog):
    def fail(*_, **__):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(checkpoints, "write_arrays", fail)
    with caplog.at_level(logging.WARNING, "augstudy"):
        keeper(tmp_path).offer(1, STATE)
    assert "No checkpoint at step 1: " in caplog.text and "Input/output error" in caplog.text


def test_on_a_disk_that_fills_up_the_last_good_one_stays(tiny_disk, caplog):
    writer = keeper(tiny_disk)
    writer.offer(1, STATE)
    with caplog.at_level(logging.WARNING, "augstudy"):
        writer.offer(2, {**STATE, "variables": [np.ones(1 << 16)]})
        writer.offer(3, {**STATE, "variables": [np.ones(1 << 16)]})
    assert "No checkpoint at step 3: " in caplog.text and "No space left" in caplog.text
    assert_same(keeper(tiny_disk).latest(), 1)


def test_between_writes_the_newest_state_waits_in_memory(tmp_path):
    writer = Keeper(tmp_path / "checkpoints", {"seed": 0}, every_s=3600)
    writer.offer(1, STATE)
    assert keeper(tmp_path).latest() is None
    writer.write()
    assert_same(keeper(tmp_path).latest(), 1)


def test_another_machine_finds_it_in_the_store(tmp_path, gcs, monkeypatch):
    gcs.put("study", "something", b"")
    monkeypatch.setenv(checkpoints.STORE_VARIABLE, "gs://study/checkpoints")
    writer = keeper(tmp_path / "lost")
    writer.offer(1, STATE)
    writer.offer(2, STATE)
    assert_same(keeper(tmp_path / "other").latest(), 2)
    assert keeper(tmp_path / "another", seed=1).latest() is None


def test_a_store_that_is_away_costs_a_warning(tmp_path, gcs, monkeypatch, caplog):
    monkeypatch.setenv(checkpoints.STORE_VARIABLE, "gs://study/checkpoints")
    gcs.forbidden.add("study")
    with caplog.at_level(logging.WARNING, "augstudy"):
        keeper(tmp_path).offer(1, STATE)
    assert "No checkpoint at step 1" in caplog.text
    assert_same(keeper(tmp_path).latest(), 1)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    made = build_dataset(tmp_path_factory.mktemp("data") / "dataset", CLASSES).path
    settings = JudgeSettings(classifier="baseline", steps=2, cas_steps=0)
    train_judge.run(made, made.with_name("judge"), settings)
    return made


@pytest.fixture(scope="module")
def undisturbed(dataset, tmp_path_factory):
    """Content hash of the artifact of a training that nothing interrupts."""

    @functools.cache
    def train(what):
        return interrupted.train(what, dataset, tmp_path_factory.mktemp(what) / "out").content_hash

    return train


def train(what, dataset, out):
    if what != "judge":
        return interrupted.train(what, dataset, out)
    settings = JudgeSettings(classifier="baseline", steps=2, cas_steps=0)
    return train_judge.run(dataset, out, settings)


def read(what, made, dataset, out):
    """A later step, which has the artifact of the training from the store of the pipeline."""
    with adapters.step("next"):
        if what == "cnn":
            evaluate.run(dataset, made, out)
        elif what == "judge":
            train_gan.run(dataset, out, interrupted.GENERATORS["gan"], seed=3, judge=made)
        else:
            synthesize.run(made, out, 2, dataset=dataset, judge=dataset.with_name("judge"))


@pytest.fixture
def store(gcs, monkeypatch):
    gcs.put("study", "checkpoints/of-somebody/else", b"")
    monkeypatch.setenv(checkpoints.STORE_VARIABLE, "gs://study/checkpoints")
    monkeypatch.setattr(checkpoints, "EVERY_S_STORED", 0.0)
    return gcs


def kept(store):
    return [name for name in store.names("study") if "of-somebody" not in name]


@pytest.mark.parametrize("what", ["cnn", "gan", "judge"])
def test_checkpoints_stay_until_a_later_step_has_read_the_artifact(
    what, dataset, store, tmp_path, monkeypatch
):
    first = train(what, dataset, tmp_path / "first" / "out")
    assert kept(store)  # nobody has uploaded the artifact yet
    # The pod is lost before that: the one in its place has nothing left to do.
    seen = []
    with monkeypatch.context() as patch:
        patch.setattr(telemetry.Stage, "progress", lambda *given: seen.append(given))
        made = train(what, dataset, tmp_path / "second" / "out")
    assert made.content_hash == first.content_hash
    assert not seen
    monkeypatch.setattr(checkpoints, "EVERY_S_STORED", 3600.0)
    before = set(kept(store))
    read(what, made.path, dataset, tmp_path / "next")
    assert not before & set(kept(store))
    assert store.get("study", "checkpoints/of-somebody/else") == b""


def test_checkpoints_that_cannot_be_removed_cost_a_warning(dataset, store, tmp_path, caplog):
    made = train("cnn", dataset, tmp_path / "out")
    store.forbidden.add("study")
    with caplog.at_level(logging.WARNING, "augstudy"):
        read("cnn", made.path, dataset, tmp_path / "next")
    assert "Checkpoints of finished trainings remain in gs://study/checkpoints" in caplog.text
    assert artifacts.read(tmp_path / "next", "evaluation")


def test_a_manifest_cannot_have_other_objects_removed(store):
    checkpoints.remove(["of-somebody", "../checkpoints/of-somebody", ""])
    assert store.get("study", "checkpoints/of-somebody/else") == b""


@pytest.mark.parametrize(
    ("what", "number", "calls", "code", "left"),
    [
        ("cnn", "SIGKILL", 6, -9, {3}),  # in the second seed; its epoch 2 is not written yet
        ("gan", "SIGTERM", 2, TERMINATED, {1, 2}),
        ("gan", "SIGKILL", 2, -9, {2}),
        ("diffusion", "SIGTERM", 2, TERMINATED, {1, 2}),
    ],
)
def test_an_interrupted_training_ends_as_if_undisturbed(
    what, number, calls, code, left, dataset, undisturbed, tmp_path, monkeypatch
):
    wanted = undisturbed(what)
    out = tmp_path / "out"
    command = [interrupted.__file__, what, str(dataset), str(out), number, str(calls)]
    paths = [str(Path(interrupted.__file__).parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True)
    assert done.returncode == code, done.stderr.decode()
    assert not (out / artifacts.MANIFEST).exists()
    seen = []
    monkeypatch.setattr(telemetry.Stage, "progress", lambda *given: seen.append(given))
    resumed = interrupted.train(what, dataset, out)
    assert len(seen) in left
    assert resumed.content_hash == wanted
    assert not (tmp_path / ".out-checkpoints").exists()


def test_a_finished_training_is_not_repeated(dataset, undisturbed, tmp_path, monkeypatch):
    wanted = undisturbed("cnn")
    monkeypatch.setattr(checkpoints, "EVERY_S", 0.0)
    with pytest.raises(RuntimeError, match="cut"), monkeypatch.context() as patch:
        patch.setattr(artifacts, "_replace", _cut)
        interrupted.train("cnn", dataset, tmp_path / "out")
    seen = []
    monkeypatch.setattr(telemetry.Stage, "progress", lambda *given: seen.append(given))
    resumed = interrupted.train("cnn", dataset, tmp_path / "out")
    assert resumed.content_hash == wanted
    assert not seen


def _cut(draft, path, replace=artifacts._replace):
    """Publishes checkpoints only, as if the machine went away at the very end."""
    if '"kind": "checkpoint"' not in (draft / artifacts.MANIFEST).read_text():
        raise RuntimeError("cut")
    replace(draft, path)
