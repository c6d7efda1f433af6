"""Imports point one way, and what must start quickly stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"numpy", "keras", "tensorflow", "jax", "pandas", "sklearn", "scipy", "matplotlib"}


def imports(path: Path, top_only: bool) -> set[str]:
    """Modules that a file imports, at its top level or anywhere."""
    tree = ast.parse(path.read_text())
    found: set[str] = set()
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def loaded(code: str) -> set[str]:
    """Top-level modules in a fresh process after `code`."""
    code += "\nimport sys; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split("\n")[-2].split()}


@pytest.mark.parametrize("path", files("components", "pipelines"), ids=lambda path: path.stem)
def test_components_and_pipelines_import_nothing_heavy(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports(path, top_only=True)}
    assert not roots & HEAVY
    assert "__future__" not in roots  # KFP reads annotations as objects


def test_imports_point_one_way() -> None:
    for path in files("components"):
        names = imports(path, top_only=False)
        assert not any(name.split(".")[0] == "pipelines" for name in names), path
        inside = {name for name in names if name.split(".")[0] == "augstudy"}
        allowed = "augstudy.cluster" if path.name == "image.py" else "augstudy.steps"
        assert all(name.startswith(allowed) for name in inside), path
    for path in files("src/augstudy"):
        roots = {name.split(".")[0] for name in imports(path, top_only=False)}
        assert not roots & {"components", "pipelines"}, path


def test_only_local_and_cluster_import_kfp() -> None:
    for path in files("src/augstudy"):
        if not {"local", "cluster"} & set(path.parts):
            roots = {name.split(".")[0] for name in imports(path, top_only=False)}
            assert "kfp" not in roots, path


def test_library_runs_without_kfp() -> None:
    modules = [
        ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
        for path in files("src/augstudy/steps")
        if path.stem != "__init__"
    ]
    assert "kfp" not in loaded("\n".join(f"import {name}" for name in modules))


def test_steps_without_networks_start_without_tensorflow() -> None:
    code = "import augstudy.steps.ingest, augstudy.steps.summarize, augstudy.steps.adapters"
    assert not loaded(code) & {"keras", "tensorflow", "jax"}


def test_command_line_starts_light() -> None:
    assert not loaded("import augstudy.cli.app, augstudy.local.runner") & (HEAVY | {"kfp"})


def test_preparing_a_run_needs_kfp_but_no_networks() -> None:
    code = "from augstudy.local import catalog; catalog.load('augmentation_study')"
    assert not loaded(code) & {"keras", "tensorflow", "jax", "numpy"}
