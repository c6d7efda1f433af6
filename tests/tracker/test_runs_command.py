"""``augstudy runs`` and its commands, through the real command line."""

import csv
import json
from pathlib import Path

import pytest
from recorded import add

from augstudy.cli.app import invoke
from augstudy.pages.tables import SHOWN
from augstudy.runs.record import FIELDS


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs, one of them not finished."""
    folder = tmp_path / "runs"
    for accuracy in (0.6, None, 0.9):
        add(folder, accuracy)
    monkeypatch.setenv("AUGSTUDY_RUNS", str(folder))
    monkeypatch.setenv("COLUMNS", "300")
    return folder


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """What the program wrote."""
    capsys.readouterr()
    assert invoke(["runs", *arguments]) == code
    captured = capsys.readouterr()
    return captured.out if code == 0 else captured.err


def test_without_a_word_the_same_table(runs: Path, capsys, tmp_path: Path) -> None:
    out = said(capsys)
    assert out == said(capsys, "list") == said(capsys, "--columns", ",".join(SHOWN))
    assert [line.split()[:2] for line in out.splitlines()[:3]] == [
        ["Run", "Arm"],
        ["3", "real"],
        ["3", "add:1"],
    ]
    said(capsys, "--csv", str(tmp_path / "out.csv"), "--html", str(tmp_path / "page" / "out.html"))
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert len(lines) == len(out.splitlines()) == 6 and lines[0] == ",".join(FIELDS)
    page = (tmp_path / "page" / "out.html").read_text()
    assert page.count('href="../runs/0003/index.html"') == 2


def test_filter_and_order(runs: Path, capsys, tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    out = said(capsys, "--where", 'accuracy>0.5 and arm=="add"', "--sort", "-accuracy")
    rows = [line.split()[:2] for line in out.splitlines()[1:]]
    assert rows == [["3", "add:1"], ["1", "add:1"]]
    out = said(capsys, "--columns", "id,cpu_s", "--sort", "id", "--html", str(page))
    assert " ".join(out.split()) == "Run CPU 1 20 s 1 20 s 2 3 20 s 3 20 s"
    assert "90.0" in page.read_text() and "http" not in page.read_text()
    assert "2 more" in said(capsys, "--sort", "id", "--limit", "3")


def test_show_and_note(runs: Path, capsys) -> None:
    said(capsys, "note", "3", "[bold]=1+1")
    out = said(capsys, "show", "0003")
    assert "[bold]=1+1" in out and "add:1" in out and "+2.0 (-1.0 to +5.0)" in out
    assert "[bold]=1+1" in said(capsys)
    said(capsys, "note", "3", "")
    assert "=1+1" not in said(capsys, "show", "3")


def test_exports(runs: Path, capsys, tmp_path: Path) -> None:
    for ending in ("csv", "json", "html", "parquet"):
        said(capsys, "export", str(tmp_path / f"x.{ending}"), "--where", 'arm == "add"')
    with (tmp_path / "x.csv").open() as stream:
        first = next(csv.DictReader(stream))
    assert list(first) == list(FIELDS) and (first["id"], first["seeds"]) == ("3", "2")
    rows = json.loads((tmp_path / "x.json").read_text())
    assert [row["accuracy"] for row in rows] == [0.9, 0.6]
    assert rows[0]["settings"]["classifier"] == "modern"
    from pyarrow import parquet

    table = parquet.read_table(tmp_path / "x.parquet").to_pydict()
    assert (table["id"], table["accuracy"], table["p"]) == ([3, 1], [0.9, 0.6], [0.2, 0.2])
    assert table["note"] == ["", ""] and table["share"] == [None, None]


def test_reindex(runs: Path, capsys) -> None:
    assert "All files" not in said(capsys, "show", "3")  # as no page of it was made
    said(capsys, "reindex")
    before = said(capsys, "show", "3")
    assert str(runs / "0003" / "index.html") in before
    (runs / "index.jsonl").unlink()
    assert "3 run(s)" in said(capsys, "reindex")
    assert said(capsys, "show", "3") == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["show", "9"], "There is no run '9'; the newest is 3"),
        (["note", "x", "y"], "There is no run 'x'"),
        (["export", "x.txt"], "ends in none of .csv"),
        (["--where", "acuracy > 1"], "did you mean 'accuracy'?"),
        (["--columns", "id,size"], "There is no column 'size'"),
        (["--png", "x.png"], "add --cluster"),
        (["--store", "ftp://x"], "Unknown scheme ftp://"),
        (["--runs-dir", "nowhere"], "There is no folder nowhere"),
    ],
)
def test_mistakes(runs: Path, capsys, arguments: list[str], sentence: str) -> None:
    assert sentence in " ".join(said(capsys, *arguments, code=2).split())
