"""Imports point one way, and what must start quickly stays light."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "augstudy"
HEAVY = {"numpy", "keras", "tensorflow", "jax", "pandas", "sklearn", "scipy", "matplotlib"}

# A module imports from its own room and from rooms above it, wherever in it the import stands,
# type checkers' imports and modules that a text names included.
ROOMS = (
    *("core", "objects", "settings", "data", "models", "metrics", "training", "explain"),
    *(
        "stats",
        "tuning",
        "results",
        "runs",
        "pages",
        "steps",
        "cluster",
        "dags",
        "local",
        "api",
        "ui",
        "cli",
    ),
)
# Modules that texts name and that nothing loads.
NAMED = {
    ("core.code", "objects"): "says what no cache key depends on",
    ("core.code", "pages"): "says what no cache key depends on",
    ("core.code", "steps"): "says where the code of steps begins",
    ("core.telemetry", "models"): "looks whether a step has loaded the backend",
}
# Steps end in an artifact, not in words; but for those that publish a page, that say why a
# generator failed, or that give the dashboard its metrics.
STEPS_WITH_WORDS = {
    *("adapters", "cells", "train_gan"),
    *("ingest", "promote", "reports", "retraining"),
    *("summarize", "summarize_sweep", "summarize_gan_sweep"),
}
# What is imported by a name that only a running program knows, and why.
DYNAMIC = {
    "data.sources": "a source is found by being in the folder",
    "cli.commands": "a command is asked for by its name",
    "local.catalog": "a pipeline is asked for by its name",
    "local.warm": "what to load is handed from process to process; LIBRARIES says it",
}
TOOLS = {"import_module", "__import__", "exec_module", "spec_from_file_location", "run_module"}


def imports(path: Path, top_only: bool) -> set[str]:
    """Modules that a file imports, at its top level or anywhere."""
    tree = ast.parse(path.read_text())
    return {name for node in (tree.body if top_only else ast.walk(tree)) for name in named(node)}


def named(node: ast.AST) -> Iterator[str]:
    """What an import names: of a package its module, where it is one."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, "no import here is relative"
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            path = ROOT / "src" / inner.replace(".", "/")
            yield inner if path.is_dir() or path.with_suffix(".py").is_file() else str(node.module)


def texts(path: Path) -> Iterator[str]:
    """Texts in a file that look like names of our modules; docstrings talk of many."""
    tree = ast.parse(path.read_text())
    alone = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or node in alone:
            continue
        if re.fullmatch(r"(augstudy|pipelines|components)(\.\w+)*\.?", str(node.value)):
            yield node.value.removesuffix(".")


def files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def modules() -> dict[str, Path]:
    """The files of the package by name, without the package's own."""
    names = (path.relative_to(PACKAGE).with_suffix("").parts for path in files("src/augstudy"))
    dotted = (".".join(parts).removesuffix(".__init__") for parts in names)
    return dict(zip(dotted, files("src/augstudy"), strict=True))


def reached(path: Path, by_text: bool = True) -> Iterator[str]:
    """What a file imports from the package or names in a text, without ``augstudy.``."""
    for name in {*imports(path, top_only=False), *(texts(path) if by_text else ())}:
        root, _, inside = name.partition(".")
        if root == "augstudy" and inside:
            yield inside


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


def test_components_import_steps_alone() -> None:
    for path in files("components"):
        names = {*imports(path, top_only=False), *texts(path)}
        inside = {name for name in names if name.split(".")[0] == "augstudy"}
        inside.discard("augstudy.dags.components.image")
        allowed = "augstudy.cluster" if path.name == "image.py" else "augstudy.steps"
        assert all(name.startswith(allowed) for name in inside), path


def test_every_module_is_in_a_room() -> None:
    assert {name.split(".")[0] for name in modules()} - {"__init__"} == set(ROOMS)


def test_imports_point_to_rooms_above() -> None:
    found = {
        (name, other.split(".")[0])
        for name, path in modules().items()
        for other in reached(path)
        if name != "__init__" and other.split(".")[0] in ROOMS
        if ROOMS.index(other.split(".")[0]) > ROOMS.index(name.split(".")[0])
    }
    assert found == set(NAMED)


def test_only_some_steps_use_words_of_pages() -> None:
    steps = {
        name.removeprefix("steps.")
        for name, path in modules().items()
        if name.startswith("steps.") and any(it.startswith("pages") for it in reached(path))
    }
    assert steps == STEPS_WITH_WORDS


def test_imports_form_no_circle() -> None:
    known = modules()
    names_only = {name for name, _ in NAMED}
    graph = {
        name: {*reached(path, name not in names_only)} & known.keys() - {name}
        for name, path in known.items()
    }
    TopologicalSorter(graph).prepare()


def test_what_is_imported_by_a_computed_name_is_known() -> None:
    found = {
        name
        for name, path in modules().items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        if getattr(node.func, "attr", getattr(node.func, "id", "")) in TOOLS
        if not (node.args and isinstance(node.args[0], ast.Constant))
    }
    assert found == set(DYNAMIC)


def test_only_the_catalog_knows_components_and_pipelines() -> None:
    found = {
        name
        for name, path in modules().items()
        for other in {*imports(path, top_only=False), *texts(path)}
        if other.startswith("augstudy.dags") or other.split(".")[0] in ("components", "pipelines")
        if "." in other
    }
    assert found == {"local.catalog"}


def test_modules_of_the_web_page_form_no_circle() -> None:
    folder = PACKAGE / "ui" / "static"
    imported = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["']\./([\w.]+)["']""")
    graph = {path.name: set(imported.findall(path.read_text())) for path in folder.glob("*.js")}
    assert graph["app.js"] and set().union(*graph.values()) <= graph.keys()
    TopologicalSorter(graph).prepare()


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


def test_help_loads_no_settings() -> None:
    code = "from augstudy.cli.app import invoke; invoke(['--help'])"
    assert not loaded(code) & (HEAVY | {"kfp", "pydantic"})


def test_preparing_a_run_needs_kfp_but_no_networks() -> None:
    code = "from augstudy.local import catalog; catalog.load('augmentation_study')"
    assert not loaded(code) & {"keras", "tensorflow", "jax", "numpy"}
