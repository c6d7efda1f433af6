"""Nothing but ``evaluate`` reads the test split, and no drawing is on both sides of a split."""

import shutil
from pathlib import Path

import gan_toy
import numpy as np
import pytest
from builders import build_dataset
from PIL import Image

from augstudy.core import artifacts
from augstudy.data.dataset import SPLITS, load_split
from augstudy.settings.arms import Arm
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.data import MAMMALS, DataSettings
from augstudy.settings.judging import CurationSettings, JudgeSettings
from augstudy.settings.sets import SyntheticSet
from augstudy.steps import (
    cam,
    curate,
    evaluate,
    import_synthetic,
    ingest,
    summarize,
    synthesize,
    train_cnn,
    train_gan,
    train_judge,
)

CLASSES = ("giraffe", "zebra")
CNN = ClassifierSettings(architecture="baseline", epochs=1, batch_size=16)
GAN = gan_toy.SETTINGS.model_copy(update={"steps": 2})
JUDGE = JudgeSettings(classifier="baseline", steps=2, cas_steps=1)
ARMS = [
    Arm(arm="real"),
    Arm(arm="add_filtered", share=0.5, set="made"),
    Arm(arm="pretrain", set="sd"),
    Arm(arm="extra_real", share=0.5),
]


def republish(artifact: artifacts.Artifact, path: Path, kind: str, inputs=None, **files) -> Path:
    """A copy with other content in some of its files, sealed as if it had been made so."""
    manifest = artifact.manifest
    with artifacts.publish(path, kind, inputs=inputs, config=manifest.config) as draft:
        shutil.copytree(
            artifact.path,
            draft,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns(artifacts.MANIFEST),
        )
        for name, content in files.items():
            if isinstance(content, bytes):
                (draft / f"{name}.npy").write_bytes(content)
            else:
                np.save(draft / f"{name}.npy", content)
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("leaks")
    return build_dataset(path / "whole", classes=CLASSES, train=24, val=8, test=8, extra=16)


@pytest.fixture(scope="module")
def sealed(whole):
    """The same dataset, whose test split is no drawing and no label."""
    content = {f"test_{part}": b"secret" for part in ("images", "labels", "rows")}
    return republish(whole, whole.path.with_name("sealed"), "dataset", **content)


def test_every_step_but_evaluate_runs_without_the_test_split(whole, sealed, tmp_path):
    made = {name: tmp_path / name for name in ("judge", "gan", "synthetic", "curation", "sd")}
    train_judge.run(sealed, made["judge"], JUDGE)
    train_gan.run(sealed, made["gan"], GAN, judge=made["judge"])
    synthesize.run(made["gan"], made["synthetic"], 48, dataset=sealed, judge=made["judge"])
    curate.run(sealed, made["curation"], CurationSettings(), CNN, 0, made["synthetic"])
    put_down(load_split(whole, "test"), tmp_path / "brought")
    brought = SyntheticSet(set="sd", source=(tmp_path / "brought").as_uri())
    found = import_synthetic.run(sealed, made["sd"], brought, made["judge"], copies="keep")
    assert found.json("copies.json")["found"]["test"] == len(found.json("names.json")) == 16
    evaluations, cams = [], []
    for arm in ARMS:
        cell = tmp_path / arm.label
        own = "sd" if arm.set == "sd" else "synthetic"
        images = {"synthetic": made[own], "curation": made["curation"]}
        classifier = train_cnn.run(sealed, cell / "classifier", arm, [0], CNN, **images)
        trained_on_whole = republish(classifier, cell / "copy", "classifier")
        found = evaluate.run(whole.path, trained_on_whole, cell / "found")
        inputs = {"dataset": artifacts.read(sealed)}
        evaluations.append(republish(found, cell / "evaluation", "evaluation", inputs))
        cams.append(cam.run(cell / "classifier", evaluations[-1], cell / "cam").path)
    report = summarize.run(
        sealed,
        tmp_path / "report",
        evaluations,
        cams,
        {
            "made": {"gan": made["gan"], "images": made["synthetic"], "filter": made["curation"]},
            "sd": {"images": made["sd"]},
        },
    )
    assert set(report.json("summary.json")["arms"]) == {arm.label for arm in ARMS}
    page = report.file("report.html").read_text()
    assert "What the filter lets through" in page and "Doubtful labels" in page
    with pytest.raises(ValueError, match="pickle"):
        evaluate.run(sealed, tmp_path / "real" / "classifier", tmp_path / "refused")


def put_down(split, folder: Path) -> None:
    """A folder of pictures per class, as people have them."""
    for number, (image, label) in enumerate(zip(split.images, split.labels, strict=True)):
        target = folder / CLASSES[label] / f"{number}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(target)


def test_no_drawing_is_in_two_splits(drawings, tmp_path):
    """Drawings repeated within and across the files of the source end up in one place only."""
    first, second = (np.load(drawings / f"{name}.npy")[:300].copy() for name in CLASSES)
    first[200:] = first[:100]
    second[150:250] = first[50:150]
    for name, rows in zip(CLASSES, (first, second), strict=True):
        np.save(tmp_path / f"{name}.npy", rows)
    counts = {"train_per_class": 100, "val_per_class": 30, "test_per_class": 0, "level": 40}
    wanted = DataSettings(source=f"file://{tmp_path}", classes=CLASSES, **counts)
    made = ingest.run(tmp_path / "data", wanted)
    splits = [load_split(made, name) for name in SPLITS]
    seen = [image.tobytes() for split in splits for image in split.images]
    assert len(seen) == len(set(seen)) and min(len(split) for split in splits) > 0


def accuracy(dataset, path):
    settings = CNN.model_copy(update={"epochs": 10})
    train_cnn.run(dataset, path / "classifier", Arm(arm="real"), [0], settings)
    made = evaluate.run(dataset, path / "classifier", path / "evaluation")
    return made.json("metrics.json")["metrics"]["accuracy"]["value"]


def test_shuffled_labels_give_chance_accuracy(tmp_path):
    """What no label tells, no classifier may know; with the true labels it does."""
    true = build_dataset(tmp_path / "true", train=66, val=22, test=120)
    random = np.random.default_rng(0)
    # Every class gets as many of each label, or chance would tie a few labels to their classes.
    labels = {
        f"{name}_labels": np.concatenate(
            [random.permutation(np.arange(count, dtype=np.int32) % 11) for _ in MAMMALS]
        )
        for name, count in (("train", 66), ("val", 22))
    }
    shuffled = republish(true, tmp_path / "shuffled", "dataset", **labels)
    assert accuracy(true.path, tmp_path / "a") > 0.4
    assert accuracy(shuffled, tmp_path / "b") == pytest.approx(1 / 11, abs=0.03)


def test_of_the_arms_extra_real_alone_reads_the_extra_drawings(whole, tmp_path):
    content = {f"extra_{part}": b"secret" for part in ("images", "labels", "rows")}
    without = republish(whole, tmp_path / "data", "dataset", **content)
    train_cnn.run(without, tmp_path / "out", Arm(arm="real"), [0], CNN)
    with pytest.raises(ValueError, match="pickle"):
        train_cnn.run(without, tmp_path / "out", Arm(arm="extra_real", share=0.5), [0], CNN)
