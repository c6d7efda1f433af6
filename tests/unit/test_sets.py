"""Sets of synthetic images: as people type them, imported, gathered, and handed over."""

import csv
import json

import numpy as np
import pytest
from builders import build_dataset
from generated import build_curation, build_gan
from PIL import Image
from pyarrow import parquet

from augstudy.core import artifacts
from augstudy.core.errors import InputError, of_system
from augstudy.core.redaction import without_secrets
from augstudy.data import sets
from augstudy.objects import open_store
from augstudy.runs.exporting import export
from augstudy.runs.shelf import Shelf
from augstudy.settings.arms import Arm
from augstudy.settings.parsing import parse_arms
from augstudy.settings.sets import SyntheticSet, name_of, parse_sets
from augstudy.steps import import_synthetic, train_cnn
from augstudy.steps.study import Study

RECIPES = ("compact", "diffusion")
CLASSES = ("cow", "lion", "zebra")


def test_sets_as_people_type_them(tmp_path):
    (tmp_path / "SD 1.5").mkdir()
    found = parse_sets(
        f"sd=../sd15 gan=compact diffusion '{tmp_path}/SD 1.5' gs://b/made/", RECIPES
    )
    assert [item["set"] for item in found] == ["sd", "gan", "diffusion", "sd_1", "made"]
    assert [item.get("gan") for item in found] == [None, "compact", "diffusion", None, None]
    assert found[0]["source"].startswith("file:///") and found[0]["source"].endswith("/sd15")
    assert found[4]["source"] == "gs://b/made/"
    assert name_of("s3://bucket/Stable-Diffusion_14.tar.gz") == "stable_diffusion_14"


def test_what_is_neither_a_recipe_nor_a_folder_is_refused():
    with pytest.raises(InputError, match=r"'compct' is neither a folder nor a recipe.*compact"):
        parse_sets("gan=compct", RECIPES)


def study(arms, typed="sd=/data/sd gan=compact"):
    values = {"arms": parse_arms(arms), "sets": parse_sets(typed, RECIPES), "gan": "compact"}
    return Study({**values, "gan_settings": {}, "copies": "drop"})


def test_arms_that_name_no_set_run_for_each():
    asked = study("real,add:1,pretrain@gan,same_steps:1,replace:0.3@sd").for_each_set()
    assert [arm.label for arm in asked.arms] == [
        "real", "add:1@sd", "add:1@gan", "pretrain@gan", "same_steps:1", "replace:0.3@sd",
    ]  # fmt: skip
    assert [arm.label for arm in asked.used(asked.sets[1])] == ["add:1@gan", "pretrain@gan"]


def test_of_a_single_set_labels_say_nothing():
    asked = study("real,add:1,replace:0.5@sd", "sd=/data/sd").for_each_set()
    assert [arm.label for arm in asked.arms] == ["real", "add:1", "replace:0.5"]


@pytest.mark.parametrize(
    ("arms", "typed", "said"),
    [
        (
            "real,add:1@nobody",
            "sd=/data/sd",
            "a set that the study does not have; it has: sd",
        ),
        ("real,same_steps:1@sd", "sd=/data/sd", "uses no synthetic images, so it names no set"),
        ("real,add:1", "sd=/data/a sd=/data/b", "Two sets of synthetic images are called 'sd'"),
    ],
)
def test_sets_that_are_wrong_are_refused(arms, typed, said):
    with pytest.raises(InputError, match=said):
        study(arms, typed).for_each_set().check()


def test_the_name_of_an_arm_is_no_secret():
    for label in ("mislabelled:0.3@sd", "add:10@stable_diffusion_14", "replace:0.25@gan"):
        assert without_secrets(f"train_cnn {label}: done") == f"train_cnn {label}: done"
    assert "letmein" not in without_secrets("joe:letmein@host")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return build_dataset(tmp_path_factory.mktemp("study") / "dataset", CLASSES, train=8)


@pytest.fixture(scope="module")
def source(dataset, tmp_path_factory):
    """Pictures of the study's classes, one of them under another name, and of one more."""
    folder, random = tmp_path_factory.mktemp("made"), np.random.default_rng(0)
    for name in ("cow", "leo", "zebra", "unicorn"):
        (folder / name).mkdir()
        for number in range(10):
            pixels = random.integers(0, 255, (40, 40), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def chosen(source, **classes):
    return SyntheticSet(set="sd", source=source.as_uri(), classes=classes)


def test_imported_images_become_those_of_the_study(dataset, source, tmp_path):
    made = import_synthetic.run(dataset.path, tmp_path / "sd", chosen(source, lion="leo"))
    images, labels = (np.load(made.file(f"{name}.npy")) for name in ("images", "labels"))
    assert images.shape == (30, 28, 28) and np.bincount(labels).tolist() == [10, 10, 10]
    assert made.json("classes.json") == list(CLASSES)
    assert made.manifest.provenance["extra_classes"] == ["unicorn"]
    assert sorted(made.json("names.json")[:10]) == [f"{number}.png" for number in range(10)]
    assert made.json("copies.json")["found"] == {"train": 0, "val": 0, "test": 0}
    wrong = labels[np.load(made.file("fault_rows.npy"))]
    assert sorted(wrong) == sorted(labels) and (wrong != labels).mean() > 0.4
    arm = Arm(arm="mislabelled", share=0.5)
    assert train_cnn.shortage(dataset.path, arm, made.path) is None


def test_classes_that_a_set_lacks_are_all_named(dataset, source, tmp_path):
    with pytest.raises(InputError, match=r"no images of 'lion'; its classes are .*'unicorn'"):
        import_synthetic.run(dataset.path, tmp_path / "sd", chosen(source))


def test_copies_of_test_images_are_left_out_and_counted(dataset, tmp_path):
    for label, name in enumerate(CLASSES):
        (tmp_path / "made" / name).mkdir(parents=True)
        rows = {
            split: np.load(dataset.file(f"{split}_images.npy"))[
                np.load(dataset.file(f"{split}_labels.npy")) == label
            ]
            for split in ("train", "test")
        }
        for number, image in enumerate([*rows["train"][:4], *rows["test"][:2]]):
            Image.fromarray(image).save(tmp_path / "made" / name / f"{number}.png")
    made = import_synthetic.run(dataset.path, tmp_path / "sd", chosen(tmp_path / "made"))
    record = made.json("copies.json")
    assert record["found"]["test"] == record["dropped"] == 6
    assert len(np.load(made.file("labels.npy"))) == 12
    with pytest.raises(InputError, match="of set sd hold near copies: 6 of test images"):
        import_synthetic.run(
            dataset.path, tmp_path / "fail", chosen(tmp_path / "made"), copies="fail"
        )


@pytest.fixture
def run(dataset, source, tmp_path):
    """What `curate` leaves of a run with an imported set that was filtered, and a made one."""
    gathered = tmp_path / "runs" / "0001" / "artifacts" / "curate" / "gathered"
    images = sets.place(gathered, "sd", sets.IMAGES)
    imported = import_synthetic.run(dataset.path, images, chosen(source, lion="leo"))
    build_curation(sets.place(gathered, "sd", sets.FILTER), dataset, imported)
    build_gan(sets.place(gathered, "gan", sets.GAN), dataset)
    return Shelf(open_store(str(tmp_path / "runs")), "0001")


def test_a_set_is_handed_over_and_comes_back_the_same(run, dataset, source, tmp_path):
    assert export(run, tmp_path / "out") == 30
    with (tmp_path / "out" / "manifest.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["made_by"].rpartition("/")[2] for row in rows} == {
        rows[0]["made_by"].rpartition("/")[2]
    }
    assert {row["origin"] for row in rows} == {f"{number}.png" for number in range(10)}
    table = parquet.read_table(tmp_path / "out" / "images.parquet").to_pydict()
    assert len(table["label"]) == 30 and table["image"][0]["path"] == rows[0]["path"]
    content = (tmp_path / "out" / rows[0]["path"]).read_bytes()
    assert table["image"][0]["bytes"] == content
    first = artifacts.read(run.fetched(run.of("synthetic")[0].folder))
    back = import_synthetic.run(
        dataset.path, tmp_path / "back", chosen(tmp_path / "out" / "images.parquet")
    )
    before, after = (
        sorted(image.tobytes() for image in np.load(item.file("images.npy")))
        for item in (first, back)
    )
    assert before == after


def test_a_table_of_images_runs_nothing_in_a_spreadsheet(run, tmp_path, monkeypatch):
    monkeypatch.setattr("augstudy.runs.exporting.load_classes", lambda _: ["=1+1", "-x", "bee"])
    export(run, tmp_path / "out")
    with (tmp_path / "out" / "manifest.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["label"] for row in rows} == {"'=1+1", "'-x", "bee"}
    assert all((tmp_path / "out" / row["path"]).is_file() for row in rows)
    assert not any(value.startswith(("=", "-")) for row in rows for value in row.values())


def test_images_that_fill_the_disk_name_the_file(run, tiny_disk):
    (tiny_disk / "other").write_bytes(bytes(60_000))
    with pytest.raises(OSError, match="No space left") as caught:
        export(run, tiny_disk / "out")
    assert f"while writing {tiny_disk / 'out'}" in str(of_system(caught.value))


def test_only_what_the_filter_kept_is_handed_over(run, tmp_path):
    count = export(run, tmp_path / "kept", filtered=True)
    artifact = artifacts.read(run.fetched(run.of("curation")[0].folder))
    assert count == artifact.json("curation.json")["synthetic"]["kept"]
    assert len(list((tmp_path / "kept").rglob("*.png"))) == count
    with pytest.raises(InputError, match="Name one of the sets of the run with --set: sd"):
        export(run, tmp_path / "other", "gan")
    with pytest.raises(InputError, match="already exists"):
        export(run, tmp_path / "kept")


def test_a_note_says_why_a_part_is_missing(tmp_path):
    (tmp_path / "a" / "images").mkdir(parents=True)
    (tmp_path / "a" / "images" / "skipped.txt").write_text("Skipped: why.\n")
    sets.gather([tmp_path], tmp_path / "out")
    assert sets.there(tmp_path / "out", "a", sets.IMAGES) is None
    assert sets.chosen(tmp_path / "out", None) == "a"
    with pytest.raises(InputError, match="no set of synthetic images 'b'; there are: a"):
        sets.chosen(tmp_path / "out", "b")
    assert json.dumps(sets.parts_of(tmp_path / "out")) == "{}"
