"""The fused kernel of batch normalisation computes what Keras's layer describes."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from augstudy.models import classifiers
from augstudy.models.backend import keras, prepare
from augstudy.models.normalisation import fused
from augstudy.settings.spec import DRAWING
from augstudy.training.saving import load_model, save_model

_PLAIN = """
import sys
import keras, numpy
model = keras.saving.load_model(sys.argv[1], safe_mode=True)
assert "augstudy" not in sys.modules
print(model(numpy.full((1, 28, 28, 1), 100.0, "float32")).numpy().argmax())
"""


def images(count: int = 12) -> np.ndarray:
    return np.random.default_rng(1).normal(3, 2, (count, 6, 5, 4)).astype(np.float32)


def layers(momentum: float = 0.9) -> list[keras.Model]:
    """The same layer twice, once as Keras computes it, with weights that are not the first ones."""
    made = []
    for _ in range(2):
        layer = keras.layers.BatchNormalization(momentum=momentum)
        model = keras.Sequential([keras.Input((6, 5, 4)), layer])
        layer.set_weights([np.linspace(low, 2, 4) for low in (0.5, -1, 1, 0.3)])
        made.append(model)
    fused(made[1])
    return made


def learnt(model: keras.Model, precision: str = "float32") -> list[np.ndarray]:
    """Outputs, gradients and weights after three steps."""
    tf = pytest.importorskip("tensorflow")
    found = []
    for step in range(3):
        pixels = tf.cast(tf.Variable(images() * (step + 1)), precision)
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            outputs = model(pixels, training=True)
            loss = tf.reduce_sum(tf.cast(outputs, "float32") ** 3)
        parts = tape.gradient(loss, [pixels, *model.trainable_variables])
        found += [np.asarray(tf.cast(part, "float32")) for part in (outputs, *parts)]
    return [*found, *model.get_weights()]


def test_outputs_gradients_and_moving_statistics_are_those_of_keras() -> None:
    plain, quick = map(learnt, layers())
    for one, other in zip(plain, quick, strict=True):
        np.testing.assert_allclose(other, one, rtol=2e-4, atol=2e-3)


def test_what_was_learnt_is_used_when_nothing_is() -> None:
    plain, quick = layers()
    np.testing.assert_allclose(quick(images()), plain(images()), rtol=1e-5, atol=1e-5)
    for model in (plain, quick):
        model.trainable = False
    frozen = quick(images(), training=True)
    np.testing.assert_allclose(frozen, plain(images(), training=True), rtol=1e-5, atol=1e-5)
    for one, other in zip(plain.get_weights(), quick.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_an_image_becomes_does_not_depend_on_the_images_beside_it() -> None:
    model = layers()[1]
    np.testing.assert_array_equal(model(images())[:5], model(images()[:5]))


def test_a_saved_classifier_is_read_by_plain_keras(tmp_path) -> None:
    keras.backend.clear_session()
    prepare(0)
    model = classifiers.build("modern_small", 3, DRAWING)
    path = tmp_path / "model.keras"
    save_model(model, path)
    command = [sys.executable, "-c", _PLAIN, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    pixels = np.full((1, 28, 28, 1), 100.0, "float32")
    assert int(done.stdout) == int(np.argmax(model(pixels)))
    np.testing.assert_array_equal(load_model(path)(pixels), model(pixels))
    with zipfile.ZipFile(path) as archive:
        assert "augstudy" not in json.dumps(json.loads(archive.read("config.json")))


def test_classifiers_are_fused_when_built_and_when_loaded(tmp_path) -> None:
    """An epoch is chosen by what the built model computes, and results by the loaded one."""
    tf = pytest.importorskip("tensorflow")
    model = classifiers.build("modern_small", 3, DRAWING)
    save_model(model, tmp_path / "model.keras")
    for each in (model, load_model(tmp_path / "model.keras")):
        graph = tf.function(lambda pixels, each=each: each(pixels, training=True))
        nodes = graph.get_concrete_function(tf.TensorSpec((4, 28, 28, 1))).graph.get_operations()
        kinds = {node.type for node in nodes}
        assert "FusedBatchNormV3" in kinds
        assert "SquaredDifference" not in kinds
