"""Arms where classes have unequal numbers of real images: a share is one of each class's own."""

import numpy as np
import pytest

from augstudy.data import shares
from augstudy.data.curation import Opinion, TooFewDrawingsError
from augstudy.data.mixtures import Drawings, Sources, Synthetic, training_set
from augstudy.settings.arms import Arm
from augstudy.settings.spec import ImageSpec

COUNTS = (20, 10, 4)
SPEC = ImageSpec(4, 5, 3)


def images(counts, offset=0):
    labels = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    numbers = (offset + np.arange(len(labels))).astype(np.uint8)
    return Drawings(
        np.broadcast_to(numbers[:, None, None, None], (len(labels), *SPEC.shape)), labels
    )


REAL = images(COUNTS)
MADE = Synthetic(right=images((40, 20, 8), 60), fault=images((40, 20, 8), 130))


def made(arm, share=None, synthetic=MADE, **sources):
    chosen = Arm(arm=arm, share=share)
    return training_set(
        chosen, Sources(REAL, synthetic=synthetic, **sources), classes=len(COUNTS), seed=0
    )


def of_each(result, source):
    """How many images of each class are from `source`."""
    numbers = np.unique(source.images[:, 0, 0, 0])
    return result.at(np.flatnonzero(np.isin(result.images[:, 0, 0, 0], numbers))).counts(3).tolist()


@pytest.mark.parametrize("arm", ["replace", "mislabelled"])
def test_replacing_keeps_the_number_of_each_class(arm):
    result = made(arm, 0.5)
    assert result.counts(3).tolist() == list(COUNTS)
    source = MADE.right if arm == "replace" else MADE.fault
    assert of_each(result, source) == [10, 5, 2]


@pytest.mark.parametrize("arm", ["add", "classic_add"])
def test_adding_takes_the_share_of_each_class(arm):
    assert of_each(made(arm, 0.5), MADE.right) == [10, 5, 2]
    assert of_each(made(arm, 2.0), MADE.right) == [40, 20, 8]


def test_a_small_class_may_get_none_while_others_get_some():
    assert of_each(made("add", 0.1), MADE.right) == [2, 1, 0]
    with pytest.raises(TooFewDrawingsError, match=r"share of 0\.02, which gives no .* level 20"):
        made("add", 0.02)


def test_the_class_that_lacks_images_is_noticed():
    few = Synthetic(right=images((40, 20, 3), 60), fault=MADE.fault)
    with pytest.raises(TooFewDrawingsError, match=r"needs 4 synthetic .*only 3"):
        made("add", 1.0, synthetic=few)


def test_extra_real_is_of_each_class_as_many():
    assert made("extra_real", 0.5, extra=images((30, 5, 2), 200)).counts(3).tolist() == [30, 15, 6]
    with pytest.raises(TooFewDrawingsError, match=r"needs 5 further .*only 4"):
        made("extra_real", 0.5, extra=images((30, 4, 2), 200))


def judged(source, share):
    """A filter that keeps the last `share` of each class."""
    kept = np.zeros(len(source), bool)
    for label in range(len(COUNTS)):
        rows = np.flatnonzero(source.labels == label)
        kept[rows[round(len(rows) * (1 - share)) :]] = True
    return Opinion(np.linspace(0.9, 0.1, len(source), dtype=np.float32), kept)


@pytest.mark.parametrize("balance", [True, False])
def test_filtered_images_are_as_many_as_added_ones(balance):
    result = made("add_filtered", 1.0, synthetic_opinion=judged(MADE.right, 0.5), balance=balance)
    assert of_each(result, MADE.right) == list(COUNTS)


def test_the_same_share_of_each_class_is_left_where_real_images_are_filtered():
    opinion = judged(REAL, 0.5)
    assert made("real_filtered", real_opinion=opinion).counts(3).tolist() == [10, 5, 2]
    rare = made("real_filtered", real_opinion=judged(REAL, 0.1)).counts(3).tolist()
    assert rare == [2, 1, 1]  # not even of a tenth of four a class is lost


def test_synthetic_images_are_made_in_proportion():
    arms = [Arm(arm="real"), Arm(arm="add", share=0.5), Arm(arm="add_filtered", share=0.3)]
    assert shares.synthetic_wanted(arms, COUNTS) == [24, 12, 5]
    assert shares.synthetic_wanted(arms[:2], COUNTS) == [10, 5, 2]
    assert shares.synthetic_wanted(arms[:1], COUNTS) == []
