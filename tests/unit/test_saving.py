import hashlib
import zipfile

import numpy as np
import pytest

from augstudy.core.errors import DataError
from augstudy.models.backend import keras, prepare
from augstudy.training.saving import load_model, save_model


def model():
    keras.backend.clear_session()
    prepare(seed=0)
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])


def test_equal_models_give_equal_bytes(tmp_path):
    hashes = set()
    for name in ("a.keras", "b.keras"):
        save_model(model(), tmp_path / name)
        hashes.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(hashes) == 1


def test_a_saved_model_predicts_the_same(tmp_path):
    original = model()
    save_model(original, tmp_path / "m.keras")
    inputs = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(load_model(tmp_path / "m.keras")(inputs), original(inputs))


def test_nothing_else_is_left_in_the_folder(tmp_path):
    save_model(model(), tmp_path / "m.keras")
    assert [item.name for item in tmp_path.iterdir()] == ["m.keras"]


def test_a_model_that_carries_code_is_refused(tmp_path):
    unsafe = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x + 1)])
    save_model(unsafe, tmp_path / "m.keras")
    with pytest.raises(DataError, match=r"m\.keras is not a model"):
        load_model(tmp_path / "m.keras")


@pytest.mark.parametrize("damage", ["truncated", "not a zip", "no weights"])
def test_a_damaged_file_is_named(tmp_path, damage):
    path = tmp_path / "m.keras"
    save_model(model(), path)
    content = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "not a zip":
        path.write_bytes(b"hello")
    else:
        with zipfile.ZipFile(path) as source:
            config = source.read("config.json")
        with zipfile.ZipFile(path, "w") as target:
            target.writestr("config.json", config)
    with pytest.raises(DataError, match=r"m\.keras is not a model"):
        load_model(path)
