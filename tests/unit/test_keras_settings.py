"""What a user has set for Keras decides nothing here, or is a part of the key."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from builders import build_dataset

from augstudy.core import fingerprint

TRAIN = """
import hashlib, sys
from pathlib import Path
from augstudy.settings.arms import Arm
from augstudy.models.recipes import classifier_recipe
from augstudy.steps import train_cnn
from augstudy.models.backend import keras
recipe = classifier_recipe("baseline", {"epochs": 2, "batch_size": 12})
made = train_cnn.run(Path(sys.argv[1]), Path(sys.argv[2]), Arm(arm="real"), [0], recipe)
print(made.content_hash, made.manifest.made_of, keras.config.floatx())
"""
OWN = {"floatx": "float64", "epsilon": 0.001, "image_data_format": "channels_first"}


def trained(dataset: Path, out: Path, home: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, str(dataset), str(out)],
        env={**os.environ, "HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def home_with(folder: Path, text: str) -> Path:
    (folder / ".keras").mkdir(parents=True)
    (folder / ".keras" / "keras.json").write_text(text)
    return folder


def test_keras_json_and_variables_for_debugging_change_nothing(tmp_path: Path) -> None:
    dataset = build_dataset(tmp_path / "dataset", ("cow", "zebra")).path
    plain = trained(dataset, tmp_path / "plain", tmp_path)
    own = home_with(tmp_path / "own", json.dumps(OWN))
    told = trained(dataset, tmp_path / "told", own, KERAS_MAX_EPOCHS="1", KERAS_BACKEND="")
    assert told == plain and "float32" in plain
    broken = home_with(tmp_path / "broken", json.dumps({"floatx": "decimal"}))
    code = "from augstudy.models.backend import keras; print(keras.config.epsilon())"
    for variables in ({"HOME": str(broken)}, {"KERAS_HOME": str(broken / ".keras")}):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == "1e-07\n", done.stderr
    assert not (tmp_path / ".keras").exists()  # and nothing is left in a home


@pytest.mark.parametrize("backend", ["torch", "theano", "jaxx", "../x"])
def test_a_backend_that_cannot_be_used_is_refused(backend: str, tmp_path: Path) -> None:
    dataset = build_dataset(tmp_path / "dataset", ("cow", "zebra")).path
    code = "from augstudy.cli import main; main()"
    words = ("train-cnn", "--dataset", str(dataset), "--out", str(tmp_path / "out"))
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"KERAS_BACKEND is '{backend}'") and "bug" not in done.stderr


@pytest.mark.parametrize(
    "variable", ["KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS", "NVIDIA_TF32_OVERRIDE"]
)
def test_what_the_libraries_compute_by_is_part_of_the_key(variable, monkeypatch) -> None:
    before = fingerprint.made_by("train_cnn", {})
    monkeypatch.setenv(variable, "0")
    assert fingerprint.made_by("train_cnn", {}) != before
