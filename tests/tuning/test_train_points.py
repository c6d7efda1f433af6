"""What a worker of a sweep keeps, and that it trains nothing twice."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from builders import build_dataset
from sklearn.metrics import balanced_accuracy_score

from augstudy.core import artifacts, cache
from augstudy.core.artifacts import read
from augstudy.core.errors import InputError
from augstudy.results.against_base import with_base
from augstudy.steps import choose, train_cnn, train_points, tuning
from augstudy.tuning.points import Trial, best, deal, gather, settings_of
from augstudy.tuning.sweep import expand, parse_sweep

SWEEP = parse_sweep(
    {
        "axes": [
            {
                "name": "batch",
                "values": [
                    {"label": label, "set": {"batch_size": int(label)}}
                    for label in ("8", "16", "32")
                ],
            }
        ]
    }
)
SKILL = {8: 0.9, 16: 0.5, 32: 0.7}


def trials(points=None):
    found = [
        Trial(place, point, settings_of(point, "baseline", {}))
        for place, point in enumerate(expand(SWEEP))
    ]
    return found if points is None else [found[place] for place in points]


@pytest.fixture
def trained(monkeypatch):
    """Trainings that only pretend: batch size and seed of each. The power fails after `limit`."""
    calls = []

    def train(self, folder, *, seed, progress, keeper):
        if len(calls) == train.limit:
            raise KeyboardInterrupt
        size = self._settings.batch_size
        calls.append((size, seed))
        progress(1, 1, "pretending")
        labels, right = self._validation.labels, SKILL.get(size, 0.6)
        place = np.arange(len(labels))
        place = place[::-1] if size in train.last else place
        seen = np.where(place < right * len(labels), labels, labels + 1)
        np.save(folder / train_cnn.VALIDATION, seen.astype(np.int16))
        (folder / "model.keras").write_text(f"{size} {seed}")
        row = {"epoch": [1], "loss": 1.0, "accuracy": 0.8, "val_loss": 1.0, "val_accuracy": right}
        pd.DataFrame({**row, "learning_rate": 0.1}).to_csv(folder / "history.csv", index=False)
        (folder / train_cnn.RECORD).write_text(
            json.dumps(
                {"seed": seed, "val_accuracy": right, "train_accuracy": 0.8, "parameters": 9}
                | {"val_balanced_accuracy": balanced_accuracy_score(labels, seen)}
                | {"images": 9, "epochs": 1, "best_epoch": 1}
            )
        )

    train.limit, train.last = -1, ()
    monkeypatch.setattr(train_cnn.Cell, "train", train)
    return calls, train


def test_a_killed_worker_goes_on_without_redoing_a_point(tmp_path, monkeypatch, trained) -> None:
    calls, train = trained
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    data = build_dataset(tmp_path / "data").path
    train.limit = 5  # two points are done, and one seed of the third
    with pytest.raises(KeyboardInterrupt):
        train_points.run(data, tmp_path / "run-1", trials(), (0, 1))
    assert not (tmp_path / "run-1").exists()
    train.limit = -1
    train_points.run(data, tmp_path / "run-2", trials(), (0, 1))
    assert len(calls) == len(set(calls)) == 4 * 2
    assert not list((tmp_path / "cache" / "trainings").glob("*"))
    # Other workers, another order: still nothing is trained again.
    train_points.run(data, tmp_path / "run-3", trials([3, 1]), (1, 0))
    assert len(calls) == 8


def test_models_are_kept_of_the_base_and_the_best_only(tmp_path, trained) -> None:
    data = build_dataset(tmp_path / "data").path
    made = train_points.run(data, tmp_path / "points", trials(), (0, 1))
    kept = {name.split("/")[1] for name in made.manifest.files if name.endswith("model.keras")}
    assert kept == {"base", "batch=8"}
    assert [item["id"] for item in made.json("points.json")] == [
        "base",
        "batch=8",
        "batch=16",
        "batch=32",
    ]
    with np.load(made.file("predictions.npz")) as stored:
        assert stored["batch=16"].shape == (2, len(np.load(data / "val_labels.npy")))


def test_validation_chooses_among_all_workers(tmp_path, trained) -> None:
    data = build_dataset(tmp_path / "data").path
    workers = [tmp_path / "w0", tmp_path / "w1"]
    train_points.run(data, workers[0], trials([0, 2]), (0, 1))
    train_points.run(data, workers[1], trials([1, 3]), (0, 1))
    assert choose.run(data, workers, tmp_path / "base", tmp_path / "chosen") == "batch=8"
    made = read(tmp_path / "chosen", "classifier")
    assert made.file("seed-1/model.keras").read_text() == "8 1"
    assert made.json("arm.json")["label"] == "chosen"
    assert made.json("arm.json")["point"] == "batch=8"
    assert read(tmp_path / "base", "classifier").file("seed-0/model.keras").read_text() == "256 0"


def test_nothing_reads_the_test_split(tmp_path, trained, monkeypatch) -> None:
    data = build_dataset(tmp_path / "data").path
    opened = []
    load = np.load
    monkeypatch.setattr(
        np, "load", lambda path, **more: opened.append(str(path)) or load(path, **more)
    )
    train_points.run(data, tmp_path / "points", trials(), (0, 1))
    choose.run(data, [tmp_path / "points"], tmp_path / "base", tmp_path / "chosen")
    names = {Path(path).name for path in opened}
    assert "val_labels.npy" in names
    assert not [name for name in names if name.startswith("test_")]


def test_more_workers_than_points_leave_one_with_nothing(tmp_path, trained) -> None:
    data = build_dataset(tmp_path / "data").path
    study = {"classifier_recipe": "baseline", "classifier_settings": {}, "seeds": [0.0]}
    study["sweep"] = SWEEP.model_dump(mode="json")
    for worker in range(1, 7):
        out = {"points": tmp_path / f"w{worker}", "worker": f"{worker} of 6"}
        tuning.train_points({"dataset": data, **study, **out})
    workers = [tmp_path / f"w{worker}" for worker in range(1, 7)]
    assert choose.run(data, workers, tmp_path / "base", tmp_path / "chosen") == "batch=8"


def test_a_network_that_cannot_be_built_is_told_before_any_training(tmp_path, trained) -> None:
    bad = parse_sweep(
        {
            "axes": [
                {"name": "k", "values": [{"label": "9", "set": {"network": {"kernels": [9] * 3}}}]}
            ]
        }
    )
    with pytest.raises(InputError, match=r"Point 'k=9' of the sweep: .* leave nothing of an image"):
        deal(bad, "baseline", {}, 0, 1)
    data = build_dataset(tmp_path / "data").path
    with pytest.raises(InputError, match="Seeds must be distinct"):
        train_points.run(data, tmp_path / "points", trials(), (0, 0))
    assert trained[0] == []


def unequal(folder):
    """A dataset whose validation classes have 30, 10 and 4 images."""
    even = build_dataset(folder / "even", ("cow", "lion", "zebra"), val=30)
    labels = np.load(even.file("val_labels.npy"))
    counts = np.array([30, 10, 4])[labels]
    keep = np.arange(len(labels)) - 30 * labels < counts
    with artifacts.publish(folder / "data", "dataset", config={}) as draft:
        for name in even.manifest.files:
            (draft / name).write_bytes(even.file(name).read_bytes())
        for part in ("images", "labels", "rows"):
            np.save(draft / f"val_{part}.npy", np.load(even.file(f"val_{part}.npy"))[keep])
    return artifacts.read(folder / "data")


@pytest.mark.parametrize(
    ("asked", "chosen", "reached"),
    [("auto", "batch=16", (8 / 30 + 2) / 3), ("accuracy", "batch=8", 0.9)],
)
def test_points_are_chosen_by_the_metric(tmp_path, trained, asked, chosen, reached) -> None:
    """Batch 8 knows the large class alone; batch 16 knows all, but fewer images."""
    trained[1].last = (16,)
    data = unequal(tmp_path)
    made = train_points.run(data.path, tmp_path / "points", trials(), (0, 1), asked=asked)
    models = {name.split("/")[1] for name in made.manifest.files if name.endswith("model.keras")}
    assert models == {"base", chosen}
    paths = tmp_path / "base", tmp_path / "chosen"
    assert choose.run(data.path, [made.path], *paths, asked) == chosen
    points = gather([made], np.load(data.file("val_labels.npy")), asked)
    assert best(points).mean("accuracy") == pytest.approx(reached)
    found = with_base(points, 0.01)[chosen]
    change = best(points).mean("accuracy") - points[0].mean("accuracy")
    assert found.mean == pytest.approx(change, abs=0.03)  # here val_accuracy is made up
