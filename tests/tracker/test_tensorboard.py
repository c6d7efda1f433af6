"""Event files for TensorBoard: every training with the figures that its history holds."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from recorded import add, build_run

from augstudy.cli.app import invoke
from augstudy.core import artifacts
from augstudy.runs import histories
from augstudy.runs.folder import RunsFolder
from augstudy.runs.shelf import Shelf

ARMS = (("real", None, 0.0), ("add", 1.0, 0.5))
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("boards") / "runs"
    secret = {"token": "hunter2", "title": "a|b\n<script>"}
    build_run(folder, ARMS, SEEDS, settings={"source": "sample", "cluster": secret})
    add(folder)
    return folder


@pytest.fixture(scope="module")
def written(runs: Path) -> Path:
    out = runs.parent / "boards"
    assert invoke(["runs", "tensorboard", "1", "--runs-dir", str(runs), "--out", str(out)]) == 0
    return out / "1"


def read(folder: Path) -> tuple[dict[str, list[tuple[int, float]]], dict[str, str]]:
    """Scalars and texts of a folder, as TensorBoard reads them."""
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    except ImportError:
        return read_without_tensorboard(folder)
    found = EventAccumulator(str(folder)).Reload()
    scalars = {
        name: [(event.step, event.value) for event in found.Scalars(name)]
        for name in found.Tags()["scalars"]
    }
    texts = {
        name: found.Tensors(name)[0].tensor_proto.string_val[0].decode()
        for name in found.Tags()["tensors"]
    }
    return scalars, texts


def read_without_tensorboard(folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
    import tensorflow as tf

    (file,) = folder.glob("events.out.tfevents.*")
    scalars: dict[str, Any] = {}
    texts = {}
    for event in tf.compat.v1.train.summary_iterator(str(file)):
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == "text":
                texts[value.tag] = value.tensor.string_val[0].decode()
            else:
                scalars.setdefault(value.tag, []).append((event.step, value.simple_value))
    return scalars, texts


def rows(runs: Path, part: str) -> list[dict[str, str]]:
    with (runs / "0001" / "artifacts" / "study" / part / "history.csv").open() as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize(("folder", "arm"), [("real", "real"), ("add_1", "add:1")])
@pytest.mark.parametrize("seed", SEEDS)
def test_every_arm_and_seed_has_its_curves(
    runs: Path, written: Path, folder: str, arm: str, seed: int
) -> None:
    scalars, _ = read(written / folder / f"seed-{seed}")
    own = [row for row in rows(runs, f"evaluations/{arm}") if row["seed"] == str(seed)]
    assert set(scalars) == {
        *("train_accuracy", "train_loss", "val_accuracy", "val_loss", "learning_rate")
    }
    for name, column in (("val_accuracy", "val_accuracy"), ("train_loss", "loss")):
        assert [step for step, _ in scalars[name]] == [int(row["epoch"]) for row in own]
        expected = [float(row[column]) for row in own]
        assert [value for _, value in scalars[name]] == pytest.approx(expected)


def test_a_generator_has_its_curves_by_step(runs: Path, written: Path) -> None:
    (folder,) = written.glob("generator*")
    scalars, _ = read(folder)
    recorded = rows(runs, "gan")
    column = next(name for name in recorded[0] if name.endswith("loss"))
    expected = [(int(row["step"]), float(row[column])) for row in recorded if row[column]]
    assert scalars[column] == [(step, pytest.approx(value)) for step, value in expected]


def test_settings_are_texts_without_secrets(runs: Path, written: Path) -> None:
    scalars, texts = read(written)
    assert scalars == {}
    trained_on = next(iter(RunsFolder(runs).records()))["level"]
    assert trained_on not in (None, 30) and f"| level | {trained_on} |" in texts["run"]
    assert "hunter2" not in texts["run"] and "| cluster.token | \\*\\*\\* |" in texts["run"]
    assert "| cluster.title | a\\|b \\<script\\> |" in texts["run"]  # one row, one cell
    assert "None" not in "".join(texts.values())


def test_writing_again_changes_nothing(runs: Path, written: Path) -> None:
    def content() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in written.rglob("*") if path.is_file()}

    before = content()
    (written.parent / "other").mkdir()
    out = str(written.parent)
    assert invoke(["runs", "tensorboard", "1", "--runs-dir", str(runs), "--out", out]) == 0
    assert content() == before and (written.parent / "other").is_dir()


def test_artifacts_that_were_handed_on_are_one_training(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "0001", tmp_path / "0001")
    study = tmp_path / "0001" / "artifacts" / "study"
    book = RunsFolder(tmp_path)
    before = len(histories.of_run(Shelf(book.store, "0001")))
    assert before == len(ARMS) * len(SEEDS) + 1
    for place in ("train-gan/gan/compact/gan", "gathered/compact/gan"):
        (study / place).parent.mkdir(parents=True)
        shutil.copytree(study / "gan", study / place)
    shutil.rmtree(study / "gan")
    found = histories.of_run(Shelf(book.store, "0001"))
    assert len(found) == before
    assert {item.of for item in found} == {"real", "add:1", "generator compact"}


def test_a_training_before_the_training_and_one_of_a_fold(tmp_path: Path) -> None:
    arm = {"label": "pretrain", "arm": "pretrain", "share": None, "name": None}
    place = tmp_path / "0001" / "artifacts" / "study" / "cells" / "fold-1" / "classifier"
    with artifacts.publish(place, "classifier", config={"settings": {"epochs": 2}}) as draft:
        (draft / "arm.json").write_text(json.dumps(arm))
        (draft / "seed-3").mkdir()
        for name, loss in (("history.csv", "1.5"), ("history_before.csv", "nan")):
            (draft / "seed-3" / name).write_text(f"epoch,loss,accuracy\n1,{loss},0.5\n")
    found = histories.of_run(Shelf(RunsFolder(tmp_path).store, "0001"))
    curves = {item.name: item.curves for item in found}
    assert curves == {
        "fold-1-seed-3": {"train_loss": [(1, 1.5)], "train_accuracy": [(1, 0.5)]},
        "fold-1-seed-3-before": {"train_accuracy": [(1, 0.5)]},
    }
    assert {item.of for item in found} == {"pretrain"} and found[0].settings == {"epochs": 2}


def test_what_cannot_be_written_is_one_sentence(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: str) -> str:
        assert invoke(["runs", "tensorboard", *arguments, "--runs-dir", str(runs)]) == 2
        return " ".join(capsys.readouterr().err.split())

    assert "Run 2 has no finished training: it is running." in said("2", "--out", str(tmp_path))
    assert "There is no run '9'" in said("9", "--out", str(tmp_path))
    (tmp_path / "file").write_text("")
    assert "is a file" in said("1", "--out", str(tmp_path / "file"))
    (tmp_path / "1").write_text("")
    assert "cannot be used" in said("1", "--out", str(tmp_path))
