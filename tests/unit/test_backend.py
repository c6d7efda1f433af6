"""The one place that imports Keras."""

import os
import subprocess
import sys

import pytest

_USE = """
from augstudy.backend import keras
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
