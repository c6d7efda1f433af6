"""The comparison of two runs finds what differs, and only that."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from augstudy.core import artifacts

ROOT = Path(__file__).parents[2]
PAGE = "<p>0.9</p><details><summary>Software</summary><p>{}</p></details><p>{}</p>"


@pytest.fixture(scope="module")
def comparison() -> ModuleType:
    path = ROOT / "scripts" / "container_compare.py"
    spec = importlib.util.spec_from_file_location("container_compare", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_run(root: Path, software: str, number: str = "1") -> Path:
    for name, file, text in (
        ("ingest/dataset", "classes.json", "[]"),
        ("summarize/report", "report.html", PAGE.format(software, number)),
    ):
        with artifacts.publish(root / "study-1" / name, "any") as draft:
            (draft / file).write_text(text)
    return root


def test_software_may_differ_and_nothing_else(comparison: ModuleType, tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", "python 3.11.2")
    second = write_run(tmp_path / "b", "python 3.11.7")
    assert comparison.compare(first, second) == []
    third = write_run(tmp_path / "c", "python 3.11.2", number="2")
    assert comparison.compare(first, third) == ["summarize/report/report.html differs"]


def test_what_is_missing_or_altered_is_told(comparison: ModuleType, tmp_path: Path) -> None:
    first, second = write_run(tmp_path / "a", "x"), write_run(tmp_path / "b", "x")
    (first / "study-1/ingest/dataset/classes.json").write_text("[1]")
    shutil.rmtree(second / "study-1/summarize")
    assert comparison.compare(first, second) == [
        f"summarize/report is missing in {second}",
        "ingest/dataset/classes.json differs",
    ]
    (tmp_path / "empty").mkdir()
    empty = tmp_path / "empty"
    assert comparison.compare(empty, empty) == [f"There is no artifact in {empty}"]
