"""Whatever is in the folder of runs, the others are listed: 100 damages at random, and by name."""

import io
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recorded import add
from rich.console import Console

from augstudy.cli.app import invoke
from augstudy.core import artifacts
from augstudy.local.runfolder import settle
from augstudy.pages import run_page, tables
from augstudy.results import files
from augstudy.runs import index, query
from augstudy.runs.folder import NOTE, RECORD, RUN, RunsFolder
from augstudy.runs.record import FIELDS, newest_first, rows
from augstudy.ui.library import Library, Question

RUNS = 5
FILES = (RUN, files.SUMMARY, RECORD, NOTE)
ACCURACIES = {f"{number:04d}": 0.5 + number / 100 for number in range(1, RUNS + 1)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five finished runs."""
    folder = tmp_path_factory.mktemp("whole") / "runs"
    folder.mkdir()
    for accuracy in ACCURACIES.values():
        made = add(folder, accuracy)
        (made.path / NOTE).write_text("a note\n")
        with artifacts.publish(made.root / "gan", "gan") as draft:
            (draft / "stability.json").write_text("{}")
    RunsFolder(folder).records()
    return folder


@pytest.fixture
def runs(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "runs"))


def replaced(path: Path, make: Callable[[Path], object]) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    make(path)


def cut(path: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(len(content))])


def flip(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(chance.randint(1, 20)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    path.write_bytes(content)


def odd_value(path: Path, chance: random.Random) -> None:
    """Put another value somewhere into a JSON file."""
    held = json.loads(path.read_text())
    at: Any = held
    for _ in range(chance.randint(0, 4)):
        inside = at.values() if isinstance(at, dict) else at
        deeper = [item for item in inside if isinstance(item, dict | list) and item]
        if not deeper:
            break
        at = chance.choice(deeper)
    key = chance.choice(list(at) if isinstance(at, dict) else range(len(at)))
    odd = (None, True, -1, 10**30, 1e308, float("nan"), float("-inf"), "x", "\udce9", [], {}, [[1]])
    at[key] = chance.choice(odd)
    path.write_text(json.dumps(held))


def deep(path: Path, chance: random.Random) -> None:
    brackets = chance.choice([100, 500, 100_000])
    path.write_text(f'{{"state": "done", "parameters": {"[" * brackets}{"]" * brackets}}}')


IN_FILES: tuple[Callable[[Path, random.Random], object], ...] = (
    cut,
    flip,
    deep,
    lambda path, _: path.unlink(),
    lambda path, _: path.write_bytes(b""),
    lambda path, _: path.write_bytes(b"\xff\xfe caf\xe9"),
    lambda path, chance: path.write_text(chance.choice(["[]", "3", "null", '"x"', "NaN", "{}"])),
    lambda path, _: replaced(path, Path.mkdir),
    lambda path, _: replaced(path, os.mkfifo),
    lambda path, _: replaced(path, lambda it: it.symlink_to("nowhere")),
    lambda path, _: replaced(path, lambda it: it.symlink_to(it.name)),
    lambda path, _: replaced(path, lambda it: it.symlink_to("/dev/zero")),
)
OF_RUNS: tuple[Callable[[Path, random.Random], object], ...] = (
    lambda path, _: replaced(path, lambda it: it.symlink_to("0099")),
    lambda path, _: replaced(path, lambda it: it.symlink_to(it.name)),
    lambda path, _: replaced(path, lambda it: it.write_text("a file")),
    lambda path, _: replaced(path, os.mkfifo),
    lambda path, _: shutil.rmtree(path),
    lambda path, _: path.rename(path.with_name(os.fsdecode(b"caf\xe9"))),
    lambda path, _: path.rename(path.with_name("9" * 30)),
    lambda path, _: [item.unlink() for item in path.rglob(artifacts.MANIFEST)],
    lambda path, chance: [deep(item, chance) for item in path.rglob(artifacts.MANIFEST)],
)


def damage(runs: Path, chance: random.Random) -> str:
    """Damage a run, and perhaps the index; which run."""
    name = chance.choice(sorted(ACCURACIES))
    if chance.random() < 0.3:
        chance.choice(OF_RUNS)(runs / name, chance)
    else:
        target = runs / name / chance.choice(FILES)
        made = odd_value if target.suffix == ".json" and chance.random() < 0.5 else None
        (made or chance.choice(IN_FILES))(target, chance)
    if chance.random() < 0.3:
        chance.choice((cut, flip))(runs / index.NAME, chance)
    return name


def all_others_are_listed(runs: Path, victim: str) -> None:
    """In every way in which runs are listed."""
    settle(runs)
    book = RunsFolder(runs)
    found = {record["key"]: record for record in book.records()}
    for name, accuracy in ACCURACIES.items():
        if name != victim:
            assert found[name]["state"] == "done", name
            assert found[name]["arms"][0]["accuracy"] == pytest.approx(accuracy)
    listed = list(rows(newest_first(found.values())))
    Console(file=io.StringIO()).print(tables.render(listed, list(FIELDS.values())))
    for field in FIELDS:
        query.arrange(listed, f"-{field}")
    for kind in ("csv", "json", "html", "parquet"):
        tables.write(listed, runs.parent / f"all.{kind}", runs)
    run_page.write_missing(book)
    library = Library(RunsFolder(runs))
    shown = library.table(Question(), 0, 100)
    for name in (*FIELDS, *(item["name"] for item in library.settings())):
        grouped = library.table(Question(group=name), 0, 100)
        assert grouped["total"] == shown["total"] < grouped["lines"], name
    library.points(Question(), ["level", "accuracy", "settings.level"], "settings.level")
    assert json.loads(json.dumps(shown, allow_nan=False))["all"] == len(listed)
    assert book.rebuild() >= RUNS - 1
    again = {record["key"] for record in RunsFolder(runs).records()}
    assert again >= set(ACCURACIES) - {victim}


@pytest.mark.parametrize("seed", range(100))
def test_the_others_are_listed_after_a_random_damage(runs: Path, seed: int) -> None:
    all_others_are_listed(runs, damage(runs, random.Random(seed)))


@pytest.mark.parametrize("at", range(len(IN_FILES)))
@pytest.mark.parametrize("name", [RUN, files.SUMMARY])
def test_the_others_are_listed_after_each_damage(runs: Path, at: int, name: str) -> None:
    IN_FILES[at](runs / "0003" / name, random.Random(0))
    all_others_are_listed(runs, "0003")


@pytest.mark.parametrize("at", range(len(OF_RUNS)))
def test_the_others_are_listed_whatever_became_of_a_run(runs: Path, at: int) -> None:
    OF_RUNS[at](runs / "0003", random.Random(0))
    all_others_are_listed(runs, "0003")


@pytest.mark.parametrize("at", range(len(IN_FILES)))
@pytest.mark.parametrize("name", [RUN, files.SUMMARY])
def test_commands_do_with_the_others_what_they_always_do(
    runs: Path, at: int, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    IN_FILES[at](runs / "0003" / name, random.Random(0))
    for words in (("show", "2"), (), ("export", str(runs.parent / "all.csv")), ("reindex",)):
        assert invoke(["runs", *words, "--runs-dir", str(runs)]) == 0, words
    assert invoke(["runs", "show", "3", "--runs-dir", str(runs)]) in (0, 2, 4)
    assert invoke(["compare", "2:real", "3:real", "--runs-dir", str(runs)]) in (0, 2, 4)
    assert "bug" not in capsys.readouterr().err


@pytest.mark.parametrize("entry", ["dangling", "loop", "file", "fifo", "hidden"])
def test_what_is_no_run_is_none(runs: Path, entry: str) -> None:
    make: dict[str, Callable[[Path], object]] = {
        "dangling": lambda it: it.symlink_to("0099"),
        "loop": lambda it: it.symlink_to(it.name),
        "file": lambda it: it.write_text("x"),
        "fifo": os.mkfifo,
        "hidden": lambda it: it.with_name(".latest").mkdir(),
    }
    make[entry](runs / "latest")
    assert [record["key"] for record in RunsFolder(runs).records()] == sorted(ACCURACIES)


def test_what_was_damaged_is_listed_once_it_is_mended(runs: Path) -> None:
    path = runs / "0002" / RUN
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"state"', b"\xffstate\xff"))
    times = path.stat()
    book = RunsFolder(runs)
    assert {record["key"]: record["state"] for record in book.records()}["0002"] == "damaged"
    size = (runs / index.NAME).stat().st_size
    book.records()
    assert (runs / index.NAME).stat().st_size == size  # nothing new is known of it
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert {record["key"]: record["state"] for record in book.records()}["0002"] == "done"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody who may not read")
def test_what_may_not_be_read_is_damaged_until_it_may_be(runs: Path) -> None:
    """Listed by somebody who may not look into one of the runs, and not write."""
    code = f"""
import json, os, sys
from pathlib import Path
from augstudy.runs.folder import RunsFolder
os.setgid(65534), os.setuid(65534)
print(json.dumps({{it["key"]: it["state"] for it in RunsFolder(Path({str(runs)!r})).records()}}))
"""

    def listed() -> dict[str, str]:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    for above in (runs, *runs.parents):
        if above.stat().st_uid == os.getuid():
            above.chmod(above.stat().st_mode | 0o055)
    (runs / index.NAME).unlink()  # else it is known what they hold
    (runs / "0002").chmod(0o700)
    (runs / "0004" / RUN).chmod(0o600)
    expected = dict.fromkeys(ACCURACIES, "done")
    assert listed() == expected | {"0002": "damaged", "0004": "damaged"}
    (runs / "0002").chmod(0o755)
    (runs / "0004" / RUN).chmod(0o644)
    assert listed() == expected


def test_a_run_that_is_deleted_while_the_list_is_made_is_not_made_anew(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book, make = RunsFolder(runs), RunsFolder._make
    (runs / index.NAME).unlink()

    def make_and_delete(self: RunsFolder, name: str, known: index.Index) -> Any:
        made = make(self, name, known)
        if name == "0003":
            shutil.rmtree(runs / name)
        return made

    monkeypatch.setattr(RunsFolder, "_make", make_and_delete)
    assert {record["key"] for record in book.records()} >= set(ACCURACIES) - {"0003"}
    assert not (runs / "0003").exists()
