import csv
import json

import gan_toy
import numpy as np
import pytest

from augstudy.core import artifacts
from augstudy.core.errors import InputError
from augstudy.data.dataset import SPLITS, Split, save_split
from augstudy.models.backend import keras
from augstudy.settings.judging import JudgeSettings
from augstudy.steps import train_judge
from augstudy.training import judge
from augstudy.training.saving import load_model

SETTINGS = JudgeSettings(classifier="baseline", steps=6, cas_steps=0)


def build(folder, blank=""):
    images, labels = gan_toy.bars()
    with artifacts.publish(folder, "dataset") as draft:
        for index, name in enumerate(SPLITS):
            chosen = slice(index, None, 4)
            shown = images[chosen] * (name != blank)
            save_split(draft, name, Split(shown, labels[chosen], np.arange(12)))
        (draft / "classes.json").write_text(json.dumps(["left", "right"]))
    return folder


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return build(tmp_path_factory.mktemp("judge") / "dataset")


@pytest.fixture(scope="module")
def trained(dataset):
    return train_judge.run(dataset, dataset.with_name("judge"), SETTINGS)


@pytest.fixture(scope="module")
def eyes(trained):
    return judge.load(trained)


def test_it_learns_from_the_whole_training_pool_and_never_from_test(trained, tmp_path):
    described = trained.json("judge.json")
    assert described["training_images"] == 24  # train and extra
    assert described["val_accuracy"] >= 0.9
    other = train_judge.run(build(tmp_path / "d", blank="test"), tmp_path / "j", SETTINGS)
    assert other.manifest.files == trained.manifest.files
    other = train_judge.run(build(tmp_path / "d2", blank="extra"), tmp_path / "j2", SETTINGS)
    assert other.manifest.files["model.keras"] != trained.manifest.files["model.keras"]


def test_features_are_the_penultimate_activations_standardised(trained, eyes):
    images, _ = gan_toy.bars()
    pool = np.concatenate([images[0::4], images[1::4]])
    model = load_model(trained.file("model.keras"))
    inner = keras.Model(model.inputs[0], model.layers[-2].input)
    plain = keras.ops.convert_to_numpy(inner(pool[..., None])).astype(np.float64)
    spread = plain.std(axis=0)
    expected = (plain - plain.mean(axis=0)) / np.maximum(spread, 0.01 * spread.max())
    found = eyes.features(pool)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, atol=1e-4)
    lively = spread > 0.01 * spread.max()
    assert lively.sum() > 50
    np.testing.assert_allclose(found[:, lively].std(axis=0), 1, atol=1e-4)


def test_what_it_sees_in_an_image_does_not_depend_on_its_neighbours(eyes):
    images, _ = gan_toy.bars()
    many = np.concatenate([images] * 7)  # more than one batch
    assert (eyes.features(many)[:48] == eyes.features(images)).all()
    assert (eyes.features(many)[300:303] == eyes.features(many[300:303])).all()


def test_probabilities_tell_the_classes_apart_and_blank_paper_is_neither(eyes):
    images, labels = gan_toy.bars()
    seen = eyes.probabilities(images)
    assert seen.dtype == np.float32
    np.testing.assert_allclose(seen.sum(axis=1), 1, rtol=1e-5)
    assert (seen.argmax(axis=1) == labels).mean() >= 0.9
    wrong = eyes.probabilities(images[:, :, ::-1]).argmax(axis=1)  # left bars become right ones
    assert (wrong == labels).mean() <= 0.1


def test_equal_inputs_give_equal_bytes_and_nothing_is_done_twice(dataset, trained, monkeypatch):
    again = train_judge.run(dataset, dataset.with_name("again"), SETTINGS)
    assert again.manifest.files == trained.manifest.files
    with trained.file("history.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 6
    monkeypatch.setattr(train_judge.classifier, "train", None)
    assert train_judge.run(dataset, trained.path, SETTINGS).content_hash == trained.content_hash


def test_an_unknown_recipe_is_refused(dataset, tmp_path):
    settings = JudgeSettings(classifier="inception")
    with pytest.raises(InputError, match="no classifier 'inception'"):
        train_judge.run(dataset, tmp_path / "none", settings)


@pytest.mark.parametrize(
    ("steps", "images", "epochs"), [(1000, 660, 91), (1000, 39600, 2), (1, 99, 1)]
)
def test_steps_become_epochs(steps, images, epochs):
    chosen = judge.recipe(JudgeSettings(), steps, images)
    assert chosen.epochs == epochs
    assert chosen.precision == "float32"
