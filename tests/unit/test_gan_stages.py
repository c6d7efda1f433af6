import csv
import json
import shutil

import gan_toy
import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from augstudy.core import artifacts
from augstudy.core.errors import InputError, TrainingError
from augstudy.data import sets
from augstudy.data.dataset import SPLITS, Split, save_split
from augstudy.metrics.figures import FIGURES
from augstudy.models.acgan import ACGAN
from augstudy.models.backend import keras
from augstudy.settings.generators import GanSettings
from augstudy.settings.judging import JudgeSettings
from augstudy.steps import adapters, synthesize, train_gan, train_judge
from augstudy.training import gan
from augstudy.training.watching import SAMPLES_PER_CLASS, SIGNALS

CLASSES = ["left", "right"]
SHORT = gan_toy.SETTINGS.model_copy(update={"steps": 4})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("gan")


@pytest.fixture(scope="module")
def dataset(folder):
    images, labels = gan_toy.bars()
    with artifacts.publish(folder / "dataset", "dataset") as draft:
        for name in SPLITS:
            save_split(draft, name, Split(images, labels, np.arange(len(labels))))
        (draft / "classes.json").write_text(json.dumps(CLASSES))
    return folder / "dataset"


@pytest.fixture(scope="module")
def judge(folder, dataset):
    settings = JudgeSettings(classifier="baseline", steps=30, cas_steps=6)
    return train_judge.run(dataset, folder / "judge", settings).path


@pytest.fixture(scope="module")
def trained(folder, dataset):
    return train_gan.run(dataset, folder / "gan", gan_toy.SETTINGS, seed=0)


@pytest.fixture(scope="module")
def drawn(folder, trained):
    return synthesize.run(trained.path, folder / "synthetic", 24, seed=3)


def test_images_asked_for_as_a_class_show_that_class(drawn):
    images, labels, fault = (
        np.load(drawn.file(f"{name}.npy")) for name in ("images", "labels", "fault_images")
    )
    assert images.shape == fault.shape == (48, 28, 28)
    assert (images.dtype, labels.dtype) == (np.uint8, np.int32)
    assert np.bincount(labels).tolist() == [24, 24]
    assert np.mean(gan_toy.side(images) == labels) >= 0.95
    # The control: whatever the label says, every image is one of the last class.
    assert np.mean(gan_toy.side(fault) == 1) >= 0.95
    assert len(np.unique(fault, axis=0)) > 24


def test_the_generator_file_needs_nothing_but_keras_and_the_layers(trained):
    generator = keras.saving.load_model(trained.file("generator.keras"), safe_mode=True)
    wanted = np.array([0, 1, 1, 0], dtype=np.int32)
    noise = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)
    images = keras.ops.convert_to_numpy(generator([noise, wanted]))
    assert images.min() >= 0 and images.max() <= 1
    assert gan_toy.side(images[..., 0]).tolist() == wanted.tolist()
    discriminator = keras.saving.load_model(trained.file("discriminator.keras"), safe_mode=True)
    _, logits = discriminator(gan_toy.bars()[0][..., None].astype("float32"))
    predicted = keras.ops.convert_to_numpy(logits).argmax(axis=1)
    assert np.mean(predicted == gan_toy.bars()[1]) >= 0.95


def test_the_gan_artifact_is_complete(trained):
    with trained.file("history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["step", *ACGAN.METRICS, "learning_rate", *SIGNALS]
    assert [int(row["step"]) for row in rows] == [25, 50, 75]
    for row in rows:  # there is no judge, and nothing had been drawn before the first moment
        missing = {"score", "movement"} if row is rows[0] else {"score"}
        assert {name for name, value in row.items() if not value} == missing
        assert np.isfinite([float(value) for value in row.values() if value]).all()
    samples = np.load(trained.file("samples.npz"), allow_pickle=False)
    assert samples["steps"].tolist() == [25, 50, 75]
    assert samples["images"].shape == (3, 2, SAMPLES_PER_CLASS, 28, 28)
    assert trained.json("stability.json")["verdict"] in ("stable", "collapsed")
    assert trained.json("classes.json") == CLASSES
    assert trained.json("summary.json")["training_images"] == 48


def test_the_sheet_is_dark_on_white(drawn):
    sheet = matplotlib.image.imread(drawn.file("sheet.png"))
    assert (sheet[0, 0, :3] == 1).all()
    assert sheet[..., :3].mean() > 0.7


def test_with_a_judge_images_are_measured_and_drawn_for_it(folder, dataset, judge, trained, drawn):
    assert drawn.json("quality.json") == {"n": 48, "metrics": {}, "per_class": {}}
    few = synthesize.run(trained.path, folder / "few", 2, seed=3, dataset=dataset, judge=judge)
    quality = few.json("quality.json")
    assert quality["n"] == len(np.load(few.file("labels.npy"))) == 4
    assert quality["measured"]["per_class"] == 24
    assert quality["metrics"]["gan_test"]["value"] >= 0.9
    assert set(quality["metrics"]) == set(FIGURES)
    assert set(few.manifest.inputs) == {"gan", "dataset", "judge"}


def test_equal_seeds_give_equal_bytes_and_others_do_not(folder, dataset):
    first, again = (train_gan.run(dataset, folder / name, SHORT, seed=1) for name in ("a", "b"))
    assert first.manifest.files == again.manifest.files
    images = [
        synthesize.run(first.path, folder / f"images-{name}", 3, seed=seed)
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    ]
    assert images[0].content_hash == images[1].content_hash != images[2].content_hash


def test_finished_stages_are_not_run_again(dataset, trained, drawn, monkeypatch):
    def fail(*_, **__):
        raise AssertionError("trained or drew again")

    monkeypatch.setattr(train_gan.gan, "train", fail)
    monkeypatch.setattr(synthesize, "generate", fail)
    again = train_gan.run(dataset, trained.path, gan_toy.SETTINGS, seed=0)
    assert again.content_hash == trained.content_hash
    images = synthesize.run(trained.path, drawn.path, 24, seed=3)
    assert images.content_hash == drawn.content_hash
    with pytest.raises(AssertionError, match="again"):
        synthesize.run(trained.path, drawn.path, 25, seed=3)


def test_a_diverging_training_fails_the_step_with_a_sentence(folder, dataset):
    diverging = SHORT.model_copy(update={"class_weight": 1e39})
    with pytest.raises(TrainingError, match=r"failed after \d+ steps.*learning_rate") as failed:
        train_gan.run(dataset, folder / "diverged", diverging)
    assert failed.value.exit_code == 5
    assert not (folder / "diverged").exists()


def test_a_failed_training_may_be_published_for_its_evidence(folder, dataset, caplog):
    diverging = SHORT.model_copy(update={"class_weight": 1e39})
    found = train_gan.run(dataset, folder / "kept", diverging, on_failure="skip")
    assert found.json("stability.json")["verdict"] == "failed"
    assert "not been finite" in caplog.text
    samples = np.load(found.file("samples.npz"), allow_pickle=False)
    assert samples["images"].shape[1:] == (2, SAMPLES_PER_CLASS, 28, 28)
    with pytest.raises(TrainingError):
        train_gan.run(dataset, folder / "kept", diverging)
    shutil.copytree(found.path, sets.place(folder / "gans", "compact", sets.GAN))
    inputs = {"gan": folder / "gans", "dataset": dataset, "judge": folder / "none"}
    study = {"synthetic_per_class": 0, "gan_seed": 0, "gan_recipe": "compact", "sets": []}
    study |= {"gan_settings": {}, "copies": "drop", "arms": [{"arm": "add", "share": 1.0}]}
    adapters.synthesize({**inputs, **study, "synthetic": folder / "nothing"})
    images = sets.place(folder / "nothing", "compact", sets.IMAGES)
    assert adapters.given(images) is None
    note = (images / adapters.SKIPPED).read_text()
    assert note.startswith("Skipped: the GAN failed: the losses have not been finite since step")


def test_with_a_judge_the_best_generator_is_kept(folder, dataset, judge):
    scored = train_gan.run(dataset, folder / "scored", gan_toy.SETTINGS, judge=judge)
    scores = pd.read_csv(scored.file("history.csv")).set_index("step")["score"]
    assert (scores > 0).all()
    assert scored.json("summary.json")["best_step"] == scores.idxmin()


def test_no_images_cannot_be_drawn(folder, trained):
    with pytest.raises(InputError, match="at least 1"):
        synthesize.run(trained.path, folder / "none", 0)


def test_a_diffusion_model_goes_the_same_way(folder, dataset):
    settings = gan_toy.DIFFUSION.model_copy(update={"steps": 4, "sampling_steps": 2})
    made = train_gan.run(dataset, folder / "diffusion", settings, seed=0)
    assert not (made.path / "discriminator.keras").exists()
    assert "discriminator_parameters" not in made.json("summary.json")
    assert made.json("stability.json")["evidence"]["denoising_loss"] > 0
    with made.file("history.csv").open() as stream:
        assert [row["step"] for row in csv.DictReader(stream)] == ["4"]
    drawn = synthesize.run(made.path, folder / "diffused", 3, seed=3)
    assert np.load(drawn.file("images.npy")).shape == (6, 28, 28)


def test_batches_pair_classes_and_use_every_image():
    images, labels = gan_toy.bars()
    images[:, 0, 0] = np.arange(48)
    seen = []
    stream = gan.batches(images, labels, 16, seed=0)
    for _ in range(3):
        (batch,) = next(stream)
        assert batch["labels"][:8].tolist() == batch["labels"][8:].tolist()
        seen += batch["images"][:, 0, 0, 0].tolist()
    assert sorted(seen) == list(range(48))


def test_history_rows_divide_the_steps():
    assert [gan.row_steps(steps) for steps in (1500, 60, 7, 29)] == [25, 20, 7, 1]
    assert GanSettings().steps % gan.row_steps(GanSettings().steps) == 0
