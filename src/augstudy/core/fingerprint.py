"""What besides inputs and settings decides what a step makes: code, software and hardware.

:func:`code_version` of the package says exactly what ran, and is kept with every artifact.
:func:`step_version` says whether a step would make the same again: it covers the modules that the
step imports, at any depth, but not those that only carry things about. A reworded report or error
does not change it.
"""

import ast
import contextlib
import hashlib
import os
import platform
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from augstudy.core.machine import cpu_has_bf16, gpus, usable_cores

_ROOT = Path(__file__).parent
_STEPS = "augstudy.steps."
_RECORDED_PACKAGES = ("tensorflow", "jax", "keras", "numpy", "pandas", "scikit-learn", "scipy")
# They bring numbers from here to there, or words to a person, and change neither them.
_CARRIERS = (
    "augstudy.core.artifacts",
    "augstudy.core.cache",
    "augstudy.core.errors",
    "augstudy.core.fingerprint",
    "augstudy.core.leftovers",
    "augstudy.core.outlets",
    "augstudy.core.redaction",
    "augstudy.core.telemetry",
    "augstudy.objects",
)


@lru_cache
def code_version() -> str:
    """Hash of this package's source and data files."""
    return _hash(_files(_ROOT))


@lru_cache
def step_version(step: str) -> str:
    """Hash of the code that decides what a step makes; of all code where there is no such step.

    As the code was when this was first asked for in the process, or in the one it was forked from.
    """
    return _hash(_code_of(step))


def is_as_it_was(step: str) -> bool:
    """Whether the code of a step is still what :func:`step_version` saw.

    Where a source is edited while a step runs, nobody can tell what the step was made by.
    """
    return _hash(_code_of(step)) == step_version(step)


def remember() -> None:
    """Ask for the version of every step, for processes that are forked from this one."""
    code_version()
    for path in (_ROOT / "steps").glob("*.py"):
        step_version(path.stem)


@lru_cache
def software() -> dict[str, str]:
    """Versions of Python and of the packages that can change a result."""
    versions = {"python": platform.python_version()}
    for name in _RECORDED_PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def made_by(step: str) -> dict[str, Any]:
    """What decides the bits that a step makes beside its inputs and settings."""
    return {
        "code": step_version(step),
        "software": software(),
        "backend": os.environ.get("KERAS_BACKEND") or "tensorflow",
        # A CPU adds up in an order that depends on it.
        "threads": os.environ.get("AUGSTUDY_THREADS") or usable_cores(),
        # Precision is by default what pays on a machine.
        "bfloat16": cpu_has_bf16(),
        "gpus": gpus(),
    }


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


@lru_cache
def _code_of(step: str) -> frozenset[Path]:
    module = _STEPS + step
    return frozenset(_reached(module) if _source(module) else _files(_ROOT))


def _hash(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        content = file_sha256(path) if path.is_file() else "gone"
        digest.update(f"{path.relative_to(_ROOT).as_posix()} {content}\n".encode())
    return digest.hexdigest()[:16]


def _reached(module: str) -> set[Path]:
    """Files of a module and of all that it imports from this package, at any depth.

    Files that are no modules, such as templates, come with any module in their folder.
    """
    known, waiting, files = {module}, [module], set()
    while waiting:
        path = _source(waiting.pop())
        if path is None:
            continue
        files.add(path)
        if path.parent != _ROOT:
            files |= {item for item in path.parent.iterdir() if _is_data(item)}
        found = set(_imports(path)) - known
        known |= found
        waiting += found
    return files


def _is_data(path: Path) -> bool:
    return path.is_file() and path.suffix != ".py"


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _imports(path: Path) -> Iterator[str]:
    """Names that a file imports from this package, wherever in it; some may be no modules."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [item.name for item in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{item.name}" for item in node.names)]
        for name in names:
            if name.startswith("augstudy.") and not _carries(name):
                yield name


def _carries(module: str) -> bool:
    return any(f"{module}.".startswith(f"{carrier}.") for carrier in _CARRIERS)


def _source(module: str) -> Path | None:
    path = _ROOT.joinpath(*module.split(".")[1:])
    options = (path.with_suffix(".py"), path / "__init__.py")
    return next((option for option in options if option.is_file()), None)
