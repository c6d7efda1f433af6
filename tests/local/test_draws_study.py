"""A study that repeats split and generator, every real step."""

import json
from pathlib import Path

import pytest
from program import augstudy

from augstudy.core import artifacts
from augstudy.pages import kfp_metrics
from augstudy.results import files
from augstudy.results.material import read_arm
from augstudy.results.models import Study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the smoke study was run with two draws of two seeds."""
    folder = tmp_path_factory.mktemp("draws")
    asked = ("--set=draws=2", "--set=level=6", "--set=test_per_class=20")
    done = augstudy(folder, "run", "--preset", "smoke", "--arms", "real,add:1", *asked)
    assert done.returncode == 0, done.stderr
    (folder / "out.txt").write_text(done.stdout)
    return folder


def made(study: Path, kind: str) -> list[artifacts.Artifact]:
    manifests = sorted((study / "runs/0001/artifacts").rglob(artifacts.MANIFEST))
    mine = (path.parent for path in manifests if json.loads(path.read_text())["kind"] == kind)
    return [artifacts.read(path) for path in mine]


def test_each_draw_has_its_own_generator_and_classifiers(study: Path) -> None:
    assert sorted({item.manifest.seed for item in made(study, "gan")}) == [0, 10_000]
    for evaluation in made(study, "evaluation"):
        arm = read_arm(evaluation.path)
        assert (arm.seeds, arm.draws) == ([0, 1, 10_000, 10_001], 2)
        assert arm.correct.shape == (4, 60)
        assert [(item["draw"], item["seed"]) for item in arm.training] == [
            *((0, 0), (0, 1), (1, 10_000), (1, 10_001))
        ]
    trained = {item.manifest.inputs["dataset"] for item in made(study, "classifier")}
    assert len(trained) == 2


def test_the_interval_is_about_draws(study: Path) -> None:
    found = files.read_summary(study / "runs/0001")
    assert isinstance(found, Study)
    difference = found.differences["add:1"]
    assert (difference.draws, difference.seeds, found.data.draws, found.seeds_each) == (2, 4, 2, 2)
    assert difference.sources and difference.sources.draws is not None
    assert found.power.draws == 2
    shown = kfp_metrics.scalars(found)
    assert (shown["12 draws"], shown["12 seeds"]) == (2, 2)


def test_what_a_reader_is_told(study: Path) -> None:
    out = " ".join((study / "out.txt").read_text().split())
    assert "2 draws and 2 seeds make 4 training runs per arm, 8 in all; arms: real" in out
    assert "With 60 test images, 2 draws and 2 seeds" in out
    said = "The study was repeated in 2 draws, each with training images and generators"
    page = (study / "runs/0001/report.html").read_text()
    assert all(said in text for text in (out, page, (study / "runs/0001/verdict.md").read_text()))
    assert "training runs per arm: 2 draws, 2 seeds" in page
    assert "Where the uncertainty comes from" in page and "1, draw 2" in page
