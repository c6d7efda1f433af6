"""The filter trained for real, on few drawings that any network can tell apart."""

import shutil

import numpy as np
import pytest
from builders import build_dataset, write_json

from augstudy.core import artifacts
from augstudy.core.errors import InputError
from augstudy.core.telemetry import Stage
from augstudy.data import sets
from augstudy.settings.arms import Arm
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.judging import CurationSettings
from augstudy.steps import adapters, cells, curate, train_cnn

CLASSES = ("giraffe", "zebra")
RECIPE = ClassifierSettings(architecture="baseline", epochs=6, batch_size=16)
WRONG = np.arange(48) % 3 == 0
SETTINGS = CurationSettings(folds=2, strictness=0.8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dataset; drawings of which every third shows the other class; and what the filter says."""
    path = tmp_path_factory.mktemp("curate")
    build_dataset(path / "dataset", classes=CLASSES, train=40, val=16, test=4)
    labels = np.repeat(np.arange(2, dtype=np.int32), 24)
    pool = build_dataset(path / "pool", classes=CLASSES, train=24, val=100, test=24)
    images = np.load(pool.file("test_images.npy"))
    images[WRONG] = images[::-1][WRONG]
    save_synthetic(path / "synthetic", images, labels)
    curate.run(
        path / "dataset", path / "curation", SETTINGS, RECIPE, 0, path / "synthetic", real=True
    )
    return path


def save_synthetic(path, images, labels, classes=CLASSES):
    with artifacts.publish(path, "synthetic") as draft:
        for name, array in (("images", images), ("labels", labels), ("fault_images", images)):
            np.save(draft / f"{name}.npy", array)
        write_json(draft / "classes.json", list(classes))


def load(folder, name):
    with np.load(folder / "curation" / f"{name}.npz", allow_pickle=False) as stored:
        return stored["confidence"], stored["kept"]


def test_drawings_of_another_class_are_dropped(folder):
    confidence, kept = load(folder, "synthetic")
    assert kept[~WRONG].mean() > 0.6 > 0.2 > kept[WRONG].mean()
    assert confidence.dtype == np.float32 and ((confidence >= 0) & (confidence <= 1)).all()


def test_the_record_counts_what_was_kept(folder):
    record = artifacts.read(folder / "curation", "curation").json("curation.json")
    _, kept = load(folder, "synthetic")
    assert record["synthetic"]["kept"] == kept.sum()
    assert record["synthetic"]["judged"] == 48
    assert sum(item["kept"] for item in record["synthetic"]["by_class"].values()) == kept.sum()
    assert record["real"]["filters"] == 2 and record["synthetic"]["filters"] == 1
    for item in record["real"]["by_class"].values():
        assert 0 < item["threshold"] < 1 and item["judged"] == 40


def test_real_drawings_are_judged_by_filters_that_have_not_seen_them(folder, tmp_path):
    """Swapped labels are found, which a filter that had learnt them by heart would not do."""
    dataset = artifacts.read(folder / "dataset", "dataset")
    labels = np.load(dataset.file("train_labels.npy"))
    swapped = np.arange(80) % 10 == 0
    wrong = np.where(swapped, 1 - labels, labels).astype(np.int32)
    with artifacts.publish(tmp_path / "data", "dataset") as draft:
        for item in dataset.path.iterdir():
            if item.name != artifacts.MANIFEST:
                (draft / item.name).write_bytes(item.read_bytes())
        np.save(draft / "train_labels.npy", wrong)
    made = curate.run(tmp_path / "data", tmp_path / "out", SETTINGS, RECIPE, real=True)
    with np.load(made.file("real.npz"), allow_pickle=False) as stored:
        kept = stored["kept"]
    assert kept[~swapped].mean() > 2 * kept[swapped].mean()
    assert "synthetic.npz" not in made.manifest.files


def test_a_second_run_does_nothing_and_a_fresh_one_gives_the_same(folder, tmp_path):
    inputs = (SETTINGS, RECIPE, 0, folder / "synthetic")
    first = curate.run(folder / "dataset", tmp_path / "one", *inputs)
    manifest = tmp_path / "one" / artifacts.MANIFEST
    written = manifest.stat().st_mtime_ns
    curate.run(folder / "dataset", tmp_path / "one", *inputs)
    assert manifest.stat().st_mtime_ns == written
    whole = artifacts.read(folder / "curation", "curation")
    assert first.manifest.files["synthetic.npz"] == whole.manifest.files["synthetic.npz"]


@pytest.mark.parametrize(("arm", "share"), [("add_filtered", 0.5), ("real_filtered", None)])
def test_arms_train_on_what_was_kept(folder, tmp_path, arm, share):
    settings = RECIPE.model_copy(update={"epochs": 1})
    inputs = {"synthetic": folder / "synthetic", "curation": folder / "curation"}
    made = train_cnn.run(
        folder / "dataset", tmp_path / "out", Arm(arm=arm, share=share), [0], settings, **inputs
    )
    images = made.json("training.json")[0]["images"]
    kept = load(folder, "real")[1].sum()
    assert images == (120 if arm == "add_filtered" else 2 * round(kept / 2))


def test_a_judgement_of_other_drawings_is_refused(folder, tmp_path):
    images = np.full((48, 28, 28), 9, np.uint8)
    save_synthetic(tmp_path / "other", images, np.repeat(np.arange(2, dtype=np.int32), 24))
    arm = Arm(arm="add_filtered", share=0.5)
    inputs = {"synthetic": tmp_path / "other", "curation": folder / "curation"}
    with pytest.raises(InputError, match=r"is about other images than those of .*/other"):
        train_cnn.run(folder / "dataset", tmp_path / "out", arm, [0], RECIPE, **inputs)


def study(folder, arms, synthetic, level=4):
    """The steps of a study with so many drawings per class: the filter, and the cell of an arm."""
    dataset = build_dataset(folder / "data", classes=CLASSES, train=level, val=4, test=4).path
    made = {"dataset": dataset, "synthetic": synthetic, "gathered": folder / "kept"}
    for name in ("gan", "imported"):
        made[name] = folder / name
        adapters.skip(made[name], Stage(name, ""), "there is none")
    recipe = {"classifier_recipe": "baseline", "classifier_settings": {"epochs": 1}}
    rules = {"curation_settings": {}, "gan_seed": 0, "sets": [], "gan_recipe": "compact"}
    adapters.curate({**made, **recipe, **rules, "arms": arms})
    cell = {"classifier": folder / "cell", "arm": arms[-1], "seeds": [0]}
    cells.train_cnn({**made, **recipe, **cell})
    return folder / "kept", folder / "cell"


def of_set(folder, path):
    """The synthetic images of a study as a step leaves them."""
    shutil.copytree(path, folder / "made" / "compact" / "images")
    return folder / "made"


FILTERED = {"arm": "real_filtered", "optional": True}


def test_an_optional_arm_is_left_out_where_folds_are_too_small(folder, tmp_path):
    short = "a class has 4 training images, too few for 5 folds"
    alone, both = [FILTERED], [{"arm": "add_filtered", "share": 0.5}, FILTERED]
    synthetic = of_set(tmp_path, folder / "synthetic")
    kept, cell = study(tmp_path / "alone", alone, synthetic)
    real = sets.place(kept, sets.REAL, sets.FILTER)
    assert adapters.why_skipped(real) == adapters.why_skipped(cell) == short
    assert adapters.arm_label(cell) == "real_filtered"
    kept, cell = study(tmp_path / "both", both, synthetic)
    judged = artifacts.read(sets.place(kept, "compact", sets.FILTER), "curation")
    assert "synthetic.npz" in judged.manifest.files
    assert short in adapters.why_skipped(cell)
    skipped = tmp_path / "nothing"
    adapters.skip(skipped, Stage("synthesize", ""), "the GAN failed")
    kept, cell = study(tmp_path / "failed", both, skipped)
    assert adapters.why_skipped(cell) == short
    assert adapters.why_skipped(sets.place(kept, "compact", sets.IMAGES)) == "the GAN failed"


def test_an_arm_is_made_where_it_may_be_left_out_but_need_not(folder, tmp_path):
    _, cell = study(tmp_path, [FILTERED], of_set(tmp_path, folder / "synthetic"), level=5)
    assert artifacts.read(cell, "classifier")


def test_too_small_folds_end_a_study_that_needs_them(folder, tmp_path, capsys):
    needed = FILTERED | {"optional": False}
    with pytest.raises(SystemExit) as stopped:
        synthetic = of_set(tmp_path, folder / "synthetic")
        study(tmp_path, [FILTERED | {"name": "spare"}, needed], synthetic)
    assert stopped.value.code == 2
    last = capsys.readouterr().out.splitlines()[-1]
    assert "A class has 4 training images, too few for 5 folds: lower curation" in last


def test_what_cannot_be_judged_is_refused(folder, tmp_path):
    with pytest.raises(InputError, match="nothing to filter"):
        curate.run(folder / "dataset", tmp_path / "out", SETTINGS, RECIPE)
    many = CurationSettings(folds=41)
    with pytest.raises(InputError, match="40 training images, too few for 41 folds"):
        curate.run(folder / "dataset", tmp_path / "out", many, RECIPE, real=True)
    labels = np.zeros(4, np.int32)
    save_synthetic(tmp_path / "other", np.ones((4, 28, 28), np.uint8), labels, ("a", "b"))
    with pytest.raises(InputError, match="other classes"):
        curate.run(folder / "dataset", tmp_path / "out", SETTINGS, RECIPE, 0, tmp_path / "other")
