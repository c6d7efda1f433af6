"""Validate and promote, one retraining after the other, on artifacts made without training."""

import json
from pathlib import Path

import numpy as np
import pytest
from builders import build_classifier, build_dataset, build_evaluation
from servers import GcsServer

from augstudy.core import artifacts
from augstudy.core.errors import DataError, InputError
from augstudy.results import files
from augstudy.runs.champions import Champions
from augstudy.settings.comparing import RetrainSettings
from augstudy.steps import promote, validate

CLASSES = ("cow", "lion", "zebra")


class Lab:
    """Runs the two stages in a folder; `number` tells one retraining from another."""

    def __init__(self, folder: Path, store: str) -> None:
        self.folder, self.store = folder, store

    def validate(self, number, dataset, **limits):
        at = self.folder / str(number)
        settings = RetrainSettings(**limits)
        return validate.run(dataset.path, self.store, at / "champion", at / "reference", settings)

    def retrain(self, number, dataset, skill=0.0, content=None, **rule):
        at = self.folder / str(number)
        self.validate(number, dataset)
        champion, model = (
            at / "champion",
            build_classifier(at / "model", dataset, content=content or str(number).encode()),
        )
        build_evaluation(at / "challenger", dataset, skill=skill, classifier=model)
        old = None
        if champion.exists():
            old = at / "old"
            champion = artifacts.read(champion, "classifier")
            build_evaluation(old, dataset, arm="classic", classifier=champion)
        return promote.run(
            at / "reference",
            at / "model",
            at / "challenger",
            old,
            self.store,
            at / "decision",
            RetrainSettings(**rule),
        ).json("decision.json")

    def pointer(self):
        return json.loads(Champions(self.store)._store.read("champion.json"))


@pytest.fixture
def lab(gcs: GcsServer, tmp_path: Path) -> Lab:
    gcs.buckets.add("shelf")
    return Lab(tmp_path, "gs://shelf/mammals")


@pytest.fixture
def dataset(tmp_path: Path):
    return build_dataset(tmp_path / "dataset", CLASSES, train=60, val=20, test=60)


def test_the_first_is_promoted_a_worse_one_held_a_better_one_promoted(lab: Lab, dataset) -> None:
    first = lab.retrain(1, dataset)
    assert first["promoted"]
    assert first["reason"] == "first"
    pointer = lab.pointer()
    assert pointer["reason"] == "Promoted: there was no champion."
    assert pointer["champion"] == first["champion"]
    assert pointer["classes"] == list(CLASSES)
    model = Champions(lab.store)._store.read(pointer["model"])
    assert model == b"1"
    worse = lab.retrain(2, dataset, skill=-2.0)
    assert not worse["promoted"]
    assert worse["champion"] == worse["before"] == first["champion"]
    assert worse["reason"] == "not_ruled_out"
    assert lab.pointer() == pointer
    better = lab.retrain(3, dataset, skill=3.0)
    assert better["promoted"]
    assert better["comparison"]["difference"] > 0.05
    assert lab.pointer()["champion"] == better["champion"] != first["champion"]
    assert lab.pointer()["before"] == first["champion"]
    verdict = (lab.folder / "3" / "decision" / "verdict.md").read_text()
    assert verdict.startswith("# Promoted\n")
    assert f"| champion `{first['champion']}` |" in verdict
    assert "class 'zebra' | 0.000 |" in verdict


def test_the_same_classifier_again_is_held(lab: Lab, dataset) -> None:
    lab.retrain(1, dataset, content=b"same")
    again = lab.retrain(2, dataset, skill=3.0, content=b"same")
    assert not again["promoted"]
    assert again["reason"] == "same"


def test_test_images_that_the_champion_has_learnt_from_do_not_count(lab: Lab, tmp_path) -> None:
    lab.retrain(1, build_dataset(tmp_path / "a", CLASSES, train=60, val=20, test=60))
    # The tests of the second begin at drawing 50; the first has learnt from those up to 80.
    later = build_dataset(tmp_path / "b", CLASSES, train=40, val=10, test=70)
    decision = lab.retrain(2, later, skill=3.0)
    assert decision["comparison"]["excluded"] == 3 * 30
    assert decision["comparison"]["images"] == 3 * 40
    verdict = (lab.folder / "2" / "decision" / "verdict.md").read_text()
    assert "90 more test images were left out for both" in verdict
    excluded = np.load(tmp_path / "2" / "reference" / "excluded.npy")
    assert excluded.reshape(3, 70).sum(axis=1).tolist() == [30, 30, 30]


def test_nothing_left_to_compare_on_is_held(lab: Lab, tmp_path) -> None:
    lab.retrain(1, build_dataset(tmp_path / "a", CLASSES, train=60, val=20, test=20))
    decision = lab.retrain(2, build_dataset(tmp_path / "b", CLASSES, train=10, val=10, test=40))
    assert not decision["promoted"]
    assert decision["reason"] == "no_images" and decision["comparison"] is None


def test_data_of_another_kind_is_refused(lab: Lab, dataset, tmp_path: Path) -> None:
    lab.retrain(1, dataset)
    pointer = lab.pointer()
    with artifacts.publish(
        tmp_path / "inverted", "dataset", config={"source": "gs://x/y"}, inputs={}
    ) as draft:
        for name in dataset.manifest.files:
            (draft / name).write_bytes(dataset.file(name).read_bytes())
        labels = np.load(dataset.file("train_labels.npy"))
        images = np.load(dataset.file("train_images.npy"))
        images[labels == 1] = 255 - images[labels == 1]
        np.save(draft / "train_images.npy", images)
    inverted = artifacts.read(tmp_path / "inverted", "dataset")
    with pytest.raises(DataError) as caught:
        lab.validate(2, inverted)
    sentence = str(caught.value)
    assert f"The data of gs://x/y differs from that of champion {pointer['champion']}: " in sentence
    assert "the brightness of class 'lion' has drifted" in sentence
    assert sentence.endswith(".")
    assert not (tmp_path / "2" / "reference").exists()
    assert lab.pointer() == pointer
    lab.validate(3, inverted, max_drift=100)


def test_fewer_classes_are_refused(lab: Lab, dataset, tmp_path: Path) -> None:
    lab.retrain(1, dataset)
    with pytest.raises(DataError, match="the classes are cow, lion, they were cow, lion, zebra"):
        lab.validate(2, build_dataset(tmp_path / "two", CLASSES[:2], 60, 20, 60))


def test_evaluations_must_be_of_what_was_validated(lab: Lab, dataset, tmp_path: Path) -> None:
    other = build_dataset(tmp_path / "other", CLASSES, train=10)
    lab.validate(1, dataset)
    model = build_classifier(tmp_path / "model", dataset)
    second = build_classifier(tmp_path / "second", dataset, content=b"x")
    for name, data, made in (("dataset", other, model), ("classifier", dataset, second)):
        evaluation = tmp_path / f"of-another-{name}"
        build_evaluation(evaluation, data, classifier=made)
        with pytest.raises(InputError, match=f"is of another {name} than the one"):
            promote.run(
                tmp_path / "1" / "reference",
                model.path,
                evaluation,
                None,
                lab.store,
                tmp_path / "decision",
                RetrainSettings(),
            )


def test_promotion_may_be_run_again_after_it_was_cut_off(lab: Lab, dataset) -> None:
    first = lab.retrain(1, dataset)
    at = lab.folder / "1"
    again = promote.run(
        at / "reference",
        at / "model",
        at / "challenger",
        None,
        lab.store,
        at / "decision",
        RetrainSettings(),
    )
    assert again.json("decision.json") == first


def test_an_altered_champion_is_refused(lab: Lab, dataset, gcs: GcsServer) -> None:
    first = lab.retrain(1, dataset)
    gcs.put("shelf", f"mammals/champions/{first['champion']}/learnt.npy", b"")
    with pytest.raises(DataError, match=r"learnt\.npy differs from what was written"):
        lab.validate(2, dataset)


def test_numbers_are_finite(lab: Lab, dataset) -> None:
    lab.retrain(1, dataset)
    text = json.dumps(lab.retrain(2, dataset))
    assert files.decision(json.loads(text, parse_constant=pytest.fail)).drift
