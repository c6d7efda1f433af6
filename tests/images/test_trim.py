"""Trimming takes nothing away that a program loads."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import markupsafe
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def trim() -> ModuleType:
    spec = importlib.util.spec_from_file_location("trim", ROOT / "images" / "trim.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A copy of a real compiled module."""
    (original,) = Path(markupsafe.__file__).parent.glob("_speedups*.so")
    return Path(shutil.copy(original, tmp_path))


def answer(library: Path) -> str:
    """What the module says in a process of its own."""
    code = (
        "import importlib.util, sys\n"
        "spec = importlib.util.spec_from_file_location('_speedups', sys.argv[1])\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "print(module._escape_inner('<&>'))"
    )
    command = [sys.executable, "-c", code, str(library)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_library_without_symbols_works(trim: ModuleType, library: Path) -> None:
    before = library.stat().st_size
    saved = trim.drop_symbols(library)
    assert 0 < saved == before - library.stat().st_size
    assert answer(library) == "&lt;&amp;&gt;\n"
    assert trim.drop_symbols(library) == 0


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"not a library" * 100])
def test_other_files_stay_as_they_are(trim: ModuleType, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.so"
    path.write_bytes(content)
    assert trim.drop_symbols(path) == 0
    assert path.read_bytes() == content


def test_what_goes_and_what_stays(
    trim: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = "lib/python3.11/site-packages"
    stays = [f"{site}/numpy/core.py", f"{site}/numpy/testing/x.py", "bin/python3", f"{site}/x.pth"]
    stays += [f"{site}/botocore/data/{name}" for name in ("endpoints.json", "s3/2006/a.json")]
    goes = [
        "bin/pip3",
        f"{site}/pip/main.py",
        f"{site}/distutils-precedence.pth",
        f"{site}/numpy/tests/test_a.py",
        f"{site}/tensorflow/include/a/b.inc",
        f"{site}/numpy/a.pyi",
        f"{site}/botocore/data/ec2/2016/a.json",
        f"{site}/pyarrow/libarrow_flight.so.1",
    ]
    for name in stays + goes:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    trim.main(tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(stays)
    assert capsys.readouterr().out.endswith("0 MB stay.\n")
