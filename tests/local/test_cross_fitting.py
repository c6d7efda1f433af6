"""A study in which every image is tested once, every real step, with imported synthetic images."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from program import augstudy

from augstudy.core import artifacts
from augstudy.results import files
from augstudy.results.material import read_arm
from augstudy.results.models import Study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the smoke study was run with two folds."""
    folder = tmp_path_factory.mktemp("folds")
    random = np.random.default_rng(0)
    for name in ("cow", "giraffe", "zebra"):
        (folder / "sd" / name).mkdir(parents=True)
        for number in range(12):
            pixels = random.integers(0, 256, (28, 28), np.uint8)
            Image.fromarray(pixels).save(folder / "sd" / name / f"{number}.png")
    arms = "real,add:0.5,extra_real:0.5"
    asked = ("--set=folds=2", "--set=test_per_class=24", "--set=level=8", "--arms", arms)
    done = augstudy(folder, "run", "--preset", "smoke", "--synthetic", "sd", *asked)
    assert done.returncode == 0, done.stderr
    (folder / "out.txt").write_text(done.stdout)
    return folder


def summary(study: Path) -> Study:
    found = files.read_summary(study / "runs/0001")
    assert isinstance(found, Study)
    return found


def test_all_images_are_tested_by_all_trainings(study: Path) -> None:
    found = summary(study)
    assert (found.data.folds, found.data.images["test"]) == (2, 2 * 24 * 3)
    evaluations = [
        path.parent
        for path in (study / "runs/0001").rglob(artifacts.MANIFEST)
        if json.loads(path.read_text())["kind"] == "evaluation"
    ]
    arms = [read_arm(path) for path in evaluations]
    assert {arm.label for arm in arms} == {"real", "add:0.5", "extra_real:0.5"}
    for arm in arms:
        assert arm.correct.shape == (2, 144) and len(arm.training) == 4
        assert len(set(zip(arm.labels.tolist(), arm.rows.tolist(), strict=True))) == 144


def test_what_a_reader_is_told(study: Path) -> None:
    out = " ".join((study / "out.txt").read_text().split())
    assert "2 folds and 2 seeds make 4 training runs per arm, 12 in all; arms: real" in out
    assert "With 144 test images" in out
    said = "144 images was tested once, by the 2 classifiers of each arm that had seen neither"
    page = (study / "runs/0001/report.html").read_text()
    assert all(said in text for text in (out, page, (study / "runs/0001/verdict.md").read_text()))
    assert "training runs per arm: 2 folds, 2 seeds" in page


def test_a_split_of_the_source_is_refused_before_there_is_a_run(study: Path) -> None:
    for split in ("train", "test"):
        for name in ("cow", "giraffe"):
            (study / "split" / split / name).mkdir(parents=True)
            for number in range(8):
                content = np.full((28, 28), 10 * number + len(name) + len(split), np.uint8)
                Image.fromarray(content).save(study / "split" / split / name / f"{number}.png")
    done = augstudy(study, "run", "--source", "split", "--set", "folds=2", "--arms", "real")
    assert done.returncode == 2
    assert "folds test every image: leave folds out" in " ".join(done.stderr.split())
    assert not (study / "runs/0002").exists()
