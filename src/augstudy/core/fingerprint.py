"""What besides inputs and settings decides what a step makes: code, software and hardware.

:func:`code_version` of the package says exactly what ran, and is kept with every artifact.
:func:`step_version` says whether a step would make the same again: it covers rules, data, networks,
trainings and figures as far as the step uses them, and nothing that a reader sees.
:mod:`augstudy.core.code` says how.
"""

import contextlib
import hashlib
import os
import platform
from collections.abc import Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from augstudy.core.code import Code, texts
from augstudy.core.machine import bf16_pays, gpus, usable_cores

_ROOT = Path(__file__).parents[1]
_NUMERICS = (
    *("TF_ENABLE_ONEDNN_OPTS", "TF_XLA_FLAGS", "XLA_FLAGS", "NVIDIA_TF32_OVERRIDE"),
    *("JAX_ENABLE_X64", "JAX_DEFAULT_MATMUL_PRECISION", "JAX_DEFAULT_PRNG_IMPL"),
)
_RECORDED_PACKAGES = ("tensorflow", "jax", "keras", "numpy", "pandas", "scikit-learn", "scipy")


@lru_cache
def code_version() -> str:
    """Hash of this package's source and data files."""
    digest = hashlib.sha256()
    for path in sorted(_ROOT.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(_ROOT).as_posix()} {file_sha256(path)}\n".encode())
    return digest.hexdigest()[:16]


def step_version(step: str, things: Mapping[str, Any]) -> str:
    """Hash of the code that decides what a step makes of `things`; of all code if it is no step.

    As the code was when this was first asked for in the process, or in the one it was forked from.

    Args:
        step: its name.
        things: its settings and those of its inputs; entries of registries that they name count.
    """
    return _code().version(step, texts(things))


def is_as_it_was(step: str) -> bool:
    """Whether the code of a step is still what :func:`step_version` saw.

    Where a source is edited while a step runs, nobody can tell what the step was made by.
    """
    return Code(_ROOT).version(step, None) == _code().version(step, None)


def remember() -> None:
    """Read the code of all steps, for processes that are forked from this one."""
    code_version()
    for path in (_ROOT / "steps").glob("*.py"):
        step_version(path.stem, {})


@lru_cache
def _code() -> Code:
    return Code(_ROOT)


@lru_cache
def software() -> dict[str, str]:
    """Versions of Python and of the packages that can change a result."""
    versions = {"python": platform.python_version()}
    for name in _RECORDED_PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def made_by(step: str, things: Mapping[str, Any]) -> dict[str, Any]:
    """What decides the bits that a step makes beside `things`, its inputs and settings."""
    return {
        "code": step_version(step, things),
        "software": software(),
        "backend": os.environ.get("KERAS_BACKEND") or "tensorflow",
        # A CPU adds up in an order that depends on it.
        "threads": os.environ.get("AUGSTUDY_THREADS") or usable_cores(),
        # Precision is by default what pays on a machine.
        "bfloat16": bf16_pays(),
        "gpus": gpus(),
        **_numerics(),
    }


def _numerics() -> dict[str, Any]:
    """Variables by which the libraries compute in another way; nothing where none is set."""
    told = {name: os.environ[name] for name in _NUMERICS if os.environ.get(name)}
    return {"numerics": told} if told else {}


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
