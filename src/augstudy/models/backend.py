"""The one place that imports Keras: quiet, quick to start and repeatable.

Import ``keras`` from here. Keras offers wrappers for scikit-learn, Matplotlib, pandas and JAX and
imports whichever is installed; hiding those while it loads about halves the start-up of a step,
and every step is a process of its own.
"""

import contextlib
import importlib
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from typing import Literal

from augstudy.core.machine import cpu_has_bf16, usable_cores
from augstudy.settings.base import Precision

_QUIET = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "3"
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("CUDA_MODULE_LOADING", "LAZY")

THREADS_VARIABLE = "AUGSTUDY_THREADS"


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


def _import_keras() -> None:
    optional = {"sklearn", "matplotlib", "pandas", "jax"} - {os.environ["KERAS_BACKEND"]}
    hidden = [name for name in optional if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # makes `import name` raise
    try:
        with _without_start_up_messages():
            importlib.import_module("keras")
    finally:
        for name in hidden:
            del sys.modules[name]


_import_keras()
import keras  # noqa: E402
from keras.src.random import seed_generator  # noqa: E402


def resolve_precision(precision: Precision) -> Literal["float32", "mixed_bfloat16"]:
    """Turn ``auto`` into bfloat16 where it has been measured to pay: on CPUs that have it.

    On a GPU it means float32, which GPUs with tensor cores compute as TF32.
    """
    if precision != "auto":
        return precision
    return "mixed_bfloat16" if cpu_has_bf16() and not gpus() else "float32"


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
    keras.utils.set_random_seed(seed)
    seed_generator.python_random = random.Random(seed)  # noqa: S311
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


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
