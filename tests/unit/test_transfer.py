"""Classifiers that start from a trained network: one of ours, or one of keras.applications."""

import numpy as np
import pytest
import sizes_toy

from augstudy.core.errors import DataError, InputError, ServiceError
from augstudy.explain.gradcam import heat_maps
from augstudy.models.backend import keras
from augstudy.models.recipes import classifier_recipe
from augstudy.settings.arms import Arm
from augstudy.settings.classifier import Backbone
from augstudy.settings.spec import DRAWING, ImageSpec
from augstudy.steps import train_cnn
from augstudy.training import classifier, transfer
from augstudy.training.predicting import predict, predict_as
from augstudy.training.saving import load_model, save_model

COLOUR = ImageSpec(32, 32, 3)
FEW = {"batch_size": 8, "precision": "float32", "views": 1, "keep": "last"}


def fit(spec, backbone=None, *, epochs=30, count=4):
    settings = classifier_recipe("modern_small", {**FEW, "epochs": epochs, "backbone": backbone})
    training, validation = sizes_toy.bars(spec, count, 1), sizes_toy.bars(spec, 16, 2)
    trained = classifier.train(settings, training, validation, spec, classes=2, seed=0)
    images, labels = sizes_toy.bars(spec, 200, 3)
    found = predict_as(settings, trained.model, images, spec).argmax(axis=1)
    return trained.model, float(np.mean(found == labels))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A classifier that has learnt from many images."""
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    model, accuracy = fit(COLOUR, epochs=16, count=64)
    assert accuracy > 0.9
    save_model(model, path)
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of weights of a network of keras.applications, which are random."""
    path = tmp_path_factory.mktemp("weights") / "notop.weights.h5"
    keras.utils.set_random_seed(1)
    keras.applications.MobileNet(
        include_top=False, weights=None, input_shape=(32, 32, 3)
    ).save_weights(path)
    return path


def values(model):
    return {item.path: keras.ops.convert_to_numpy(item) for item in model.weights}


def test_frozen_features_of_ours_beat_a_start_from_nothing(saved):
    _, scratch = fit(COLOUR)
    model, transferred = fit(COLOUR, f"file://{saved}")
    assert transferred > 0.9 > scratch + 0.1
    before, after = values(load_model(saved)), values(model)
    kept = [path for path in after if path in before]
    assert len(kept) > 10
    for path in kept:
        np.testing.assert_array_equal(after[path], before[path])


def test_fine_tuning_moves_what_was_learnt(saved):
    model, _ = fit(COLOUR, {"network": str(saved), "fine_tune": True}, epochs=4)
    before, after = values(load_model(saved)), values(model)
    assert any((after[path] != before[path]).any() for path in after if path in before)


def test_images_are_resized_and_coloured_inside_the_network(saved, tmp_path):
    images, _ = sizes_toy.bars(DRAWING, 6, 4)
    model = transfer.build(Backbone(network=str(saved)), 3, DRAWING)
    assert model.input_shape == (None, *DRAWING.shape)
    seen = predict(model, images)
    assert seen.shape == (6, 3) and seen.std(axis=0).min() > 0
    # It is a model like any other: saved, loaded, explained, and transferred again.
    save_model(model, tmp_path / "again.keras")
    np.testing.assert_allclose(
        predict(load_model(tmp_path / "again.keras"), images), seen, atol=1e-6
    )
    heat = heat_maps(load_model(tmp_path / "again.keras"), images, np.zeros(6, np.int32))
    assert heat.shape == images.shape and heat.max() > 0
    twice = transfer.build(Backbone(network=str(tmp_path / "again.keras")), 2, COLOUR)
    assert twice.input_shape == (None, *COLOUR.shape)


def test_a_network_of_keras_applications_takes_weights_from_a_file(weights, tmp_path):
    backbone = Backbone(network="MobileNet", weights=str(weights), size=32)
    keras.utils.set_random_seed(2)  # the start of what is random would be another
    model = transfer.build(backbone, 2, DRAWING)
    known = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3))
    known.load_weights(weights)
    images, _ = sizes_toy.bars(DRAWING, 4, 1)
    colour = np.repeat(images[..., None], 3, axis=-1).astype("float32")
    resized = keras.ops.image.resize(colour, (32, 32), antialias=True) / 127.5 - 1
    pooled = keras.ops.convert_to_numpy(known(resized, training=False)).mean(axis=(1, 2))
    features = keras.Sequential([keras.Input(DRAWING.shape), *model.layers[:2]])
    found = keras.ops.convert_to_numpy(features(images[..., None]))
    np.testing.assert_allclose(found, pooled, rtol=1e-3, atol=1e-5)
    save_model(model, tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(predict(again, images), predict(model, images), atol=1e-6)
    assert heat_maps(again, images, np.zeros(4, np.int32)).shape == images.shape


def test_its_layers_are_trained_if_they_shall_be(weights):
    backbone = {"network": "MobileNet", "weights": str(weights), "size": 32}
    counts = [
        len(transfer.build(Backbone(**backbone, fine_tune=tuned), 2, COLOUR).trainable_weights)
        for tuned in (False, True)
    ]
    assert counts[0] == 2 and counts[1] > 50
    model, _ = fit(COLOUR, backbone, epochs=3)
    inner = model.layers[0].get_layer("mobilenet_1.00_32")
    known = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3))
    known.load_weights(weights)
    for left, right in zip(inner.get_weights(), known.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_what_cannot_be_a_backbone_is_a_sentence(saved, weights, tmp_path, monkeypatch):
    def refused(error, said, **backbone):
        with pytest.raises(error, match=said):
            transfer.build(Backbone(**backbone), 2, COLOUR)

    refused(InputError, "no network 'MobileNetV9'", network="MobileNetV9")
    refused(InputError, "no network 'mobilenet'", network="mobilenet")
    refused(InputError, "none.keras", network=str(tmp_path / "none.keras"))
    (tmp_path / "text.keras").write_text("no model")
    refused(DataError, "is not a model", network=str(tmp_path / "text.keras"))
    functional = keras.Model(*[keras.Input((4,))] * 2)
    save_model(functional, tmp_path / "functional.keras")
    refused(DataError, "no classifier that a study", network=str(tmp_path / "functional.keras"))
    wrong = {"network": "VGG16", "weights": str(weights), "size": 32}
    refused(DataError, "holds no weights of VGG16", **wrong)

    def offline(*_, **__):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.utils, "get_file", offline)
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", offline)
    refused(ServiceError, "give them as a file", network="MobileNet")


@pytest.mark.parametrize(
    ("backbone", "said"),
    [
        ("model.keras", "absolute path"),
        ("two words", "must be a .keras file or a network"),
        ({"network": "VGG16", "weights": "/w.npz"}, "imagenet or a .h5"),
        ({"network": "/m.keras", "weights": "/w.h5"}, "not for a .keras file"),
        ({"network": "VGG16", "size": 16}, "size"),
    ],
)
def test_settings_that_make_no_sense_are_refused(backbone, said):
    with pytest.raises(InputError, match=said):
        classifier_recipe("modern", {"backbone": backbone})


def test_layers_are_not_both_replaced_and_changed():
    with pytest.raises(InputError, match="leave out one"):
        classifier_recipe("baseline", {"backbone": "VGG16", "network": {"dropout": 0.1}})


def test_keys_depend_on_the_content_of_the_file(tmp_path):
    path = tmp_path / "model.keras"

    def key():
        settings = classifier_recipe("modern", {"backbone": str(path)})
        return train_cnn.configuration(Arm(arm="real"), [0], settings)

    path.write_bytes(b"one")
    first = key()
    path.write_bytes(b"two")
    assert key() != first
    path.write_bytes(b"one")
    assert key() == first
    plain = train_cnn.configuration(Arm(arm="real"), [0], classifier_recipe("modern"))
    assert "backbone" not in plain
