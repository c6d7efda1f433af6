"""The page on extending: its code, put where it says, is at work in a study and what it leaves."""

import base64
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from ingest.pictures import encoded
from program import environment
from sklearn.metrics import matthews_corrcoef

from augstudy.core import artifacts
from augstudy.pages import kfp_metrics
from augstudy.results import files

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text()
ARM = "add_mirrored:1"
EXAMPLE = re.compile(r"^(Append to|New file) `([^`]+)`:\n\n```python\n(.*?)^```", re.M | re.S)

# Enough training to be better than chance: a score that is 0 tells nothing.
SMALL = "--preset smoke --set classifier_settings.epochs=20 --set judge_settings.cas_steps=0"


def commands() -> list[str]:
    """The commands of the page, each on one line."""
    (block,) = re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S)
    return block.replace("\\\n", "").splitlines()


def extend(checkout: Path) -> None:
    """Make a copy of the code, extended as the page says."""
    for name in ("src", "components", "pipelines"):
        shutil.copytree(ROOT / name, checkout / name)
    for how, name, code in EXAMPLE.findall(PAGE):
        path = checkout / name
        assert path.exists() == (how == "Append to"), name
        text = path.read_text() + "\n\n" if path.exists() else ""
        path.write_text(text + code)


def pack(file: Path) -> None:
    """The drawings that come with the package as the lines that the page reads."""
    sample = resources.files("augstudy.data") / "sample" / "mammals.npz"
    with sample.open("rb") as stream, file.open("w") as lines:
        drawings = np.load(stream, allow_pickle=False)
        for name in ("cow", "giraffe", "zebra"):
            for image in drawings[name].reshape(-1, 28, 28):
                content = base64.b64encode(encoded(image)).decode()
                lines.write(json.dumps({"label": name, "image": content}) + "\n")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the commands were run, with the smoke preset in the place of a real one."""
    folder = tmp_path_factory.mktemp("extended")
    extend(folder / "checkout")
    pack(folder / "drawings.jsonl")
    for line in commands():
        done = extended(folder, line.replace("--preset quick", SMALL).replace("/data", str(folder)))
        assert done.returncode == 0, (line, done.stderr)
        with (folder / "out.txt").open("a") as out:
            out.write(done.stdout)
    return folder


def extended(folder: Path, line: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of the extended code."""
    program, *arguments = shlex.split(line)
    assert program == "augstudy"
    paths = os.pathsep.join(str(folder / "checkout" / name) for name in ("src", ""))
    return subprocess.run(
        [sys.executable, "-m", "augstudy.cli", *arguments],
        cwd=folder,
        env=environment(folder) | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )


def made(study: Path, kind: str) -> dict[str, artifacts.Artifact]:
    """The artifacts of a kind, by arm."""
    run = study / "runs" / "0001" / "artifacts"
    found = [artifacts.read(path.parent) for path in run.rglob(artifacts.MANIFEST)]
    mine = [item for item in found if item.manifest.kind == kind]
    return {
        item.json("arm.json")["label"] if "arm.json" in item.manifest.files else "": item
        for item in mine
    }


def test_every_kind_of_extension_has_an_example() -> None:
    places = [name for _, name, _ in EXAMPLE.findall(PAGE)]
    assert len(places) == len(set(places)) == PAGE.count("```python") == 8


def test_what_the_page_points_to_is_there() -> None:
    roots = [ROOT, ROOT / "src" / "augstudy", ROOT / "src" / "augstudy" / "models"]
    named = set(re.findall(r"`([a-z_/]+(?:/|\.py|\.md))`", PAGE))
    new = {name for how, name, _ in EXAMPLE.findall(PAGE) if how == "New file"}
    assert len(named) > 20
    for name in named - new:
        assert any((root / name).exists() for root in roots), name


def test_the_arm_is_trained_and_compared(study: Path) -> None:
    summary = json.loads((study / "runs/0001/summary.json").read_text())
    arms = summary["arms"]
    assert arms[ARM]["training_images"] == 3 * arms["real"]["training_images"]
    assert summary["headline"]["arm"] == ARM
    assert (
        "100 % synthetic images and the mirror image of each"
        in (study / "runs/0001/verdict.md").read_text()
    )
    assert "synthetic added, and mirrored</td>" in (study / "runs/0001/report.html").read_text()


def test_the_classifier_is_what_was_trained_and_explained(study: Path) -> None:
    for arm in made(study, "classifier").values():
        with zipfile.ZipFile(arm.file("seed-0/model.keras")) as model:
            assert model.read("config.json").count(b'"SeparableConv2D"') == 3
        assert arm.manifest.config["settings"]["optimizer"]["learning_rate"] == 2e-3
    assert set(made(study, "cam")) == {"real", ARM}


def test_the_generator_is_what_drew(study: Path) -> None:
    (gan,) = made(study, "gan").values()
    with zipfile.ZipFile(gan.file("generator.keras")) as model:
        assert "generator_dense_2" in model.read("config.json").decode()


def test_the_figure_is_measured_and_told(study: Path) -> None:
    (synthetic,) = made(study, "synthetic").values()
    quality = synthetic.json("quality.json")
    found = quality["metrics"]["ink"]
    assert found["low"] < found["value"] < found["high"] and found["direction"] == "as real"
    assert found["real"] == pytest.approx(1, abs=0.5)
    assert all("ink" in quality["per_class"][name] for name in ("cow", "giraffe", "zebra"))
    summary = json.loads((study / "runs/0001/summary.json").read_text())
    assert kfp_metrics.scalars(files.summary(summary))["51 synthetic, Ink"] == pytest.approx(
        found["value"], rel=1e-3
    )
    assert "strokes are thin, broken" in (study / "runs/0001/report.html").read_text()


def test_the_source_was_read(study: Path) -> None:
    (dataset,) = made(study, "dataset").values()
    assert dataset.manifest.provenance["source"] == f"{study}/drawings.jsonl"
    sample = resources.files("augstudy.data") / "sample" / "mammals.npz"
    with sample.open("rb") as stream:
        cows = np.load(stream, allow_pickle=False)["cow"].reshape(-1, 28 * 28)
    images = np.load(dataset.file("train_images.npy")).reshape(-1, 28 * 28)
    known = {row.tobytes() for row in cows}
    assert sum(row.tobytes() in known for row in images) == len(images) / 3
    refused = extended(study, "augstudy ingest --source cats --out cats")
    assert refused.returncode == 2 and "gs://bucket/images.jsonl" in refused.stderr


def test_the_score_is_everywhere(study: Path) -> None:
    values = []
    for evaluation in made(study, "evaluation").values():
        with np.load(evaluation.file("predictions.npz"), allow_pickle=False) as stored:
            said, labels = stored["probabilities"].argmax(axis=-1), stored["labels"]
        found = evaluation.json("metrics.json")["metrics"]["mcc"]
        expected = [matthews_corrcoef(labels, row) for row in said]
        assert found["by_seed"] == pytest.approx(expected)
        values += expected
        assert found["low"] <= found["value"] <= found["high"]
    assert len(values) == 4 and any(values)
    assert ">MCC</th>" in (study / "runs/0001/report.html").read_text()
    assert ">MCC</th>" in (study / "comparison.html").read_text()
    lines = (study / "out.txt").read_text().splitlines()
    (heading,) = [line.split() for line in lines if line.split()[:3] == ["Run", "Arm", "Accuracy"]]
    assert "MCC" in heading
