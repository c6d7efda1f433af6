"""What a worker of a search trains and keeps, and that it trains nothing twice."""

import json

import numpy as np
import pandas as pd
import pytest
from builders import build_dataset
from searched import AXES, EPOCHS, curve_of, hunt, skill, sweep_of

from augstudy.core import cache
from augstudy.core.artifacts import read
from augstudy.core.errors import InputError, TrainingError
from augstudy.steps import choose, search_points, train_cnn, train_points
from augstudy.steps.search_points import Task
from augstudy.training.checkpoints import Keeper
from augstudy.tuning.points import deal
from augstudy.tuning.search import gather_trials
from augstudy.tuning.sweep import parse_sweep

SWEEP = parse_sweep(sweep_of(prune_after=2))


@pytest.fixture
def trained(monkeypatch):
    """Trainings that only pretend; every epoch of each. The power fails after `limit` of them."""
    epochs = []

    def train(self, folder, *, seed, progress, keeper, watch=None):
        settings = self._settings
        dropout, mirrored = settings.network.dropout, settings.augmentation.horizontal_flip
        size = settings.batch_size
        reached, labels = skill(size, dropout, mirrored), self._validation.labels
        rows = (keeper.latest() or (0, {"rows": []}))[1]["rows"]
        for row in rows if watch else []:
            watch(row)
        for epoch, accuracy in list(enumerate(curve_of(reached), 1))[len(rows) :]:
            if len(epochs) == train.limit:
                raise KeyboardInterrupt
            epochs.append((size, dropout, mirrored, seed, epoch))
            row = {"epoch": epoch, "loss": 1.0, "accuracy": 0.8, "val_loss": 1.0}
            rows.append({**row, "val_accuracy": accuracy, "learning_rate": 0.1})
            keeper.offer(epoch, {"rows": list(rows)})
            if watch:
                watch(rows[-1])
        keeper.write()
        seen = np.where(np.arange(len(labels)) < reached * len(labels), labels, labels + 1)
        np.save(folder / train_cnn.VALIDATION, seen.astype(np.int16))
        (folder / "model.keras").write_text(f"{size} {dropout} {mirrored} {seed}")
        pd.DataFrame(rows).to_csv(folder / "history.csv", index=False)
        record = {"seed": seed, "val_accuracy": reached, "train_accuracy": 0.8}
        (folder / train_cnn.RECORD).write_text(json.dumps(record))

    train.limit = -1
    monkeypatch.setattr(train_cnn.Cell, "train", train)
    return epochs, train


@pytest.fixture
def data(tmp_path):
    """A dataset with enough validation images to tell points apart."""
    return build_dataset(tmp_path / "data", val=20).path


def search(data, out, sweep=SWEEP, worker=0, workers=1, seeds=(0, 1), overrides=None):
    task = Task(sweep, "baseline", {"epochs": EPOCHS, **(overrides or {})}, worker, workers)
    return search_points.run(data, out, task, seeds)


def test_a_search_tries_prunes_and_trains_finalists_with_all_seeds(tmp_path, data, trained) -> None:
    made = search(data, tmp_path / "points")
    tried = gather_trials([made])
    as_alone = hunt(SWEEP)
    assert [item.record() | {"finalist": False} for item in tried] == [
        item.record() for item in as_alone.tried
    ]
    pruned = [item for item in tried if item.state == "pruned"]
    assert pruned
    assert all(2 <= len(item.curve) < 6 for item in pruned)
    assert len(trained[0]) == len(set(trained[0]))
    assert len(trained[0]) == sum(len(item.curve) for item in tried) + 6 * 3
    points = made.json("points.json")
    assert [item["id"] for item in points] == [item.id for item in as_alone.finalists()]
    assert [item["id"] for item in points] == [item.id for item in tried if item.finalist]
    assert all(item["seeds"] == [0, 1] == [r["seed"] for r in item["training"]] for item in points)


def test_models_are_kept_of_the_base_and_the_best_only(tmp_path, data, trained) -> None:
    made = search(data, tmp_path / "points")
    best = max(gather_trials([made]), key=lambda item: item.accuracy)
    kept = {name.split("/")[1] for name in made.manifest.files if name.endswith("model.keras")}
    assert kept == {"base", best.id}
    assert not [name for name in made.manifest.files if name.startswith("trying")]


def test_a_trial_whose_loss_is_no_number_costs_no_other_trial(
    tmp_path, data, trained, monkeypatch
) -> None:
    """Too high a rate is among what a search is to find out."""
    train = train_cnn.Cell.train

    def breaks(self, folder, **options):
        if self._settings.batch_size == 8:
            raise TrainingError("The training broke in epoch 1: its loss is no finite number.")
        train(self, folder, **options)

    monkeypatch.setattr(train_cnn.Cell, "train", breaks)
    made = search(data, tmp_path / "points")
    tried = gather_trials([made])
    broken = [item for item in tried if item.chosen.get("batch") == "8"]
    assert broken and {item.state for item in broken} == {"pruned"}
    assert {item.accuracy for item in broken} == {0.0}
    assert len(tried) == 16 and any(item.state == "complete" for item in tried)
    assert not any(item.finalist for item in broken)


@pytest.mark.parametrize("limit", [3, 26, 50, 71])
def test_a_killed_search_goes_on_without_redoing_a_trial(
    tmp_path, data, monkeypatch, trained, limit
) -> None:
    """In the base, among trials without and with pruned ones, and in a finalist's second seed."""
    epochs, train = trained
    undisturbed = search(data, tmp_path / "run-0")
    expected, whole = undisturbed.content_hash, len(epochs)
    assert limit < whole
    epochs.clear()
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    train.limit = limit
    with pytest.raises(KeyboardInterrupt):
        search(data, tmp_path / "run-1")
    assert not (tmp_path / "run-1").exists()
    train.limit = -1
    assert search(data, tmp_path / "run-2").content_hash == expected
    twice = {item for item in epochs if epochs.count(item) > 1}
    assert len({item[:4] for item in twice}) <= 1  # of the training that was under way
    assert len(epochs) - len(twice) == whole
    epochs.clear()
    assert search(data, tmp_path / "run-3").content_hash == expected
    assert epochs == []
    assert not list((tmp_path / "cache" / "trainings").glob("*"))


@pytest.mark.parametrize("limit", [50, 71])
def test_without_a_cache_a_killed_search_goes_on_from_checkpoints(
    tmp_path, data, trained, limit
) -> None:
    epochs, train = trained
    expected, whole = search(data, tmp_path / "whole").content_hash, len(epochs)
    epochs.clear()
    train.limit = limit
    with pytest.raises(KeyboardInterrupt):
        search(data, tmp_path / "points")
    train.limit = -1
    assert search(data, tmp_path / "points").content_hash == expected
    assert len(set(epochs)) == whole
    assert len({item[:4] for item in epochs if epochs.count(item) > 1}) <= 1
    assert not list(tmp_path.glob(".points*"))


def test_trainings_that_another_search_finished_are_judged_as_if_they_were_watched(
    tmp_path, data, monkeypatch, trained
) -> None:
    expected = search(data, tmp_path / "alone").content_hash
    trained[0].clear()
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    patient = parse_sweep(sweep_of(prune_after=6))
    search(data, tmp_path / "patient", patient)
    trained[0].clear()
    assert search(data, tmp_path / "points").content_hash == expected
    known = {item.id for item in hunt(patient).tried}
    assert trained[0] == []
    assert known >= {item.id for item in hunt(SWEEP).tried}


def test_validation_chooses_among_the_finalists_of_all_workers(tmp_path, data, trained) -> None:
    workers = [tmp_path / "w0", tmp_path / "w1", tmp_path / "w2"]
    made = [search(data, path, worker=place, workers=3) for place, path in enumerate(workers)]
    tried = gather_trials(made)
    assert [item.number for item in tried] == list(range(16))
    best = max(tried, key=lambda item: (item.accuracy, -item.number))
    assert choose.run(data, workers, tmp_path / "base", tmp_path / "chosen") == best.id
    chosen = read(tmp_path / "chosen", "classifier")
    assert chosen.json("arm.json")["point"] == best.id
    assert chosen.file("seed-1/model.keras").is_file()


def test_what_makes_no_classifier_is_told_or_passed_over(tmp_path, data, trained) -> None:
    wide = {"label": "9", "set": {"network": {"kernels": [9, 9, 9]}}}
    axes = [*AXES, {"name": "kernel", "values": [wide]}]
    with pytest.raises(InputError, match="leave nothing of an image"):
        search(data, tmp_path / "points", parse_sweep({**sweep_of(), "axes": axes}))
    assert trained[0] == []
    # Each makes one by itself, and both together leave nothing of an image.
    padding = {"label": "valid", "set": {"network": {"padding": "valid"}}}
    pool = {"label": "3", "set": {"network": {"pool_size": 3}}}
    axes = [{"name": "padding", "values": [padding]}, {"name": "pool", "values": [pool]}]
    two = {"mode": "search", "axes": axes, "search": {"trials": 4, "finalists": 1}}
    same = {"network": {"padding": "same"}}
    made = search(data, tmp_path / "points", parse_sweep(two), overrides=same)
    assert {item.id for item in gather_trials([made])} == {"base", "padding=valid", "pool=3"}


def test_more_workers_than_trials_leave_one_with_nothing(tmp_path, data, trained) -> None:
    few = parse_sweep(sweep_of(trials=3))
    workers = [tmp_path / f"w{place}" for place in range(4)]
    made = [search(data, path, few, place, 4) for place, path in enumerate(workers)]
    assert gather_trials(made[3:]) == []
    choose.run(data, workers, tmp_path / "base", tmp_path / "chosen")
    with pytest.raises(InputError, match="Seeds must be distinct"):
        search(data, tmp_path / "again", seeds=())


def test_the_network_that_trains_can_be_cut_short_and_taken_up(tmp_path, data) -> None:
    """A real training, ended by who watches, goes on from its checkpoint to the same bits."""
    settings = {"epochs": 3, "batch_size": 16, "network": {"filters": [4, 4, 4]}}
    axes = [{"name": "x", "values": [{"label": "a", "set": {"batch_size": 8}}]}]
    trial = deal(parse_sweep({"axes": axes}), "baseline", settings, 0, 2)[0]
    inputs = {"dataset": read(data, "dataset")}
    job = train_points.Job(tmp_path, tmp_path / "out", inputs, trial, (0,))
    seen = []

    def watch(row):
        seen.append(row["epoch"])
        if len(seen) == 2:
            raise KeyboardInterrupt

    def train(name, keeper, watch):
        (tmp_path / name).mkdir()
        job.cell().train(
            tmp_path / name, seed=0, progress=lambda *_: None, keeper=keeper, watch=watch
        )
        return (tmp_path / name / "history.csv").read_text()

    whole = train("whole", Keeper(tmp_path / "other", {"a": 1}), None)
    keeper = Keeper(tmp_path / "kept", {"a": 2})
    with pytest.raises(KeyboardInterrupt):
        train("part", keeper, watch)
    keeper.write()
    assert seen == [1, 2]
    assert train("rest", Keeper(tmp_path / "kept", {"a": 2}), watch) == whole
    assert seen == [1, 2, 1, 2, 3]
    models = [(tmp_path / name / "model.keras").read_bytes() for name in ("whole", "rest")]
    assert models[0] == models[1]
