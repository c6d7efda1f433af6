"""What version 1 wrote still reads as what it found, and nothing else passes for results."""

import json
import shutil
from itertools import product
from pathlib import Path

import pytest
from found import promoted, study
from pydantic import ValidationError
from rich.console import Console

from augstudy.cli import results
from augstudy.cli.app import invoke
from augstudy.core.errors import DataError
from augstudy.local.runfolder import refresh_overview
from augstudy.local.runner import Result
from augstudy.pages.verdicts import needed
from augstudy.results import files, version1
from augstudy.results.models import GeneratorSweep, Retraining, Study, Sweep
from augstudy.results.parts import Score
from augstudy.runs.folder import RunsFolder
from augstudy.settings.arms import spelled
from augstudy.stats.codes import Needed
from augstudy.ui.library import Library, Question

OLD = Path(__file__).parents[1] / "data" / "version1"
KINDS = {"study": Study, "sweep": Sweep, "generators": GeneratorSweep}
KINDS |= {"first": Retraining, "held": Retraining}
WORDS = ("answer", "sentence", "outcome", "covers", "title", "flat")
SAID = {
    "study": "Can't tell yet.",
    "sweep": "kernel 5x5 looks best",
    "generators": "Nothing beats the base.",
    "first": "Promoted: there was no champion.",
    "held": "which does not rule out a loss of more than 0.5.",
}


def old(name: str) -> dict:
    """What the program of before wrote."""
    file = OLD / name / ("decision.json" if KINDS[name] is Retraining else "summary.json")
    return json.loads(file.read_text())


def read(name: str):
    summary, decision, damaged = files.load(OLD / name)
    assert not damaged
    return summary or decision


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder of runs as the program of before left them."""
    for number, name in enumerate(KINDS, 1):
        folder = tmp_path / f"{number:04d}"
        shutil.copytree(OLD / name, folder)
        (folder / "record.json").unlink()
        facts = {"id": number, "name": name, "pipeline": name, "state": "done"}
        if KINDS[name] is Retraining:
            facts["parameters"] = {"source": "sample", "level": 40}
        (folder / "run.json").write_text(json.dumps(facts))
        (folder / "report.html").write_text("<p>As it was</p>")
    return tmp_path


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_old_files_become_the_same_models(name: str, kind: type, tmp_path: Path) -> None:
    found = read(name)
    assert type(found) is kind and found.schema_version == 2
    files.write(tmp_path, found)
    assert files.load(tmp_path) == files.load(OLD / name)
    (text,) = (path.read_text() for path in tmp_path.iterdir())
    assert not [word for word in WORDS if f'"{word}"' in text]


@pytest.mark.parametrize("number", range(1, 6))
def test_their_records_are_what_they_were(runs: Path, number: int) -> None:
    name = list(KINDS)[number - 1]
    before = json.loads((OLD / name / "record.json").read_text())
    if name == "generators":
        before["outcome"] = None  # was the headline, a sentence
    for arm in before["arms"]:
        arm |= {"arm": spelled(arm["arm"]), "metric": "accuracy"}
    record = RunsFolder(runs).records()[number - 1]
    assert {key: record[key] for key in before} == before


def test_they_are_listed_reported_and_served(runs: Path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert invoke(["runs", "--runs-dir", str(runs)]) == 0
    listed = capsys.readouterr().out
    assert invoke(["runs", "--runs-dir", str(runs), "--sort", "-id"]) == 0
    listed += capsys.readouterr().out
    assert "kernel=5x5" in listed and "promoted" in listed and "damaged" not in listed
    assert {record["state"] for record in RunsFolder(runs).records()} == {"done"}
    assert refresh_overview(runs) == ""
    assert len((runs / "overview.csv").read_text().splitlines()) == 9
    library = Library(RunsFolder(runs))
    assert library.table(Question(sort="-id"), 0, 50)["total"] == 8
    for number, name in enumerate(KINDS, 1):
        assert library.run(str(number))["record"]["name"] == name
        console = Console(width=200, record=True)
        results.show(console, Result(runs / f"{number:04d}", None, wall_s=9, startup_s=1))
        assert SAID[name] in console.export_text()


@pytest.mark.parametrize(("seeds", "images"), list(product((None, 1, 12), (None, 1, 14_000))))
def test_what_more_it_takes_is_read_off_the_sentence(seeds, images) -> None:
    for more in (Needed(seeds, images, None), Needed(None, None, (seeds or 3, images or 90))):
        said = version1.needs(needed(more))
        assert Needed(**said) == more
    assert version1.needs("more than one seed") is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is damaged"),
        ("[1]", "it is not a mapping"),
        ('{"schema_version": 2, "kind": "study"}', "headline: Field required"),
        ('{"schema_version": 2, "kind": "dream"}', "is damaged"),
        ('{"headline": []}', "is damaged"),
        ('{"schema_version": 3}', "by a newer augstudy .* upgrade to read it"),
    ],
)
def test_nothing_else_is_taken_for_results(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "summary.json").write_text(content)
    with pytest.raises(DataError, match=rf"summary\.json.*{said}"):
        files.read_summary(tmp_path)
    assert files.load(tmp_path) == (None, None, True)


def test_unknown_keys_and_numbers_that_are_none_are_refused() -> None:
    whole = study().model_dump(mode="json")
    assert files.summary(whole) == study()
    with pytest.raises(DataError, match="surprise"):
        files.summary(whole | {"surprise": 1})
    with pytest.raises(ValidationError, match="finite"):
        Score(value=float("nan"), low=0, high=0, std=0, by_seed=(), direction="higher")
    with pytest.raises(ValidationError, match="frozen"):
        promoted().promoted = False
