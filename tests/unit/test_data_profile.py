"""Profiles of datasets: what counts as a change, and what chance explains."""

import copy

import numpy as np
import pytest
from builders import build_dataset

from augstudy.data.profile import among, digests, drift, drifts, problems, profile, stability_index
from augstudy.settings.comparing import RetrainSettings

LIMITS = RetrainSettings()


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "dataset"
    return profile(build_dataset(path, ("cow", "lion", "zebra"), train=80, val=20, test=20))


def test_stability_index_is_its_formula():
    half, moved = np.array([50, 50]), np.array([80, 20])
    by_hand = 0.3 * np.log(0.8 / 0.5) - 0.3 * np.log(0.2 / 0.5)
    assert stability_index(half, moved) == pytest.approx(by_hand)
    assert stability_index(half, 7 * half) == 0
    emptied = 0.5 * np.log(2) + (0.005 - 0.5) * np.log(0.01)
    assert stability_index(half, np.array([100, 0])) == pytest.approx(emptied)


def test_thin_bins_are_joined():
    before = np.array([0, 1, 3, 40, 40, 10, 3, 2, 1, 0])
    after = np.array([1, 0, 3, 40, 40, 10, 2, 2, 1, 1])
    joined = stability_index(np.array([44, 40, 16]), np.array([44, 40, 16]))
    assert drift(before, after).index == pytest.approx(joined)


def test_chance_alone_seldom_passes_its_bound():
    generator = np.random.default_rng(0)
    shares = np.array([0.02, 0.1, 0.2, 0.3, 0.2, 0.15, 0.03])
    moved = [
        drift(generator.multinomial(100, shares), generator.multinomial(150, shares))
        for _ in range(2000)
    ]
    assert np.mean([item.index > item.chance for item in moved]) < 0.005
    assert np.mean([item.index for item in moved]) < 0.1  # expectation: 5 (1/100 + 1/150) = 0.083


def test_profile_counts_every_drawing(known):
    assert [item["name"] for item in known["classes"]] == ["cow", "lion", "zebra"]
    assert [sum(item["ink"]) for item in known["classes"]] == [120, 120, 120]
    assert known["image"] == [28, 28, "uint8"]


def test_the_same_kind_of_data_passes(known, tmp_path):
    assert problems(known, known, LIMITS) == []
    other = profile(build_dataset(tmp_path / "d", ("cow", "lion", "zebra"), 60, 30, 20))
    assert problems(known, other, LIMITS) == []


def changed(known, at, **values):
    now = copy.deepcopy(known)
    now["classes"][at].update(values)
    return now


def test_a_class_whose_ink_has_changed_is_named(known):
    ink = known["classes"][2]["ink"]
    found = problems(known, changed(known, 2, ink=ink[::-1]), LIMITS)
    assert found[-1].startswith(
        "the brightness of class 'zebra' has drifted, its stability index is "
    )
    assert not any("'cow'" in item for item in found)
    assert drifts(known, known)["class 'cow'"].index == 0
    lax = RetrainSettings(max_drift=100)
    assert problems(known, changed(known, 2, ink=ink[::-1]), lax) == []


def test_a_shrunken_source_is_told(known):
    assert problems(known, changed(known, 0, available=340), LIMITS) == []
    (found,) = problems(known, changed(known, 0, available=338), LIMITS)
    assert found == "class 'cow' has 338 images; it had 424 (max_shrink is 0.2)"


def test_another_schema_is_told(known):
    assert problems(known, known | {"image": [32, 32, "uint8"]}, LIMITS) == [
        "the format is [1, 32, 32, 'uint8']; it was [1, 28, 28, 'uint8']"
    ]
    for classes in (known["classes"][::-1], known["classes"][:2]):
        (found,) = problems(known, known | {"classes": classes}, LIMITS)
        assert found.endswith("they were cow, lion, zebra")


def test_drawings_are_known_by_their_content():
    images = np.random.default_rng(1).integers(0, 255, (6, 28, 28), dtype=np.uint8)
    hashes = digests(images)
    assert hashes.shape == (6, 16)
    assert among(hashes, digests(images[[4, 1]])).tolist() == [
        False,
        True,
        False,
        False,
        True,
        False,
    ]
    assert not among(hashes, hashes[:0]).any()
