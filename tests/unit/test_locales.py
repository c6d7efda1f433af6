"""Text files are UTF-8 whatever the locale, and users without a home get along."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What Python makes of a locale that is not UTF-8, without one having to be installed.
ASCII = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}


def opens_text(node: ast.AST) -> bool:
    """Whether a call opens a text file without saying how it is encoded."""
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    named = {word.arg: word.value for word in node.keywords}
    if "encoding" in named:
        return False
    if name in ("read_text", "write_text"):
        return len(node.args) < 1 + (name == "write_text")
    if name not in ("open", "fdopen"):
        return False
    own = isinstance(node.func, ast.Name) or name == "fdopen"
    modes = node.args[1:2] if own else node.args[:1]
    mode = named.get("mode") or (modes[0] if modes else None)
    if own or isinstance(mode, ast.Constant):
        return not (isinstance(mode, ast.Constant) and "b" in str(mode.value))
    # Path.open() without a mode; stores and archives have methods of that name, with arguments.
    return not node.args and not node.keywords


def test_every_text_file_says_that_it_is_utf8() -> None:
    found = []
    for path in (*ROOT.glob("src/**/*.py"), *ROOT.glob("pipelines/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if opens_text(node):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def ran(folder: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    code = "import sys; from augstudy.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env={**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), **environment},
        capture_output=True,
        check=False,
    )


def test_steps_and_pages_work_in_ascii(tmp_path: Path) -> None:
    dataset = ("ingest", "--classes", "cow,zebra", "--train-per-class", "10")
    dataset += ("--val-per-class", "5", "--test-per-class", "5", "--out", "data")
    assert ran(tmp_path, *dataset, **ASCII).returncode == 0
    training = ("train-cnn", "--dataset", "data", "--out", "cnn", "--recipe", "baseline")
    done = ran(tmp_path, *training, "--set", "epochs=1", **ASCII)
    assert done.returncode == 0, done.stderr
    assert "─" in (tmp_path / "cnn" / "seed-0" / "architecture.txt").read_text(encoding="utf-8")
    assert ran(tmp_path, "run", "--help", **ASCII).returncode == 0


def test_a_note_with_another_byte_is_listed_in_ascii(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "0001"
    run.mkdir(parents=True)
    (run / "run.json").write_text('{"id": 1, "state": "done", "name": "caf\\udce9", "user": "é"}')
    (run / "note.txt").write_bytes(b"caf\xe9 \xe2\x82\xac\n")
    for words in (("runs",), ("runs", "show", "1"), ("runs", "export", "x.html")):
        done = ran(tmp_path, *words, **ASCII)
        assert done.returncode == 0, done.stderr
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "caf\N{REPLACEMENT CHARACTER} €" in page
    assert ran(tmp_path, "runs", "note", "1", os.fsdecode(b"caf\xe9"), **ASCII).returncode == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("ingest", "--classes", "cow,nope", "--out", "x"), 2),
        (("runs",), 2),
        (("ingest", "--source", "file://~nouser/x", "--out", "x"), 2),
        (("compile", "-o", "x.yaml"), 0),
    ],
)
def test_a_user_without_a_home_gets_the_usual_sentences(tmp_path: Path, words, code) -> None:
    homeless = """
import os, pwd
def unknown(*_):
    raise KeyError("no entry")
pwd.getpwuid = pwd.getpwnam = unknown
os.environ.pop("HOME", None)
from augstudy.cli import main
main()
"""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG")}
    done = subprocess.run(
        [sys.executable, "-c", homeless, *words],
        cwd=tmp_path,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr and "bug" not in done.stderr


def test_ctrl_c_while_it_loads_or_before_the_run_is_no_traceback(tmp_path: Path) -> None:
    for place in ("augstudy.cli.app", "augstudy.local.catalog", "kfp"):
        code = f"""
import importlib.abc, os, signal, sys
class Interrupts(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {place!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupts())
from augstudy.cli import main
main()
"""
        done = subprocess.run(
            [sys.executable, "-c", code, "run", "--preset", "smoke"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 130, (place, done.stderr)
        assert "Traceback" not in done.stderr
        assert not list(tmp_path.iterdir())
