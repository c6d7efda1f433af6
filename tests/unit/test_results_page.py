"""The results page: made-up studies in, sentences that the numbers bear out."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from found import arm
from generated import build_gan
from studies import build_study

from augstudy.core import artifacts
from augstudy.steps import summarize

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import make_results  # noqa: E402
import published  # noqa: E402
import results_page  # noqa: E402
import student_report  # noqa: E402

ARMS = (
    ("real", None, 0.0),
    ("replace", 0.3, 0.0),
    ("add", 1.0, 0.2),
    ("extra_real", 1.0, 0.4),
    ("mislabelled", 0.3, -2.0),
)
SKILL = {4: 0.0, 8: 1.5}


def add_run(runs: Path, number: int, level: int, first: int, **record: object) -> Path:
    """A finished run of the made-up study, as `augstudy run` leaves it."""
    folder = runs / f"{number:04d}"
    arms = [(arm, share, skill + SKILL[level]) for arm, share, skill in ARMS]
    made = build_study(folder / "artifacts", arms, train=level)
    study = {"source": "file:///home/me/drawings", "classifier": "modern", "gan": "compact"}
    gan = build_gan(folder / "artifacts" / "gan", artifacts.read(made["dataset"]), per_class=1)
    made |= {"out": folder / "artifacts" / "report", "study": study}
    made["made"]["compact"]["gan"] = gan.path
    report = summarize.run(**made)
    (folder / "summary.json").write_bytes(report.file("summary.json").read_bytes())
    facts = {
        "id": number,
        "state": "done",
        "preset": "scarcity",
        "started": "2026-11-20T10:00:00+00:00",
        "finished": "2026-11-20T11:00:00+00:00",
        "duration_s": 3600.0,
        "reused": 0,
        "version": "0.1",
        "code": "abc",
        "hardware": {"cpu": "A processor", "cores": 2, "memory_gib": 8.0},
        "parameters": study,
        "series": {"levels": [4, 8], "first": first},
        **record,
    }
    (folder / "run.json").write_text(json.dumps(facts))
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    add_run(folder, 1, 4, first=1)
    add_run(folder, 2, 8, first=1)
    add_run(folder, 3, 4, first=3)  # a newer one that was not finished
    return folder


@pytest.fixture
def found(runs: Path) -> dict:
    return make_results.collect(runs, "scarcity")


def test_the_most_whole_study_is_collected(found):
    assert [level["run"] for level in found["levels"]] == [1, 2]
    assert [level["data"]["level"] for level in found["levels"]] == [4, 8]
    assert found["levels"][1]["arms"]["real"]["metrics"]["accuracy"]["by_seed"]
    assert len(json.dumps(found)) < 100_000
    assert found["same_test_images"] is False  # they follow the training images in the file


def test_nothing_tells_where_things_were(found):
    assert "/home/me" not in json.dumps(found)
    assert found["command"] == "make study PRESET=scarcity SOURCE=file://FOLDER"


def test_a_run_with_an_imported_set_is_named_and_told_how_to_repeat(runs, tmp_path):
    shutil.copytree(runs / "0001", tmp_path / "0007")
    path = tmp_path / "0007" / "run.json"
    facts = json.loads(path.read_text())
    facts |= {"id": 7, "changed": {"level": 4}, "series": None}
    sets = [{"set": "sd", "source": "file:///home/me/sd"}]
    facts["parameters"] |= {"sets": sets, "level": 4}
    path.write_text(json.dumps(facts))
    given = ["scarcity", "--runs-dir", str(tmp_path), "--out", str(tmp_path / "out")]
    assert make_results.main([*given, "--run", "7", "--name", "scarcity_sd"]) == 0
    found = json.loads((tmp_path / "out" / "scarcity_sd.json").read_text())
    assert found["command"].endswith("SOURCE=file://FOLDER SYNTHETIC=sd=file://FOLDER LEVEL=4")
    assert "/home/me" not in json.dumps(found)
    assert make_results.main([*given, "--run", "8"]) == 2


def test_costs_are_those_of_the_makers(runs, found):
    made = json.loads((runs / "0001/artifacts/report/manifest.json").read_text())["provenance"]
    assert found["levels"][0]["cost"]["cpu_s"] >= round(made["cpu_s"], 1) > 0
    assert found["cost"]["elapsed_s"] == 7200


def test_a_study_summarised_anew_took_as_long_as_the_first_time(runs, tmp_path):
    for number, reused, seconds in ((1, 0, 3600.0), (2, 0, 3600.0), (3, 9, 60.0)):
        target = tmp_path / f"{number:04d}"
        shutil.copytree(runs / target.name, target)
        facts = json.loads((target / "run.json").read_text())
        facts |= {"reused": reused, "duration_s": seconds}
        facts["parameters"] = {**facts["parameters"], "level": 8 if number == 2 else 4}
        (target / "run.json").write_text(json.dumps(facts))
    found = make_results.collect(tmp_path, "scarcity")
    assert [level["cost"]["elapsed_s"] for level in found["levels"]] == [3600, 3600]
    again = json.loads((tmp_path / "0003" / "run.json").read_text())
    assert make_results.made_by(tmp_path, again)["id"] == 1


def test_a_note_stands_on_the_page(runs, tmp_path):
    given = ["scarcity", "--runs-dir", str(runs), "--out", str(tmp_path), "--note", "Mind this."]
    assert make_results.main(given) == 0
    found = json.loads((tmp_path / "scarcity.json").read_text())
    assert results_page.section(published.read(found))[-2] == "Mind this."


def test_a_preset_without_runs(runs, tmp_path, capsys):
    arguments = ["low_data", "--runs-dir", str(runs), "--out", str(tmp_path)]
    assert make_results.main(arguments) == 2
    assert "make study PRESET=low_data" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_page_and_figure_from_the_file(runs, tmp_path, capsys):
    results = tmp_path / "results"
    assert make_results.main(["scarcity", "--runs-dir", str(runs), "--out", str(results)]) == 0
    page = results_page.page(results, ROOT / "benchmarks" / "results")
    results_page.figures(results, tmp_path / "images")
    assert (tmp_path / "images" / "results-scarcity.png").read_bytes().startswith(b"\x89PNG")
    assert "![Accuracy of every arm by level](images/results-scarcity.png)" in page
    assert "- `replace:0.3` at level 8 is" in page
    assert "### Level 4" in page and "### Level 8" in page
    found = json.loads((results / "scarcity.json").read_text())
    assert "| `add:1` minus `extra_real:1` | " in page
    trusted = found["levels"][1]["label_noise"]["arms"]["add:1"]["left"]
    assert f"{100 * trusted:.1f} % | " in page and "confident learning does not doubt" in page
    accuracy = found["levels"][1]["arms"]["replace:0.3"]["metrics"]["accuracy"]
    assert f"{100 * accuracy['value']:.1f} % (" in page
    assert "A processor, 2 cores, 8.0 GiB; 2 h 00 min from start to end" in page
    for said in ("0.81 each", "0.42, 0.628", "0.60, 0.58", "tiger with zebra", "0.67"):
        assert said in page


def test_every_recipe_of_the_benchmark_is_named(found):
    accuracy = json.loads((ROOT / "benchmarks" / "results" / "accuracy.json").read_text())
    rows = student_report.recipes(accuracy)
    assert any("at 254 per class" in row[2] for row in rows)
    assert any(row[2] == "not run" for row in student_report.recipes({"recipes": {}}))


def verdicts(found: dict, label: str, *words: str, kind: str = "") -> published.Published:
    """The levels with these verdicts on an arm (of this kind), and no others."""
    levels = []
    for level, word in zip(published.read(found).levels, words, strict=True):
        difference = level.differences[label].model_copy(update={"verdict": word})
        arm = level.arms[label].model_copy(update={"arm": kind} if kind else {})
        changes = {"differences": {label: difference}, "arms": level.arms | {label: arm}}
        levels.append(level.model_copy(update=changes))
    return published.Published(found, levels, [])


@pytest.mark.parametrize(
    ("words", "conclusion"),
    [
        (("helps", "helps"), "helped in `replace:0.3` and hurt nowhere"),
        (("hurts", "no difference"), "helped nowhere and hurt in"),
        (("helps", "hurts"), "helped in `replace:0.3` and hurt in `replace:0.3`"),
        (("can't tell yet",) * 2, "made no arm clearly better or worse"),
    ],
)
def test_words_follow_the_verdicts(found, words, conclusion):
    said = results_page.answers(verdicts(found, "replace:0.3", *words).levels)
    assert conclusion in said[0]
    cells = said[2].splitlines()[2].split(" | ")
    assert [cell.strip(" |").split(", ")[1] for cell in cells[1:]] == list(words)


def test_help_of_classic_augmentation_is_no_help_of_generated_images(found):
    other = verdicts(found, "replace:0.3", "helps", "helps", kind="classic_add")
    assert "made no arm clearly better" in results_page.answers(other.levels)[0]
    assert student_report.conclusion_cell(other) == "not at any level"


def test_a_control_that_helps_is_no_help_of_generated_images(found):
    control = verdicts(found, "mislabelled:0.3", "helps", "helps")
    assert "made no arm clearly better" in results_page.answers(control.levels)[0]
    assert student_report.conclusion_cell(control) == "not at any level"


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        (0.67, 0.80, "is reproduced, and correct labels undo it"),
        (0.67, 0.68, "falls with correct labels, too"),
        (0.80, 0.80, "is not reproduced"),
    ],
)
def test_the_fault_is_judged_by_its_numbers(wrong, right, said):
    arms = (arm().model_copy(update={"train_accuracy": value}) for value in (wrong, right))
    line = student_report.fault_line(254, 30, 0.81, *arms)
    assert line.startswith("- level 254, 30 %: 0.81 without")
    assert said in line
    assert f"{wrong:.2f} with the fault, {right:.2f} with correct labels" in line


def test_a_study_in_several_starts_has_no_time_of_its_own(found):
    whole = results_page.made(found)
    assert "from start to end" in whole
    parts = results_page.made(found | {"cost": found["cost"] | {"reused": 3}})
    assert "from start to end" not in parts and "of steps, of which two run at once" in parts
