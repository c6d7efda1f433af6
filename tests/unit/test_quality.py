"""What quality.json says of good, copied, collapsed, blurred and mislabelled images."""

import json

import numpy as np
import plain_figures
import pytest
from builders import read_drawings
from generated import eyes
from scipy import ndimage
from scipy.spatial import distance

from augstudy.metrics import generative, measuring
from augstudy.metrics.figures import FIGURES, Seen
from augstudy.settings.data import MAMMALS

CLASSES = ["cow", "giraffe", "zebra"]
SIZE = 40


def drawings(start, change=lambda images: images):
    images = np.concatenate([change(read_drawings(name, SIZE, start)) for name in CLASSES])
    return eyes(images, np.repeat(np.arange(3), SIZE), CLASSES)


REFERENCE, POOL, TRAINING = drawings(0), drawings(40), drawings(80)


def measured(fake):
    return measuring.measure(REFERENCE, POOL, fake, TRAINING.images, CLASSES)


@pytest.fixture(scope="module")
def good():
    return measured(drawings(120))


def values(found):
    return {name: record["value"] for name, record in found["metrics"].items()}


def test_every_record_is_complete(good):
    json.dumps(good, allow_nan=False)
    assert list(good["metrics"]) == [name for name in FIGURES if name != "cas"]
    assert list(good["per_class"]) == CLASSES
    records = [*good["metrics"].items()]
    records += [item for own in good["per_class"].values() for item in own.items()]
    for name, record in records:
        assert record["low"] <= record["value"] <= record["high"], name
        assert record["low"] < record["high"], name
        assert record["direction"] == FIGURES[name].direction
        assert record["n"] == (120 if record in good["metrics"].values() else 40)
    by_class = ["kid", "precision", "recall", "density", "coverage", "gan_test", "diversity"]
    assert list(good["per_class"]["cow"]) == [*by_class, "nearest_training"]


def test_unseen_real_drawings_are_as_good_as_real_ones(good):
    """What stands for the synthetic images is real here, so every interval should hold `real`."""
    for name, record in good["metrics"].items():
        width = record["high"] - record["low"]
        assert record["low"] - width < record["real"] < record["high"] + width, name


def test_figures_are_those_of_the_plain_functions(good):
    x, y = REFERENCE.features, drawings(120).features
    found = values(good)
    assert found["fid_qd"] == pytest.approx(generative.frechet_distance(x, y), rel=1e-5)
    assert found["kid"] == pytest.approx(plain_figures.kernel_distance(x, y), rel=1e-5)
    assert (found["precision"], found["recall"]) == pytest.approx(
        plain_figures.precision_recall(x, y), rel=1e-5
    )
    assert (found["density"], found["coverage"]) == pytest.approx(
        plain_figures.density_coverage(x, y), rel=1e-5
    )


def test_a_generator_that_copies_is_found_out(good):
    found = measured(TRAINING)
    assert found["metrics"]["near_copies"]["low"] > 0.9
    assert found["metrics"]["nearest_training"]["value"] == 0
    assert found["metrics"]["nearest_training"]["real"] > 0
    assert values(good)["near_copies"] < 0.1
    for own in found["per_class"].values():
        assert own["nearest_training"]["value"] == 0 < own["nearest_training"]["real"]
    # No other figure would tell.
    assert values(found)["coverage"] > 0.8
    assert values(found)["gan_test"] >= values(good)["gan_test"] - 0.15


def test_a_collapsed_generator_is_found_out(good):
    found = measured(drawings(120, lambda images: np.repeat(images[:1], SIZE, axis=0)))
    bad, fine = values(found), values(good)
    assert bad["diversity"] == pytest.approx(0, abs=1e-6)
    assert bad["coverage"] < 0.5 * fine["coverage"]
    assert bad["recall"] < 0.1
    assert bad["fid_qd"] > 2 * fine["fid_qd"]
    assert found["metrics"]["kid"]["low"] > fine["kid"]
    for own in found["per_class"].values():
        assert own["diversity"]["value"] == pytest.approx(0, abs=1e-6)
    assert found["per_class"]["cow"]["coverage"]["value"] < 0.4
    assert found["per_class"]["cow"]["recall"]["value"] < 0.1


def test_a_blurring_generator_is_found_out(good):
    def blurred(images):
        return ndimage.gaussian_filter(images.astype(float), (0, 4, 4)).astype(np.uint8)

    bad, fine = values(measured(drawings(120, blurred))), values(good)
    assert bad["diversity"] < 0.7 * fine["diversity"]
    assert bad["kid"] > 3 * abs(fine["kid"])
    assert bad["recall"] < 0.5 * fine["recall"]


def test_noise_is_found_out(good):
    random = np.random.default_rng(0)

    def noise(images):
        return random.integers(0, 256, images.shape, dtype=np.uint8)

    bad = values(measured(drawings(120, noise)))
    assert bad["precision"] == bad["coverage"] == bad["density"] == 0
    assert bad["gan_test"] < 0.5


def test_patches_without_sense_vary_too_much(good):
    random = np.random.default_rng(0)

    def patches(images):
        return np.kron(random.integers(0, 2, (len(images), 7, 7)), np.ones((4, 4))) * 255

    bad = values(measured(drawings(120, lambda images: patches(images).astype(np.uint8))))
    assert bad["diversity"] > 1.3 * values(good)["diversity"]
    assert FIGURES["diversity"].direction == "as real"


def test_diversity_is_the_mean_distance_of_pairs_over_that_of_real_ones(good):
    fake = drawings(120)
    ratios = {}
    for label, name in enumerate(CLASSES):
        own, real = (
            distance.pdist(
                item.of(label).images.reshape(-1, 14, 2, 14, 2).mean((2, 4)).reshape(-1, 196)
            ).mean()
            for item in (fake, REFERENCE)
        )
        ratios[name] = own / real
        found = good["per_class"][name]["diversity"]
        assert found["value"] == pytest.approx(ratios[name], rel=1e-5)
        assert found["real"] == pytest.approx(1.0, abs=0.15)
    assert values(good)["diversity"] == pytest.approx(np.mean(list(ratios.values())), rel=1e-5)


def test_one_bad_class_is_found_out(good):
    random = np.random.default_rng(0)
    fine = drawings(120)
    mixed = np.concatenate([random.integers(0, 256, (SIZE, 28, 28), np.uint8), fine.images[SIZE:]])
    found = measured(eyes(mixed, fine.labels, CLASSES))["per_class"]
    assert found["cow"]["precision"]["value"] == found["cow"]["density"]["value"] == 0
    assert found["zebra"] == good["per_class"]["zebra"]


def test_swapped_labels_are_found_out(good):
    fine = drawings(120)
    swapped = eyes(np.roll(fine.images, SIZE, axis=0), fine.labels, CLASSES)
    found = measured(swapped)
    assert values(found)["gan_test"] < 0.5 * values(good)["gan_test"]
    # Over all classes the images are as they were; within a class they are not.
    assert values(found)["fid_qd"] == pytest.approx(values(good)["fid_qd"], rel=1e-3)
    kids = [own["kid"]["value"] for own in found["per_class"].values()]
    assert min(kids) > max(own["kid"]["value"] for own in good["per_class"].values())


def test_many_images_of_few_features_have_every_figure_of_each_class():
    def seen(start):
        images = np.concatenate([read_drawings(name, 100, start) for name in CLASSES])
        item = eyes(images, np.repeat(np.arange(3), 100), CLASSES)
        return Seen(item.images, item.labels, item.features[:, :5], item.probabilities)

    reference, real, fake = seen(0), seen(100), seen(200)
    off = np.where(fake.labels[:, None] == 0, 3.0, 0.0)
    fake = Seen(fake.images, fake.labels, fake.features + off, fake.probabilities)
    found = measuring.measure(reference, real, fake, TRAINING.images, CLASSES)["per_class"]
    assert list(found["zebra"]) == [name for name in FIGURES if name != "cas"]
    for label, name in enumerate(CLASSES):
        plain = generative.frechet_distance(reference.of(label).features, fake.of(label).features)
        assert found[name]["fid_qd"]["value"] == pytest.approx(plain, rel=1e-5)
    # Features shifted by 3 in each of 5 dimensions are 45 away; nothing else has changed.
    assert found["cow"]["fid_qd"]["low"] > 25 > 10 > found["zebra"]["fid_qd"]["high"]


def of_few(per_class, classes=CLASSES):
    """What is measured of so many images per class."""
    labels = np.repeat(np.arange(len(classes)), per_class)
    pictures = (
        np.concatenate([read_drawings(name, per_class, start) for name in classes])
        for start in (0, 40, 120)
    )
    return measuring.measure(
        *(eyes(images, labels, classes) for images in pictures), TRAINING.images, classes
    )


def test_small_sets_leave_out_what_needs_more():
    found = of_few(4)
    assert found["metrics"]["diversity"]["low"] < found["metrics"]["diversity"]["high"]
    assert set(found["per_class"]["cow"]) == {"gan_test", "kid", "diversity", "nearest_training"}
    assert found["metrics"]["coverage"]["n"] == 12 == measuring.LEAST


@pytest.mark.parametrize("per_class", [2, 3])
def test_a_few_images_a_class_do_not_tell_how_much_they_differ(per_class):
    found = of_few(per_class, MAMMALS)
    assert "diversity" not in found["metrics"]
    assert found["metrics"]["kid"]["n"] == len(MAMMALS) * per_class
    assert set(found["per_class"]["cow"]) == {"gan_test"}


def test_as_many_of_each_class_are_measured_as_all_have():
    labels = np.repeat(np.arange(3), [5, 7, 9])
    assert measuring.common_counts([labels, np.repeat(np.arange(3), 6)], 3) == [5, 6, 6]
    assert measuring.common_counts([labels, np.repeat(np.arange(2), 6)], 3) == [5, 6, 0]
    assert measuring.common_counts([np.repeat(np.arange(3), 5000)] * 2, 3) == [1000] * 3
    many = np.repeat(np.arange(2), [9000, 1000])
    assert measuring.common_counts([many, many], 2) == [2700, 300]
    rows = measuring.first_of_each(np.array([1, 0, 1, 0, 1]), [1, 2])
    assert rows.tolist() == [1, 0, 2]


def test_an_exact_share_has_a_width():
    record = measuring.share_record("cas", np.ones(20, bool), 0.9)
    assert (record["value"], record["high"]) == (1, 1)
    assert record["low"] == pytest.approx(0.832, abs=1e-3)  # 0.025 ** (1 / 20)
