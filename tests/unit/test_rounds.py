"""A study that stops when it can tell: its rounds, what it says of each look, and what is typed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from found import difference, paired, study
from rich.console import Console
from studies import build_study

from augstudy.cli.results import show_round
from augstudy.core.errors import InputError
from augstudy.local.parameters import Wanted
from augstudy.local.runner import Result
from augstudy.pages import answers
from augstudy.results import files
from augstudy.results.models import Study
from augstudy.runs import rounds
from augstudy.runs.rounds import Finished, Round
from augstudy.settings.parsing import looks, parse_auto
from augstudy.steps import summarize

LOOKS = [2, 3, 5, 8]
ARMS = (("real", None, 0.0), ("add", 1.0, 0.3), ("classic", None, 0.8))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("rounds")
    made = build_study(folder, ARMS, seeds=(0, 1, 2), classes=("cow", "lion", "zebra"), test=60)
    return {**made, "cams": (), "made": {}}


def summary(out: Path, built: dict[str, Any], **more: Any) -> Study:
    found = files.read_summary(summarize.run(out=out, **built, **more).path)
    assert isinstance(found, Study)
    return found


def test_a_look_makes_intervals_wider_and_their_path_is_kept(
    built: dict[str, Any], tmp_path: Path
) -> None:
    once = summary(tmp_path / "once", built)
    found = summary(tmp_path / "looks", built, looks=LOOKS)
    assert (once.looks, once.path) == ((), {}) and found.looks == (2, 3, 5, 8)
    assert set(found.path) == {"add:1", "classic"}
    for label, path in found.path.items():
        here, there = found.differences[label], once.differences[label]
        assert path[-1] == here.alone and [step.seeds for step in path] == [2, 3]
        assert path[0].by_seed == here.by_seed[:2] and here.mean == there.mean
        assert here.low < there.low and here.high > there.high and here.p > there.p
        assert here.detectable > there.detectable
    for label, recalls in found.recalls.items():
        assert all(item.low <= once.recalls[label][name].low for name, item in recalls.items())


def test_pages_say_that_there_were_looks(built: dict[str, Any], tmp_path: Path) -> None:
    report = summarize.run(out=tmp_path / "looks", **built, looks=LOOKS)
    assert "From look to look" in report.file("report.html").read_text()
    found = files.summary(report.json("summary.json"))
    assert any("looked at after 2 and 3 seeds" in said for said in answers.remarks(found))
    plain = summarize.run(out=tmp_path / "once", **built).file("report.html").read_text()
    assert "From look to look" not in plain


class Runs:
    """Stands for the runner: a run has the verdict on add:1 from so many seeds on."""

    def __init__(self, folder: Path, told_after: int, trained_s: float = 8.0) -> None:
        self.folder, self.told_after, self.trained_s = folder, told_after, trained_s
        self.seeds: list[list[int]] = []
        self.said: list[Round] = []

    def once(self, values: Any) -> Finished[Result]:
        self.seeds.append(list(values["seeds"]))
        count = len(values["seeds"])
        low = 0.01 if count >= self.told_after else -0.01
        found = paired(0.02, low, 0.05, 0.001, seeds=count)
        folder = self.folder / str(count)
        folder.mkdir()
        files.write(folder, study(differences={"add:1": difference(found)}))
        return Result(folder, None, 1.0, 0.5, trained_s=self.trained_s).finished

    def run(self, hours: float | None = None, **values: Any) -> Result:
        given = {"seeds": [0, 1], "looks": LOOKS, **values}
        return rounds.run(given, self.once, self.said.append, hours).run


def test_rounds_go_on_until_there_is_a_verdict(tmp_path: Path) -> None:
    runs = Runs(tmp_path, told_after=4)
    assert runs.run().folder == tmp_path / "5"
    assert [len(seeds) for seeds in runs.seeds] == [2, 3, 5] and runs.seeds[-1] == [0, 1, 2, 3, 4]
    assert [item.end for item in runs.said] == [None, None, "told"]
    assert [item.following for item in runs.said] == [3, 5, None]
    assert runs.said[0].open == ("add:1",) and runs.said[-1].open == ()


def test_no_seeds_are_added_to_classifiers_that_only_guess(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def once(values: Any) -> Finished[int]:
        found = difference(paired(0.0, -0.01, 0.01, 0.9))
        guessed = found.model_copy(update={"verdict": "at chance"})
        return Finished(len(values["seeds"]), study(differences={"add:1": guessed}), 1.0)

    said: list[Round] = []
    assert rounds.run({"seeds": [0, 1], "looks": LOOKS}, once, said.append).run == 2
    assert [(item.end, item.open) for item in said] == [("chance", ("add:1",))]
    show_round(Console(), said[0])
    printed = " ".join(capsys.readouterr().out.split())
    assert "only guess" in printed and "has its verdict" not in printed


def test_seeds_that_were_named_stay(tmp_path: Path) -> None:
    runs = Runs(tmp_path, told_after=5)
    runs.run(seeds=[7, 1])
    assert runs.seeds == [[7, 1], [7, 1, 0], [7, 1, 0, 2, 3]]


def test_rounds_end_with_the_seeds_that_are_allowed(tmp_path: Path) -> None:
    runs = Runs(tmp_path, told_after=99)
    assert runs.run().folder == tmp_path / "8"
    assert runs.said[-1].end == "seeds" and runs.said[-1].open == ("add:1",)


def test_no_round_begins_that_would_end_too_late(tmp_path: Path) -> None:
    runs = Runs(tmp_path, told_after=99, trained_s=8.0)  # two cells at once: 2 s per seed
    runs.run(hours=1.5 / 3600)
    assert [len(seeds) for seeds in runs.seeds] == [2]
    assert runs.said[0].end == "hours" and runs.said[0].expected_s == pytest.approx(2.0)


def test_a_study_without_looks_runs_once(tmp_path: Path) -> None:
    runs = Runs(tmp_path, told_after=99)
    runs.run(looks=[])
    assert len(runs.seeds) == 1 and runs.said == []
    with pytest.raises(InputError, match="auto"):
        runs.run(hours=1, looks=[])


def test_rounds_grow_by_about_half_up_to_the_most() -> None:
    assert looks(3, 12) == [3, 5, 8, 12]
    assert looks(1, 2) == [2] and looks(20, 12) == [12]
    assert all(
        found[-1] == most and found == sorted(set(found))
        for most in range(2, 60)
        for found in (looks(2, most), looks(3, most))
    )


def test_what_is_typed() -> None:
    assert (parse_auto("auto"), parse_auto("auto:20"), parse_auto("0-4")) == (12, 20, None)
    for wrong in ("auto:1", "auto:100000"):
        with pytest.raises(InputError, match="auto:20"):
            parse_auto(wrong)
    values = Wanted("augmentation_study", "smoke", seeds="auto:6").values()
    assert (values["seeds"], values["looks"]) == ([0, 1], [2, 4, 6])
    with pytest.raises(InputError, match="name them"):
        Wanted("cnn_tuning", "smoke", seeds="auto").values()


def test_looks_must_fit_the_seeds() -> None:
    wanted = Wanted("augmentation_study", "smoke", settings=["looks=[2, 4]"])
    assert wanted.values()["looks"] == [2, 4]
    with pytest.raises(InputError, match="3 seeds"):
        replace(wanted, seeds="0-2").values()
    for wrong in ("[1, 2]", "[2, 2]", "[4, 2]"):
        with pytest.raises(InputError, match="ascend"):
            replace(wanted, settings=[f"looks={wrong}"]).values()


def test_results_of_before_have_no_looks() -> None:
    content = json.loads(study().model_dump_json())
    del content["looks"], content["path"]
    found = files.summary(content)
    assert isinstance(found, Study) and found.looks == ()
