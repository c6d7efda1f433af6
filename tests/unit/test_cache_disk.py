"""A whole entry of the cache outlives a run folder that it cannot be brought to."""

import errno
import os
from pathlib import Path

import pytest

from augstudy.core import artifacts, cache, telemetry
from augstudy.core.errors import ServiceError


@pytest.fixture
def dataset(tmp_path: Path) -> artifacts.Artifact:
    with artifacts.publish(tmp_path / "dataset", "dataset") as draft:
        (draft / "images.npy").write_bytes(b"drawings")
    return artifacts.read(tmp_path / "dataset")


def train(dataset: artifacts.Artifact, out: Path) -> bool:
    """A step that trains one seed; whether it had to."""
    made = []

    def seed(folder: Path) -> None:
        made.append(folder)
        for name in ("history.csv", "model.keras"):
            (folder / name).write_text("weights")

    inputs = {"dataset": dataset}
    config = {"cell": out.name}  # the cell is never in the cache, its seed is
    with (
        telemetry.stage("train_cnn", "real"),
        artifacts.publish(out, "classifier", inputs=inputs, config=config) as draft,
    ):
        artifacts.part(draft / "seed-0", "seed", seed, inputs=inputs, config={"seed": 0})
    return bool(made)


def fail_at_second_file(monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    link = cache._link

    def failing(source: Path, target: Path) -> None:
        if any(target.parent.iterdir()):
            raise OSError(error, os.strerror(error))
        link(source, target)

    monkeypatch.setattr(cache, "_link", failing)


def test_a_full_disk_costs_no_entry_and_no_training(store, dataset, tmp_path, monkeypatch):
    assert train(dataset, tmp_path / "a")
    with monkeypatch.context() as patch:
        fail_at_second_file(patch, errno.ENOSPC)
        with pytest.raises(ServiceError, match="No space left while writing"):
            train(dataset, tmp_path / "b")
    assert not list(tmp_path.rglob(".*"))
    assert not train(dataset, tmp_path / "b")


def test_a_step_that_the_disk_has_no_room_for_is_not_made_again(
    store, dataset, tmp_path, monkeypatch
):
    inputs = {"dataset": dataset}
    assert artifacts.find(tmp_path / "a", "gan", inputs=inputs) is None
    with artifacts.publish(tmp_path / "a", "gan", inputs=inputs) as draft:
        for name in ("generator.keras", "history.csv"):
            (draft / name).write_text("hours")
    with monkeypatch.context() as patch:
        fail_at_second_file(patch, errno.EDQUOT)
        with pytest.raises(ServiceError, match=r"No space left while writing .*/b"):
            artifacts.find(tmp_path / "b", "gan", inputs=inputs)
    assert not list(tmp_path.rglob(".*"))
    assert artifacts.find(tmp_path / "b", "gan", inputs=inputs)


def test_a_copy_that_fails_leaves_no_trace_in_what_is_made_instead(
    store, dataset, tmp_path, monkeypatch, caplog
):
    assert train(dataset, tmp_path / "a")
    with monkeypatch.context() as patch:
        fail_at_second_file(patch, errno.EIO)
        assert train(dataset, tmp_path / "b")
    assert "cannot be taken from the cache" in caplog.text
    first, second = (artifacts.read(tmp_path / name) for name in "ab")
    assert first.content_hash == second.content_hash
    assert not train(dataset, tmp_path / "c")
