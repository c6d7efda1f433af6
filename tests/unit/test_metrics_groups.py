"""Images that belong together are drawn together, and tell less than images of their own."""

from dataclasses import replace

import numpy as np
import pytest
from builders import build_dataset, build_evaluation
from outcomes import outcomes

from augstudy.core import artifacts
from augstudy.pages import answers
from augstudy.results import study
from augstudy.results.material import gather, in_groups, read_arm
from augstudy.stats.noise import noise_of
from augstudy.stats.paired import paired_difference
from augstudy.stats.units import Units
from augstudy.stats.usual import two_way_bootstrap
from augstudy.stats.verdicts import has_learnt

UNEQUAL = (30, 20, 10, 5, 3, 2, 2, 1, 1, 1) * 3


@pytest.mark.parametrize("balance", [None, np.repeat([0, 1, 2], [200, 80, 20])])
def test_groups_of_one_image_change_no_bit(balance):
    arms = outcomes(np.random.default_rng(2), 3, 300, 0.1, 0.1)
    plain = paired_difference(*arms, 500, balance=balance)
    alone = paired_difference(*arms, 500, balance=balance, groups=np.arange(300)[::-1])
    assert plain == alone
    one, other = (
        two_way_bootstrap(*arms, 500, balance=balance, groups=it) for it in (None, np.arange(300))
    )
    assert np.array_equal(one, other)


def test_the_same_image_many_times_is_one_image():
    """Ten copies of each image, in a group: as much is known as from the images themselves."""
    arms = outcomes(np.random.default_rng(3), 1, 100, 0.2)
    copies = [np.repeat(arm, 10, axis=1) for arm in arms]
    groups = np.repeat(np.arange(100), 10)
    once = paired_difference(*arms)
    found = paired_difference(*copies, groups=groups)
    wide, narrow = (item.high - item.low for item in (found, paired_difference(*copies)))
    assert found.mean == pytest.approx(once.mean)
    assert wide == pytest.approx(once.high - once.low, rel=0.1) and narrow < 0.6 * wide
    units = Units.of(1000, None, groups)
    difference = copies[0].astype(int) - copies[1]
    assert units.effective == 100
    assert units.design_effect(difference) == pytest.approx(10, rel=0.05)
    assert noise_of(difference, None, units).parts(1, 1000) == pytest.approx(
        noise_of(arms[0].astype(int) - arms[1]).parts(1, 100), rel=1e-6
    )


def test_the_order_of_images_and_the_names_of_groups_do_not_matter():
    groups = np.repeat(np.arange(len(UNEQUAL)), UNEQUAL)
    arms = outcomes(np.random.default_rng(4), 3, len(groups))
    order = np.random.default_rng(5).permutation(len(groups))
    found = paired_difference(*arms, groups=groups)
    other = paired_difference(*(arm[:, order] for arm in arms), groups=7 - groups[order])
    assert (other.low, other.high) == pytest.approx((found.low, found.high), abs=1e-9)
    turned = paired_difference(arms[1], arms[0], groups=groups)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low), abs=1e-9)


def test_a_single_group_tells_nothing_of_others():
    found = paired_difference(np.ones((3, 50), bool), np.zeros((3, 50), bool), groups=[1] * 50)
    assert (found.low, found.high) == (-1.0, 1.0) and found.p_value > 0.2


def test_arms_that_never_differ_rule_out_what_so_few_groups_can():
    correct = np.ones((3, 100), bool)
    found = paired_difference(correct, correct, groups=np.arange(100) // 10)
    unseen = 1 - 0.025 ** (1 / 10)  # Clopper and Pearson: nothing seen in 10 groups
    assert (found.low, found.high) == pytest.approx((-unseen, unseen))


def test_effective_groups_are_fewer_where_sizes_differ():
    assert Units.of(12, None, np.repeat([0, 1, 2], 4)).effective == pytest.approx(3)
    unequal = Units.of(12, None, np.repeat([0, 1, 2], [10, 1, 1]))
    assert unequal.effective == pytest.approx(144 / 102)


def test_a_burst_of_one_scene_is_no_proof_of_having_learnt():
    labels = np.repeat([0, 1], 20)
    correct = np.ones((1, 40), bool)
    correct[0, 3:17] = False
    assert has_learnt(correct, labels)
    assert not has_learnt(correct, labels, np.repeat([0, 1, 2, 3], 10))


def test_a_study_takes_the_groups_of_its_test_images(tmp_path):
    dataset = build_dataset(tmp_path / "plain", ("cow", "lion"), test=40)
    groups = np.arange(80) // 4
    with artifacts.publish(tmp_path / "grouped", "dataset", config=dataset.manifest.config) as to:
        for name in dataset.manifest.files:
            (to / name).write_bytes(dataset.file(name).read_bytes())
        np.save(to / "test_groups.npy", groups)
    found = {}
    for name in ("plain", "grouped"):
        data = artifacts.read(tmp_path / name, "dataset")
        paths = [
            build_evaluation(tmp_path / f"{name}-{arm}", data, arm, share, skill=skill).path
            for arm, share, skill in (("real", None, 0.0), ("add", 1.0, 0.3))
        ]
        material = gather(data.path, paths, [], {}, {}, {})
        found[name] = study.summarise(material)
        assert np.array_equal(material.arms[0].groups, groups) is (name == "grouped")
    plain, grouped = (found[name].differences["add:1"] for name in found)
    assert grouped.mean == plain.mean and grouped.low != plain.low
    assert (found["grouped"].groups.count, found["grouped"].groups.effective) == (20, 20)
    assert found["plain"].groups is None
    sentence = "The 80 test images belong to 20 groups, which tell as much as 20 of equal size"
    assert sentence in answers.markdown(found["grouped"])
    assert "groups" not in answers.markdown(found["plain"])


def test_groups_of_folds_are_those_of_each_fold(tmp_path):
    dataset = build_dataset(tmp_path / "folded", ("cow", "lion"), test=4, folds=2)
    arm = read_arm(build_evaluation(tmp_path / "real", dataset).path)
    other = build_dataset(dataset.path / "fold-1", ("cow", "lion"), test=4)
    twice = replace(arm, labels=np.tile(arm.labels, 2), fold=np.repeat([0, 1], 8))
    (found,) = in_groups([twice], dataset)
    assert len(set(found.groups.tolist())) == 16  # none belong together
    with artifacts.publish(tmp_path / "again", "dataset", config=other.manifest.config) as to:
        for name in other.manifest.files:
            (to / name).write_bytes(other.file(name).read_bytes())
        np.save(to / "test_groups.npy", np.zeros(8, np.int64))
    (tmp_path / "again").rename(tmp_path / "fold")
    other.path.rename(tmp_path / "old")
    (tmp_path / "fold").rename(dataset.path / "fold-1")
    (found,) = in_groups([twice], dataset)
    assert len(set(found.groups[8:].tolist())) == 1 and len(set(found.groups.tolist())) == 9
