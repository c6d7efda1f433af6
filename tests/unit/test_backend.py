"""The one place that imports Keras."""

import ctypes
import os
import random
import resource
import subprocess
import sys

import numpy as np
import pytest

from augstudy.models import backend, memory
from augstudy.models.backend import keras, prepare

_USE = """
from augstudy.models.backend import keras
print(float(keras.ops.sum(keras.ops.ones((2, 3)))))
"""


@pytest.mark.parametrize(("level", "quiet"), [(None, True), ("0", False)])
def test_tensorflow_starts_without_messages_unless_asked(level: str | None, quiet: bool) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    if level is not None:
        environment["TF_CPP_MIN_LOG_LEVEL"] = level
    command = [sys.executable, "-c", _USE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.stdout == "6.0\n"
    assert (done.stderr == "") == quiet, done.stderr


def weights() -> list[np.ndarray]:
    """Of two layers, one of which is made after somebody has drawn a random number."""
    built = []
    for make in (lambda: keras.layers.Dense(3), lambda: keras.layers.Conv2D(2, 3)):
        random.random()  # as an upload or a retry does, in a thread of its own
        layer = make()
        layer.build((1, 4, 4, 2))
        built += [keras.ops.convert_to_numpy(each) for each in layer.variables]
    return built


def test_initial_weights_hang_on_the_seed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(7)
    disturbed = weights()
    monkeypatch.setattr(random, "random", lambda: 0.0)
    prepare(7)
    quiet = weights()
    assert len(quiet) == 4
    for one, other in zip(disturbed, quiet, strict=True):
        np.testing.assert_array_equal(one, other)
    prepare(8)
    assert not np.array_equal(weights()[0], quiet[0])


@pytest.mark.parametrize(("expects", "found", "said"), [("1", 0, 1), ("1", 2, 0), ("", 0, 0)])
def test_the_image_for_gpus_says_once_that_it_computes_on_the_cpu(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    expects: str,
    found: int,
    said: int,
) -> None:
    monkeypatch.setenv(backend.GPU_VARIABLE, expects)
    monkeypatch.setattr(backend, "gpus", lambda: found)
    backend._say_if_without_gpu.cache_clear()
    for seed in (0, 1):
        backend.prepare(seed)
    assert sum("computing on the CPU" in message for message in caplog.messages) == said
    backend._say_if_without_gpu.cache_clear()


def test_memory_of_tensors_is_kept_between_steps() -> None:
    """Otherwise the kernel clears every page of every tensor in every step."""
    images = keras.ops.ones((64, 32, 32, 32))

    def step() -> None:
        for _ in range(4):
            keras.ops.convert_to_numpy(keras.ops.sum(keras.ops.relu(images * 2.0)))

    step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    step()
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    assert faults < 64 * 32 * 32 * 32 * 4 // 4096  # the pages of one of eight tensors


def test_memory_is_kept_where_there_is_no_glibc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    memory.keep()
