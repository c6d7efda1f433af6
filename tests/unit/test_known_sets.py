"""Sets whose effect is known beforehand: real images under another name, and wrong labels."""

import numpy as np
import pytest
from builders import build_dataset, write_json

from augstudy.core import artifacts
from augstudy.data.dataset import load_split
from augstudy.results import comparisons
from augstudy.results.material import read_arm
from augstudy.settings.arms import Arm
from augstudy.settings.classifier import ClassifierSettings
from augstudy.steps import evaluate, train_cnn

CLASSES = ("camel", "giraffe", "zebra")
SETTINGS = ClassifierSettings(
    architecture="baseline",
    epochs=8,
    batch_size=16,
    views=1,
    budget="epochs",
    precision="float32",  # the same on every machine: so few trainings must not depend on it
)
SEEDS = (0, 1, 2)
SHARE = 10.0


def publish(path, images, labels):
    """A set of synthetic images, as far as training reads it."""
    with artifacts.publish(path, "synthetic", seed=0) as draft:
        np.save(draft / "images.npy", images)
        np.save(draft / "labels.npy", labels)
        np.save(draft / "fault_rows.npy", np.arange(len(images))[::-1])
        write_json(draft / "classes.json", list(CLASSES))
    return path


@pytest.fixture(scope="module")
def arms(tmp_path_factory):
    """Results by arm, trained on few real drawings and ten times as many others."""
    folder = tmp_path_factory.mktemp("known")
    dataset = build_dataset(folder / "dataset", CLASSES, train=4, extra=40, val=10, test=120)
    beyond = load_split(dataset, "extra")
    wrong = np.random.default_rng(0).permutation(beyond.labels)
    sets = {
        "extra": publish(folder / "extra", beyond.images, beyond.labels),
        "permuted": publish(folder / "permuted", beyond.images, wrong),
    }
    chosen = [Arm(arm="real"), Arm(arm="extra_real", share=SHARE)]
    chosen += [Arm(arm="add", share=SHARE, set=name) for name in sets]
    found = {}
    for arm in chosen:
        cell = folder / arm.label.replace(":", "-")
        synthetic = sets[arm.set] if arm.set else None
        train_cnn.run(dataset.path, cell / "cnn", arm, SEEDS, SETTINGS, synthetic=synthetic)
        evaluate.run(dataset.path, cell / "cnn", cell / "evaluation")
        found[arm.label] = read_arm(cell / "evaluation")
    return found


def test_a_set_of_real_images_does_what_as_many_real_images_do(arms):
    real, extra = arms["real"], arms["extra_real:10"]
    every = list(arms.values())
    of_set = comparisons.difference(arms["add:10@extra"], real, every)
    of_real = comparisons.difference(extra, real, every)
    assert of_set.low > 0 and of_real.low > 0
    assert of_real.low <= of_set.mean <= of_real.high


def test_a_set_whose_labels_are_permuted_does_not_help(arms):
    found = comparisons.with_real(list(arms.values()), 0.01)
    assert found["add:10@permuted"].verdict == "hurts"
    assert found["add:10@extra"].verdict == "helps"
