"""The one place that imports Keras: quiet, quick to start and repeatable.

Import ``keras`` from here. Keras offers wrappers for scikit-learn, Matplotlib, pandas and JAX and
imports whichever is installed; hiding those while it loads about halves the start-up of a step,
and every step is a process of its own.
"""

import contextlib
import importlib
import importlib.util
import logging
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from augstudy.core.errors import InputError
from augstudy.core.machine import bf16_pays, usable_cores
from augstudy.models import memory
from augstudy.settings.base import Precision

_QUIET = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "3"
os.environ["KERAS_BACKEND"] = os.environ.get("KERAS_BACKEND") or "tensorflow"
os.environ.setdefault("CUDA_MODULE_LOADING", "LAZY")
memory.keep()

logger = logging.getLogger("augstudy")

THREADS_VARIABLE = "AUGSTUDY_THREADS"
GPU_VARIABLE = "AUGSTUDY_EXPECTS_GPU"  # set in the image that has the CUDA libraries
_BACKENDS = ("tensorflow", "jax")
_OWN_SETTINGS = ("KERAS_HOME", "KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED")


@contextlib.contextmanager
def _without_start_up_messages() -> Iterator[None]:
    """Drop what TensorFlow's C++ parts write to stderr before they know the log level.

    Shown after all if the import fails, or if ``TF_CPP_MIN_LOG_LEVEL`` asks for more.
    """
    if not _QUIET:
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        try:
            yield
        except BaseException:
            messages.seek(0)
            os.write(kept, messages.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _check_backend() -> None:
    """Refuse a backend that is not there, or with which nothing here was tried.

    Raises:
        InputError: the environment names one.
    """
    named = os.environ["KERAS_BACKEND"]
    if named not in _BACKENDS or importlib.util.find_spec(named) is None:
        why = "is not installed" if named in _BACKENDS else "is not supported"
        raise InputError(
            f"KERAS_BACKEND is {named!r}, which {why}: set it to {' or '.join(_BACKENDS)}."
        )


@contextlib.contextmanager
def _without_own_settings() -> Iterator[None]:
    """Keep a user's keras.json, and variables for debugging, out of trainings.

    What Keras downloads still goes where the user has it.
    """
    hidden = {name: os.environ.pop(name, None) for name in _OWN_SETTINGS}
    with tempfile.TemporaryDirectory() as nowhere:
        os.environ["KERAS_HOME"] = nowhere
        try:
            yield
        finally:
            del os.environ["KERAS_HOME"]
            os.environ.update({name: value for name, value in hidden.items() if value is not None})
    config = importlib.import_module("keras.src.backend.config")
    usual = os.path.expanduser("~/.keras")  # noqa: PTH111 (there may be no home)
    vars(config)["_KERAS_DIR"] = hidden["KERAS_HOME"] or usual


def _import_keras() -> None:
    optional = {"sklearn", "matplotlib", "pandas", "jax"} - {os.environ["KERAS_BACKEND"]}
    hidden = [name for name in optional if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # makes `import name` raise
    try:
        with _without_start_up_messages(), _without_own_settings():
            importlib.import_module("keras")
    finally:
        for name in hidden:
            del sys.modules[name]


_check_backend()
_import_keras()
import keras  # noqa: E402
from keras.src.random import seed_generator  # noqa: E402

# Somebody may have imported Keras before, with settings of their own.
keras.config.set_image_data_format("channels_last")
keras.config.set_floatx("float32")
keras.config.set_epsilon(1e-7)
keras.config.set_max_epochs(None)
keras.config.set_max_steps_per_epoch(None)


def resolve_precision(precision: Precision) -> Literal["float32", "mixed_bfloat16"]:
    """Turn ``auto`` into bfloat16 where it has been measured to pay, which depends on the CPU.

    On a GPU it means float32, which GPUs with tensor cores compute as TF32.
    """
    if precision != "auto":
        return precision
    return "mixed_bfloat16" if bf16_pays() and not gpus() else "float32"


def gpus() -> int:
    """How many GPUs the backend sees; it holds all of them."""
    # To ask JAX for "gpu" alone is an error where there is none.
    return sum("gpu" in name.lower() for name in keras.distribution.list_devices())


def prepare(seed: int) -> None:
    """Seed every generator and make operations deterministic.

    Keras draws the seeds of initial weights from Python's generator for all, which other threads
    use as well: an upload that begins while a network is built would change the network. So
    Keras gets one of its own, which draws the same numbers.
    """
    _say_if_without_gpu()
    keras.utils.set_random_seed(seed)
    seed_generator.python_random = random.Random(seed)  # noqa: S311
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


@lru_cache  # once a process
def _say_if_without_gpu() -> None:
    if os.environ.get(GPU_VARIABLE) and not gpus():
        logger.warning(
            "This is the image for GPUs, but no GPU can be used: computing on the CPU. Check that "
            "the pod asks for one, and the driver of its node."
        )


def fix_threads() -> None:
    """Fix TensorFlow's thread count: on a CPU the order of a sum, and so its last bits, hang on it.

    Operations run one after the other: one that runs beside another gets fewer threads, now and
    then, and its sums come out in another order. The count comes from ``AUGSTUDY_THREADS``, else
    from the cores this process may use, and can only be set before the first operation. Done when
    this is imported; again by a step that was forked after that, and has a count of its own.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        threads = os.environ.get(THREADS_VARIABLE) or usable_cores()
        tf.config.threading.set_intra_op_parallelism_threads(int(threads))
        tf.config.threading.set_inter_op_parallelism_threads(1)


fix_threads()

__all__ = ["fix_threads", "gpus", "keras", "prepare", "resolve_precision"]
