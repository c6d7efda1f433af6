"""The judge's whole examination, on bars: good, shuffled, collapsed."""

import json

import gan_toy
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from augstudy.core import artifacts
from augstudy.data.dataset import SPLITS, Split, save_split
from augstudy.data.mixtures import Drawings
from augstudy.metrics import measuring
from augstudy.metrics.figures import FIGURES
from augstudy.settings.judging import JudgeSettings
from augstudy.steps import train_judge
from augstudy.training.inspection import Inspection

SETTINGS = JudgeSettings(classifier="baseline", steps=8, cas_steps=8)
SIZE = 30  # of a split: 15 bars a class


def bars():
    """Bars of random height and grey: no two alike."""
    images, labels = gan_toy.bars(6 * SIZE)
    random = np.random.default_rng(1)
    images = np.where(images, random.integers(150, 256, (len(images), 1, 1)), 0).astype(np.uint8)
    return images, labels


def build(folder):
    images, labels = bars()
    with artifacts.publish(folder, "dataset") as draft:
        for index, name in enumerate(SPLITS):
            part = slice(index, None, 6)
            save_split(draft, name, Split(images[part], labels[part], np.arange(SIZE)))
        (draft / "classes.json").write_text(json.dumps(["left", "right"]))
    return artifacts.read(folder)


def judged(folder, **changes):
    """An inspection with a judge of its own."""
    dataset = build(folder / "dataset")
    settings = SETTINGS.model_copy(update=changes)
    return Inspection(dataset, train_judge.run(dataset.path, folder / "judge", settings))


@pytest.fixture(scope="module")
def inspection(tmp_path_factory):
    return judged(tmp_path_factory.mktemp("inspection"))


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """The same without CAS."""
    return judged(tmp_path_factory.mktemp("quick"), cas_steps=0)


@pytest.fixture(scope="module")
def fresh():
    images, labels = bars()
    return Drawings(images[4::6], labels[4::6])


def examine(inspection, *sets):
    return inspection.inspect(sets, lambda *_: None)


@pytest.fixture(scope="module")
def good(inspection, fresh):
    return examine(inspection, fresh)


def values(found):
    return {name: record["value"] for name, record in found["metrics"].items()}


def test_everything_is_measured(good):
    json.dumps(good, allow_nan=False)
    assert set(good["metrics"]) == set(FIGURES)
    assert good["measured"] == {"per_class": 15, "images": 30, "reference": "validation"}
    assert good["judge"]["training_images"] == 2 * SIZE
    assert good["metrics"]["cas"]["n"] == SIZE
    assert good["per_class"]["left"]["cas"]["n"] == SIZE // 2
    assert values(good)["gan_test"] >= 0.9
    assert values(good)["cas"] >= 0.9
    assert good["metrics"]["cas"]["real"] >= 0.9


def test_nothing_can_be_learnt_from_wrong_labels(inspection, fresh):
    found = values(examine(inspection, Drawings(fresh.images, fresh.labels[::-1].copy())))
    assert found["gan_test"] <= 0.1
    assert found["cas"] <= 0.3


@pytest.mark.parametrize("swapped", [0, 4, 15])
def test_cas_is_near_that_of_another_library(inspection, fresh, swapped):
    """The more images of a class show the other one, the less can be learnt: both say how much."""
    labels = fresh.labels.copy()
    labels[:swapped], labels[15 : 15 + swapped] = 1, 0
    found = values(examine(inspection, Drawings(fresh.images, labels)))["cas"]
    images, truth = bars()
    validation = slice(SPLITS.index("val"), None, 6)
    other = LogisticRegression().fit(fresh.images.reshape(-1, 784) / 255, labels)
    expected = other.score(images[validation].reshape(-1, 784) / 255, truth[validation])
    assert found == pytest.approx(expected, abs=0.2)


def test_labels_may_be_right_where_variety_is_missing(quick, fresh, good):
    images = np.zeros_like(fresh.images)
    for image, label in zip(images, fresh.labels, strict=True):
        image[12:24, 4 + 17 * label] = 255
    found = values(examine(quick, Drawings(images, fresh.labels)))
    assert found["gan_test"] >= 0.9
    assert found["diversity"] == pytest.approx(0, abs=1e-6)
    assert found["coverage"] < values(good)["coverage"]
    assert found["fid_qd"] > values(good)["fid_qd"]


def test_the_first_images_count_and_cas_can_be_left_out(quick, fresh, good):
    rows = np.r_[:9, 15:24]
    first, rest = (
        Drawings(fresh.images[part], fresh.labels[part])
        for part in (rows, np.delete(range(30), rows))
    )
    more = Drawings(fresh.images[::-1], fresh.labels[::-1])
    found = examine(quick, first, rest, more)
    assert quick.counts == [15, 15]
    assert "cas" not in found["metrics"]
    for name, record in found["metrics"].items():
        assert record == good["metrics"][name], name


def test_too_few_drawings_are_said(quick, fresh, caplog, monkeypatch):
    monkeypatch.setattr(measuring, "LEAST", 99)
    found = examine(quick, fresh)
    assert (found["metrics"], found["per_class"]) == ({}, {"left": {}, "right": {}})
    assert "only 30 validation images" in caplog.text
    assert "raise val_per_class to 50 or more" in caplog.text
