"""The image provides what steps import, in the versions that runs elsewhere use, and no more."""

import ast
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
OTHER_BACKEND = {"jax"}  # imported only where KERAS_BACKEND asks for it


def packages(lock: str) -> dict[str, set[str]]:
    """Normalised names in a lock and their versions (several where markers tell them apart)."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / "requirements" / lock).read_text().splitlines():
        if match := re.match(r"([a-z0-9][a-z0-9._-]*)==(\S+)", line):
            found.setdefault(match[1], set()).add(match[2])
    return found


def third_party(path: Path) -> set[str]:
    """Top-level packages that a module of ours imports anywhere, ours and Python's left out."""
    return {
        name.split(".")[0]
        for name in imports(path)
        if name.split(".")[0] not in sys.stdlib_module_names | {"augstudy"}
    }


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def module(name: str) -> Path | None:
    """The file of one of our modules."""
    path = SOURCE.joinpath(*name.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def reached_by_steps() -> set[Path]:
    """Every file of ours that a step may import."""
    waiting = sorted((SOURCE / "augstudy" / "steps").glob("*.py"))
    reached: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting += [found for name in imports(path) if (found := module(name))]
    return reached


def test_the_image_provides_what_steps_import() -> None:
    distributions = metadata.packages_distributions()
    locked = packages("image.txt")
    wanted = {name for path in reached_by_steps() for name in third_party(path)} - OTHER_BACKEND
    assert {"tensorflow", "numpy", "google", "fsspec", "PIL"} <= wanted, "the scan lost its way"
    for name in sorted(wanted):
        providers = {item.lower().replace("_", "-") for item in distributions[name]}
        assert providers & set(locked), f"{name} is imported by a step but not in image.txt"


def test_steps_reach_neither_kfp_nor_the_command_line() -> None:
    for path in reached_by_steps():
        assert not {"cluster", "local", "commands"} & set(path.relative_to(SOURCE).parts), path


def test_the_image_has_the_versions_that_runs_elsewhere_use() -> None:
    elsewhere = packages("run.txt")
    for name, versions in packages("image.txt").items():
        assert versions <= elsewhere[name], f"{name}: run 'make lock'"


def test_kfp_comes_without_its_dependencies() -> None:
    locked = set(packages("image.txt"))
    assert packages("image.txt")["kfp"] == packages("run.txt")["kfp"]
    assert not locked & {"kfp-kubernetes", "kfp-pipeline-spec", "kfp-server-api", "kubernetes"}
    assert not locked & {"docker", "pip", "setuptools", "pytest", "jax"}


def test_a_search_runs_without_what_the_image_lacks() -> None:
    """Optuna asks for databases, and imports them only where it stores something there."""
    left_out = re.search(
        r"^NOT_IN_IMAGE = (.*?[^\\])$", (ROOT / "Makefile").read_text(), re.M | re.S
    )
    assert left_out
    names = left_out[1].replace("\\", "").split()
    assert {"sqlalchemy", "alembic"} <= set(names)
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({names}))\n"
        "from searched import hunt, sweep_of\n"
        "from augstudy.tuning.sweep import parse_sweep\n"
        "states = {item.state for item in hunt(parse_sweep(sweep_of())).tried}\n"
        "assert states == {'complete', 'pruned'}, states\n"
    )
    tests = str(ROOT / "tests" / "tuning")
    path = os.pathsep.join([tests, str(SOURCE), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)


@pytest.mark.parametrize("lock", ["image.txt", "image-gpu.txt"])
def test_everything_is_pinned_by_hash(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    blocks = re.split(r"\n(?=[a-z])", text)[1:]
    assert len(blocks) >= 10
    for block in blocks:
        assert "==" in block.splitlines()[0]
        assert "--hash=sha256:" in block
    assert "://" not in text


def test_the_gpu_image_adds_what_tensorflow_asks_for() -> None:
    asked = {
        re.split(r"[<>=!~; ]", line)[0]
        for line in metadata.requires("tensorflow") or []
        if 'extra == "and-cuda"' in line or "extra == 'and-cuda'" in line
    }
    locked = set(packages("image-gpu.txt"))
    assert len(asked) >= 10
    assert asked <= locked
    assert not locked & set(packages("image.txt"))
