"""What is decided in one file is decided in no other; docs/extending.md says which file it is."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from augstudy.pages.arms import WORDS

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "augstudy"


def makes_a_generator(node: ast.AST) -> bool:
    made = {"default_rng", "SeedSequence", "PCG64", "RandomState", "Generator"}
    return isinstance(node, ast.Call) and getattr(node.func, "attr", "") in made


def names_a_signal_that_stops(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in {"SIGTERM", "SIGINT", "SIGHUP"}


def knows_the_size_of_an_image(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value in (28, 784)


def makes_a_share_a_number_of_images(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    inside = [item for argument in node.args for item in ast.walk(argument)]
    names = {getattr(item, "id", getattr(item, "attr", "")) for item in inside}
    return name in {"round", "ceil", "floor"} and "share" in names


def has_the_colour_of_an_arm(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value == WORDS["add_filtered"].colour


DECIDED: dict[str, tuple[Callable[[ast.AST], bool], str]] = {
    "generators": (makes_a_generator, "core/rng.py"),
    "signals": (names_a_signal_that_stops, "core/stopping.py"),
    "image size": (knows_the_size_of_an_image, "settings/spec.py"),
    "colours of arms": (has_the_colour_of_an_arm, "pages/arms.py"),
    "shares": (makes_a_share_a_number_of_images, "data/shares.py"),
}


@pytest.mark.parametrize("what", DECIDED)
def test_it_is_decided_in_one_file(what: str) -> None:
    decides, expected = DECIDED[what]
    found = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if any(decides(node) for node in ast.walk(ast.parse(path.read_text())))
    }
    assert found == {expected}


def test_the_table_of_what_is_decided_where_names_files_that_exist() -> None:
    text = (ROOT / "docs" / "extending.md").read_text()
    table = text.split("## What is decided where")[1].split("\n## ")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| ")][2:]
    assert len(rows) >= 10
    for what, where in rows:
        names = re.findall(r"`([^`]+)`", where)
        assert names, what
        for name in names:
            assert (SOURCE / name).exists() or (ROOT / name).exists(), (what, name)
    for _, expected in DECIDED.values():
        assert f"`{expected}`" in table
