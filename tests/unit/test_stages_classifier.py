"""train_cnn, evaluate and cam, one after the other on a few real drawings."""

import json

import numpy as np
import pandas as pd
import pytest
from builders import build_dataset
from generated import build_synthetic

from augstudy.core import artifacts
from augstudy.core.errors import InputError
from augstudy.data.dataset import load_split
from augstudy.metrics.label_noise import find_label_noise
from augstudy.models.backend import keras
from augstudy.settings.arms import Arm
from augstudy.settings.augmentation import Augmentation
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.spec import DRAWING
from augstudy.steps import cam, evaluate, train_cnn
from augstudy.training.predicting import predict_as
from augstudy.training.saving import load_model, save_model

CLASSES = ("camel", "giraffe", "zebra")
SETTINGS = ClassifierSettings(architecture="baseline", epochs=2, batch_size=16)
REPLACE = Arm(arm="replace", share=0.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("cell")
    dataset = build_dataset(path / "dataset", classes=CLASSES, train=16, val=8, test=12)
    build_synthetic(path / "synthetic", dataset, per_class=8)
    train(path, path / "classifier")
    evaluate.run(path / "dataset", path / "classifier", path / "evaluation")
    cam.run(path / "classifier", path / "evaluation", path / "cam")
    return path


def train(path, out, arm=REPLACE, seeds=(3, 1)):
    synthetic = path / "synthetic" if arm.share else None
    return train_cnn.run(path / "dataset", out, arm, seeds, SETTINGS, synthetic=synthetic)


def test_a_classifier_a_seed_in_the_order_asked_for(folder):
    classifier = artifacts.read(folder / "classifier", "classifier")
    training = classifier.json("training.json")
    assert [record["seed"] for record in training] == [3, 1]
    assert training[0]["parameters"] == 160_259  # the baseline with 3 classes
    assert [record["images"] for record in training] == [48, 48]
    described = {"arm": "replace", "share": 0.5, "name": None, "augmentation": None}
    assert classifier.json("arm.json") == described | {"label": "replace:0.5"}
    table = classifier.file("seed-3/architecture.txt").read_text()
    assert "Total params: 160,259" in table
    assert any(line.startswith("│ conv2d ") and " 320 │" in line for line in table.splitlines())


@pytest.mark.parametrize("columns", ["40", "500"])
def test_the_same_inputs_and_seeds_give_the_same_hashes(folder, tmp_path, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)  # the width of the terminal is no input
    again = train(folder, tmp_path / "again")
    first = artifacts.read(folder / "classifier", "classifier")
    assert again.manifest.files == first.manifest.files


def test_a_second_run_does_nothing(folder):
    manifest = folder / "classifier" / artifacts.MANIFEST
    written = manifest.stat().st_mtime_ns
    train(folder, folder / "classifier")
    assert manifest.stat().st_mtime_ns == written


def test_other_settings_are_trained_anew(folder, tmp_path):
    first = train(folder, tmp_path / "out", arm=Arm(arm="real"), seeds=[1])
    second = train(folder, tmp_path / "out", arm=Arm(arm="classic"), seeds=[1])
    assert first.content_hash != second.content_hash


def test_the_evaluation_predicts_every_test_image_for_every_seed(folder):
    evaluation = artifacts.read(folder / "evaluation", "evaluation")
    with np.load(evaluation.file("predictions.npz"), allow_pickle=False) as stored:
        assert stored["probabilities"].shape == (2, 36, 3)
        assert stored["seeds"].tolist() == [3, 1]
        accuracy = (stored["probabilities"].argmax(2) == stored["labels"]).mean(axis=1)
    metrics = evaluation.json("metrics.json")
    assert metrics["metrics"]["accuracy"]["by_seed"] == pytest.approx(accuracy)
    history = pd.read_csv(evaluation.file("history.csv"))
    assert history.groupby("seed")["epoch"].max().to_dict() == {1: 2, 3: 2}


@pytest.mark.parametrize(
    "arm", [Arm(arm="real"), Arm(arm="classic"), Arm(arm="real", name="plain", augmentation={})]
)
def test_test_images_are_looked_at_as_validation_images_are(folder, tmp_path, arm):
    """With the arm's own augmentation, which need not be that of the recipe."""
    moved = {"shift": 0.2, "rotation": 30}
    settings = SETTINGS.model_copy(update={"views": 3, "augmentation": Augmentation(**moved)})
    trained = train_cnn.run(folder / "dataset", tmp_path / "classifier", arm, [0], settings)
    evaluated = evaluate.run(folder / "dataset", tmp_path / "classifier", tmp_path / "out")
    with np.load(evaluated.file("predictions.npz"), allow_pickle=False) as stored:
        found = stored["probabilities"][0]
    own = settings.model_copy(update={"augmentation": arm.augmentation_in(settings)})
    model = load_model(trained.file("seed-0/model.keras"))
    test = load_split(artifacts.read(folder / "dataset", "dataset"), "test")
    np.testing.assert_array_equal(found, predict_as(own, model, test.images, DRAWING))


def test_the_cam_shows_right_and_wrong_predictions_of_each_class(folder):
    with np.load(folder / "cam" / "maps.npz", allow_pickle=False) as maps:
        right = maps["labels"] == maps["predicted"]
        assert maps["heat"].shape == maps["images"].shape
        assert maps["heat"].min() >= 0 and maps["heat"].max() <= 1
    with np.load(folder / "evaluation" / "predictions.npz", allow_pickle=False) as stored:
        labels, predicted = stored["labels"], stored["probabilities"][0].argmax(1)
    shown = np.load(folder / "cam" / "maps.npz", allow_pickle=False)["labels"]
    for label in range(3):
        of_class, hit = labels == label, predicted == label
        for taken, rows in ((right, of_class & hit), (~right, of_class & ~hit)):
            assert ((shown == label) & taken).sum() == min(rows.sum(), evaluate.EXAMPLES_PER_CLASS)


def test_neither_training_nor_cam_needs_the_test_images(folder, tmp_path, monkeypatch):
    real = np.load
    opened = []
    monkeypatch.setattr(np, "load", lambda file, **k: opened.append(str(file)) or real(file, **k))
    train(folder, tmp_path / "out", seeds=[1])
    cam.run(folder / "classifier", folder / "evaluation", tmp_path / "cam")
    assert opened and not [name for name in opened if "/test_" in name]


def test_an_arm_with_more_images_trains_for_as_many_steps(folder, tmp_path):
    settings = SETTINGS.model_copy(update={"epochs": 3, "batch_size": 8})
    steps = {}
    for arm in (Arm(arm="real"), Arm(arm="add", share=0.5)):
        trained = train_cnn.run(
            folder / "dataset", tmp_path / arm.label, arm, [0], settings, folder / "synthetic"
        ).json("training.json")[0]
        steps[arm.label] = trained["steps"]
    assert steps == {"real": 18, "add:0.5": 18}  # 3 epochs of 48 images, 2 of 72


@pytest.mark.parametrize(
    ("budget", "steps"),
    [
        ("steps", {"real": 36, "add:0.5": 36, "same_steps:0.5": 54}),
        ("epochs", {"real": 36, "add:0.5": 54, "same_steps:0.5": 54}),
    ],
)
def test_budgets(budget, steps):
    """48 real drawings in batches of 8 for 6 epochs; ``add`` has half as many again."""
    settings = SETTINGS.model_copy(update={"epochs": 6, "batch_size": 8, "budget": budget})
    arms = {
        Arm(arm="real"): 48,
        Arm(arm="add", share=0.5): 72,
        Arm(arm="same_steps", share=0.5): 48,
    }
    found = {
        arm.label: train_cnn.with_budget(settings, arm, 48, images).epochs * images // 8
        for arm, images in arms.items()
    }
    assert found == steps


@pytest.mark.parametrize("logits", [3, 6])
def test_a_discriminator_is_judged_by_its_class_head(logits):
    """Six logits are three classes, each once as real and once as generated."""
    images = np.zeros((4, 28, 28), np.uint8)
    images[2:] = 255
    pixels = keras.Input((28, 28, 1))
    ink = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(pixels))
    source = keras.layers.Dense(1)(ink)
    head = keras.layers.Dense(logits, use_bias=False)
    discriminator = keras.Model(pixels, [source, head(ink)])
    weights = np.zeros((1, logits), np.float32)
    weights[0, logits - 2] = 3.0
    head.set_weights([weights])
    found = evaluate.class_probabilities(discriminator, images, 3)
    assert found.sum(axis=1) == pytest.approx(np.ones(4))
    assert found[:2] == pytest.approx(np.full((2, 3), 1 / 3), abs=1e-6)
    assert (found[2:].argmax(axis=1) == 1).all()
    assert evaluate.class_probabilities(keras.Model(pixels, source), images, 3) is None


def test_the_discriminator_is_evaluated_beside_a_cell(folder, tmp_path):
    pixels = keras.Input((28, 28, 1))
    flat = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(pixels))
    network = keras.Model(pixels, [keras.layers.Dense(1)(flat), keras.layers.Dense(3)(flat)])
    inputs = (folder / "dataset", folder / "classifier")
    lost = keras.models.clone_model(network)
    lost.set_weights([np.full_like(weights, np.nan) for weights in lost.get_weights()])
    for name, discriminator in (("gan", network), ("failed", lost), ("diffusion", None)):
        with artifacts.publish(tmp_path / name, "gan", seed=4) as draft:
            if discriminator:
                save_model(discriminator, draft / "discriminator.keras")
            (draft / "classes.json").write_text(json.dumps(CLASSES))
    made = evaluate.run(*inputs, tmp_path / "with", gans={"compact": tmp_path / "gan"})
    metrics = made.json("discriminator-compact.json")
    assert metrics["n"] == 36 and metrics["seeds"] == [4]
    assert 0 <= metrics["metrics"]["precision_macro"]["value"] <= 1
    for name in ("failed", "diffusion"):
        without = evaluate.run(
            *inputs, tmp_path / f"without-{name}", gans={"compact": tmp_path / name}
        )
        assert "discriminator-compact.json" not in without.manifest.files
        assert without.manifest.files["metrics.json"] == made.manifest.files["metrics.json"]


def test_doubtful_labels_are_those_of_the_mean_prediction(folder):
    evaluation = artifacts.read(folder / "evaluation", "evaluation")
    with np.load(evaluation.file("predictions.npz"), allow_pickle=False) as stored:
        found = find_label_noise(stored["probabilities"].mean(axis=0), stored["labels"])
    with np.load(evaluation.file("label_noise.npz"), allow_pickle=False) as stored:
        assert (stored["suspicious"] == found.suspicious).all()
        shown = found.ranked()[: evaluate.SUSPECTS]
        test = np.load(folder / "dataset" / "test_images.npy")
        assert (stored["images"] == test[shown]).all()
        assert (stored["labels"] != stored["suggested"]).all()


def test_seeds_must_be_distinct(folder, tmp_path):
    for seeds in ([], [1, 1]):
        with pytest.raises(InputError, match="distinct"):
            train(folder, tmp_path / "out", seeds=seeds)


def test_other_classes_are_refused(folder, tmp_path):
    build_dataset(tmp_path / "dataset", classes=("camel", "zebra", "lion"))
    with pytest.raises(InputError, match="other classes"):
        evaluate.run(tmp_path / "dataset", folder / "classifier", tmp_path / "out")
    with pytest.raises(InputError, match="other classes"):
        train_cnn.run(
            tmp_path / "dataset", tmp_path / "o", REPLACE, [0], SETTINGS, folder / "synthetic"
        )


def test_arm_json_is_valid_json(folder):
    assert json.loads((folder / "cam" / "arm.json").read_text())["label"] == "replace:0.5"
