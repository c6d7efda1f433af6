"""Rounds of a study on a cluster: seeds that are done are taken from the store of checkpoints."""

from pathlib import Path
from typing import Any

import pytest
from builders import build_dataset
from servers import GcsServer

from augstudy.core import artifacts, telemetry
from augstudy.steps import adapters, cells
from augstudy.training import checkpoints

CLASSES = ("cow", "giraffe", "zebra")
LOOKS = [2, 3]
CNN = {"epochs": 6, "batch_size": 12, "early_stopping": None, "reduce_on_plateau": None}
RECIPE = {"classifier_recipe": "baseline", "classifier_settings": CNN}
ARMS = [{"arm": "real"}, {"arm": "classic"}]


@pytest.fixture
def store(gcs: GcsServer, monkeypatch: pytest.MonkeyPatch) -> GcsServer:
    """The store that all steps share; steps leave nothing else to each other."""
    gcs.put("study", "other", b"")
    monkeypatch.setenv(checkpoints.STORE_VARIABLE, "gs://study/checkpoints")
    return gcs


def kept(store: GcsServer) -> set[str]:
    return {name.split("/")[1] for name in store.names("study") if name.startswith("checkpoints/")}


def played(
    at: Path, dataset: Path, seeds: list[int], monkeypatch: pytest.MonkeyPatch, **more: Any
) -> list[str]:
    """A run of the study's last steps in a folder of its own; what the trainings said."""
    said: list[str] = []

    def progress(stage: telemetry.Stage, _done: float, _total: float, text: str = "") -> None:
        if stage.name == "train_cnn":
            said.append(text)

    monkeypatch.setattr(telemetry.Stage, "progress", progress)
    for arm in ARMS:
        made = {name: at / f"{arm['arm']}-{name}" for name in ("classifier", "evaluation", "maps")}
        cells.train_cnn(
            {"dataset": dataset, "classifier": made["classifier"], "arm": arm, "seeds": seeds}
            | RECIPE
        )
        cells.evaluate({"dataset": dataset, **made, "explain": True, **more})
    out = {name: at / name for name in ("report", "page", "verdict", "metrics", "gathered")}
    out["gathered"].mkdir()
    (out["gathered"] / "skipped.txt").write_text("Skipped: no arm uses synthetic images.\n")
    lists = {
        name: [at / f"{arm['arm']}-{kind}" for arm in ARMS]
        for name, kind in (("evaluations", "evaluation"), ("cams", "maps"))
    }
    study = {"metric": "accuracy", "equivalence_margin": 0.0001, "seeds": seeds, **more}
    adapters.summarize({"dataset": dataset, **out, **lists, **study})
    return said


def test_a_round_trains_its_new_seeds_alone_and_the_last_one_tidies_up(
    store: GcsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = build_dataset(tmp_path / "dataset", CLASSES, train=30, test=20).path
    first = played(tmp_path / "first", dataset, [0, 1], monkeypatch, looks=LOOKS)
    assert any("seed 1 of 2" in text for text in first)
    trained = kept(store)
    assert len(trained) == 4  # two seeds of two arms
    second = played(tmp_path / "second", dataset, [0, 1, 2], monkeypatch, looks=LOOKS)
    assert {text[:11] for text in second if text.startswith("seed")} == {"seed 3 of 3"}
    assert not kept(store)
    for arm in ARMS:
        name = f"{arm['arm']}-classifier"
        before, after = (artifacts.read(tmp_path / at / name) for at in ("first", "second"))
        for file in ("seed-0/model.keras", "seed-1/model.keras", "seed-1/history.csv"):
            assert before.file(file).read_bytes() == after.file(file).read_bytes()


def test_a_study_without_rounds_keeps_nothing(
    store: GcsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = build_dataset(tmp_path / "dataset", CLASSES).path
    played(tmp_path / "once", dataset, [0, 1], monkeypatch)
    assert not kept(store)


def test_without_rounds_the_step_that_reads_a_training_removes_its_checkpoints(
    store: GcsServer, tmp_path: Path
) -> None:
    dataset = build_dataset(tmp_path / "dataset", CLASSES).path
    made = {name: tmp_path / name for name in ("classifier", "evaluation", "maps")}
    trained = {"dataset": dataset, "classifier": made["classifier"], "arm": ARMS[0]}
    cells.train_cnn({**trained, "seeds": [0, 1]} | RECIPE)
    assert len(kept(store)) == 2
    cells.evaluate({"dataset": dataset, **made})
    assert not kept(store)
