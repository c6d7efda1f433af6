"""The steps of a study with folds: each fold is learnt without what it is tested on."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augstudy.core import artifacts, cache, telemetry
from augstudy.core.errors import InputError
from augstudy.core.telemetry import Stage
from augstudy.data import sets
from augstudy.data.dataset import load_split
from augstudy.data.parts import Layout, Part
from augstudy.local.events import Follower, RunState
from augstudy.results.material import read_arm
from augstudy.settings.data import DataSettings
from augstudy.steps import adapters, cells, evaluate, ingest
from augstudy.steps.parts import places
from augstudy.training import classifier

FOLDS, SEEDS = 3, [4, 2]
CLASSES = ("cow", "zebra")
CNN = {"epochs": 1, "batch_size": 16, "early_stopping": None, "reduce_on_plateau": None}
RECIPE = {"classifier_recipe": "baseline", "classifier_settings": CNN}
ARMS = [{"arm": "real"}, {"arm": "add_filtered", "share": 0.5}, {"arm": "extra_real", "share": 0.5}]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    wanted = {"classes": CLASSES, "test_per_class": 16, "val_per_class": 8, "level": 12}
    path = tmp_path_factory.mktemp("folds") / "whole"
    return ingest.run(path, DataSettings(**wanted, folds=FOLDS)).path


@pytest.fixture(scope="module")
def sealed(whole, tmp_path_factory):
    """The same dataset; the test images of every fold are no images, and no labels."""
    path = tmp_path_factory.mktemp("sealed") / "sealed"
    original = artifacts.read(whole)
    with artifacts.publish(path, "dataset", config=original.manifest.config) as draft:
        seal(whole, draft)
        for number in range(1, FOLDS):
            own = artifacts.read(place_of_fold(whole, number)).manifest.config
            with artifacts.publish(draft / f"fold-{number}", "dataset", config=own) as inner:
                seal(place_of_fold(whole, number), inner)
    return path


def place_of_fold(dataset: Path, number: int) -> Path:
    return Layout(folds=FOLDS).place(dataset, Part(fold=number))


def seal(source: Path, target: Path) -> None:
    for item in source.iterdir():
        if item.is_file() and item.name != artifacts.MANIFEST:
            shutil.copyfile(item, target / item.name)
    for part in ("images", "labels", "rows"):
        (target / f"test_{part}.npy").write_bytes(b"secret")


@pytest.fixture(scope="module")
def brought(whole, tmp_path_factory):
    """A folder of synthetic images; the first of each class is a test image of the last fold."""
    folder = tmp_path_factory.mktemp("brought")
    test = load_split(artifacts.read(place_of_fold(whole, FOLDS - 1)), "test")
    random = np.random.default_rng(0)
    for label, name in enumerate(CLASSES):
        (folder / name).mkdir()
        images = random.integers(0, 256, (20, 28, 28), np.uint8)
        images[0] = test.images[test.labels == label][0]
        for number, image in enumerate(images):
            Image.fromarray(image).save(folder / name / f"{number:02d}.png")
    return folder.as_uri()


@pytest.fixture(scope="module")
def made(sealed, brought, tmp_path_factory):
    """A study's judge, sets and classifiers, none of which could read a test image."""
    at = tmp_path_factory.mktemp("made")
    study = {"arms": ARMS, "sets": [{"set": "sd", "source": brought}], "gan_recipe": "compact"}
    judging = {"classifier": "baseline", "steps": 2, "cas_steps": 0}
    dataset = {"dataset": sealed}
    adapters.train_judge(dataset | study | {"judge": at / "judge", "judge_settings": judging})
    judged = dataset | study | {"judge": at / "judge"}
    adapters.import_synthetic(judged | {"imported": at / "imported", "copies": "drop"})
    none = {"gan": at / "gan", "gan_settings": {}, "gan_seed": 0, "on_gan_failure": "stop"}
    adapters.train_gan(judged | none)
    more = {"synthetic": at / "synthetic", "synthetic_per_class": 0, "copies": "drop"}
    adapters.synthesize(judged | none | more)
    places = {name: at / name for name in ("gan", "synthetic", "imported", "gathered")}
    filtering = {"curation_settings": {}, "gan_seed": 0, **RECIPE}
    adapters.curate(dataset | study | places | filtering)
    for arm in ARMS:
        train(sealed, at / arm["arm"], arm, gathered=at / "gathered")
    return at


def train(dataset, out, arm, seeds=SEEDS, **more):
    handed = {"dataset": dataset, "classifier": out, "arm": arm, "seeds": seeds, **RECIPE}
    cells.train_cnn(handed | more)


def of_folds(path: Path, kind: str) -> list[artifacts.Artifact]:
    return [artifacts.read(path / f"fold-{number}", kind) for number in range(FOLDS)]


def test_everything_is_made_per_fold_without_its_test_images(made, sealed):
    datasets = [artifacts.read(place_of_fold(sealed, at)).content_hash for at in range(FOLDS)]
    for kind in ("judge", *(arm["arm"] for arm in ARMS)):
        parts = of_folds(made / kind, "judge" if kind == "judge" else "classifier")
        assert [part.manifest.inputs["dataset"] for part in parts] == datasets
    for number in range(FOLDS):
        folder = made / "gathered" / f"fold-{number}"
        found = artifacts.read(sets.place(folder, "sd", sets.FILTER), "curation")
        assert found.manifest.inputs["dataset"] == datasets[number]
        copies = artifacts.read(sets.place(folder, "sd", sets.IMAGES)).json("copies.json")
        assert copies["found"]["test"] == (2 if number == FOLDS - 1 else 0)
        assert adapters.given(made / "gan" / f"fold-{number}") is None


@pytest.fixture(scope="module")
def evaluated(whole, tmp_path_factory):
    """The cell of `real`, evaluated and explained."""
    at = tmp_path_factory.mktemp("cell")
    train(whole, at / "classifier", ARMS[0])
    places = {name: at / name for name in ("classifier", "evaluation", "maps")}
    cells.evaluate({"dataset": whole, **places, "explain": True})
    return at


def test_each_image_is_tested_by_the_classifiers_of_its_fold(whole, evaluated):
    found = read_arm(evaluated / "evaluation")
    assert found.correct.shape == (2, FOLDS * 32) and found.seeds == SEEDS
    assert found.fold.tolist() == sorted([0, 1, 2] * 32)
    parts = of_folds(evaluated / "classifier", "classifier")
    with np.load(evaluated / "evaluation" / "predictions.npz") as stored:
        predicted, labels, rows = (stored[name] for name in ("probabilities", "labels", "rows"))
    for number in range(FOLDS):
        dataset, own = artifacts.read(place_of_fold(whole, number)), found.fold == number
        test = load_split(dataset, "test")
        np.testing.assert_array_equal(labels[own], test.labels)
        np.testing.assert_array_equal(rows[own], test.rows)
        alone = evaluate.run(
            republished(whole, number), parts[number].path, evaluated / f"alone-{number}"
        )
        with np.load(alone.file("predictions.npz")) as stored:
            np.testing.assert_array_equal(predicted[:, own], stored["probabilities"])
    assert [(item["seed"], item["fold"]) for item in found.training] == [
        (seed, number) for number in range(FOLDS) for seed in SEEDS
    ]
    assert found.history.groupby(["seed", "fold"]).ngroups == 2 * FOLDS


def republished(whole: Path, number: int) -> Path:
    """A fold as a dataset that has no folds."""
    path = whole.with_name(f"alone-{number}")
    place = place_of_fold(whole, number)
    with artifacts.publish(path, "dataset", config={}) as draft:
        for item in place.iterdir():
            if item.is_file() and item.name != artifacts.MANIFEST:
                shutil.copyfile(item, draft / item.name)
    return path


def test_heat_maps_are_of_the_classifier_that_has_not_seen_the_image(evaluated):
    maps = artifacts.read(evaluated / "maps", "cam")
    with np.load(maps.file("maps.npz")) as stored:
        assert len(stored["heat"]) == len(stored["fold"]) > 0
        assert len(np.unique(stored["fold"])) > 1


def test_a_classifier_of_one_fold_is_not_evaluated_on_all(whole, evaluated, tmp_path):
    with pytest.raises(InputError, match=r"has 3 parts .*, but .* is of 1: give what"):
        evaluate.run(whole, evaluated / "classifier" / "fold-1", tmp_path / "out")
    parts = [evaluated / "classifier" / f"fold-{number}" for number in (0, 2, 1)]
    with pytest.raises(InputError, match=r"fold-2 was not trained on fold-1"):
        evaluate.run(whole, parts, tmp_path / "out")


def test_an_arm_that_lacks_images_in_a_fold_is_left_out_of_all(made, sealed, tmp_path):
    short = {"arm": "add", "share": 5, "optional": True}
    train(sealed, tmp_path / "out", short, gathered=made / "gathered")
    assert "needs 60 synthetic images per class" in adapters.why_skipped(tmp_path / "out")
    assert adapters.arm_label(tmp_path / "out") == "add:5"
    at = {"dataset": sealed, "classifier": tmp_path / "out"}
    assert [place["classifier"] for place in places(at)] == [tmp_path / "out"] * FOLDS


def test_a_killed_step_goes_on_with_the_fold_at_which_it_was(whole, tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    whole_train, trained = classifier.Trainer.train, []

    def counted(self, *arguments, **more):
        if len(trained) == 3:  # of the second fold, the second seed
            raise SystemExit(143)
        trained.append(more["seed"])
        return whole_train(self, *arguments, **more)

    monkeypatch.setattr(classifier.Trainer, "train", counted)
    with pytest.raises(SystemExit):
        train(whole, tmp_path / "lost", ARMS[0])
    assert trained == [4, 2, 4]
    again = trained.copy()
    monkeypatch.setattr(
        classifier.Trainer,
        "train",
        lambda self, *a, **more: again.append(more["seed"]) or whole_train(self, *a, **more),
    )
    train(whole, tmp_path / "out", ARMS[0])
    assert again == [4, 2, 4, *[2, 4, 2]]
    assert len(of_folds(tmp_path / "out", "classifier")) == FOLDS


def test_the_progress_of_a_step_counts_all_folds(tmp_path, monkeypatch):
    path, state = tmp_path / "events", RunState()
    monkeypatch.setenv(telemetry.EVENTS_VARIABLE, str(path))
    Stage("train_cnn", "real").event("launch")
    follower = Follower(path)
    for number in range(2):
        with telemetry.part(number, 2, "fold"), telemetry.stage("train_cnn", "real") as stage:
            stage.progress(3, 4, "seed 1")
        follower.update(state)
        (step,) = state.steps
        assert (step.done, step.total) == (4 * number + 3, 8)
        assert step.text == f"fold {number + 1} of 2  seed 1"
        assert step.running == (number == 0)
    events = [json.loads(line) for line in path.read_text().splitlines()]
    first, *_, last = [event["startup_s"] for event in events if "startup_s" in event]
    assert step.startup_s == first <= last <= step.startup_s + step.work_s
