import numpy as np
import pytest

from augstudy.config import Arm
from augstudy.data.mixtures import Drawings, Synthetic, training_set
from augstudy.errors import InputError

CLASSES, LEVEL = 3, 10


def drawings(offset, per_class=LEVEL):
    """Each image is filled with its own number, so that it can be recognised."""
    labels = np.repeat(np.arange(CLASSES, dtype=np.int32), per_class)
    numbers = (offset + np.arange(len(labels))).astype(np.uint8)
    return Drawings(np.broadcast_to(numbers[:, None, None], (len(labels), 28, 28)), labels)


REAL = drawings(0)
SYNTHETIC = Synthetic(right=drawings(100), fault=drawings(200))


def mix(arm, share=None, seed=0, synthetic=SYNTHETIC):
    chosen = Arm(arm=arm, share=share)
    return training_set(chosen, REAL, synthetic, classes=CLASSES, seed=seed)


def numbers(result):
    return set(result.images[:, 0, 0].tolist())


@pytest.mark.parametrize("arm", ["real", "classic"])
def test_real_arms_hold_the_real_drawings_alone(arm):
    assert numbers(mix(arm, synthetic=None)) == numbers(REAL)


def test_replace_keeps_the_count_and_changes_the_share_in_every_class():
    result = mix("replace", 0.3)
    assert np.bincount(result.labels).tolist() == [LEVEL] * CLASSES
    synthetic = result.images[:, 0, 0] >= 100
    assert np.bincount(result.labels[synthetic]).tolist() == [3] * CLASSES


def test_add_keeps_every_real_drawing():
    result = mix("add", 0.5)
    assert numbers(REAL) < numbers(result)
    assert np.bincount(result.labels).tolist() == [15] * CLASSES


def labels_by_number(source):
    return dict(zip(source.images[:, 0, 0].tolist(), source.labels.tolist(), strict=True))


@pytest.mark.parametrize(
    ("arm", "share", "source"),
    [("add", 1.0, SYNTHETIC.right), ("mislabelled", 0.5, SYNTHETIC.fault)],
)
def test_labels_travel_with_their_images(arm, share, source):
    known = labels_by_number(source) | labels_by_number(REAL)
    for number, label in labels_by_number(mix(arm, share)).items():
        assert known[number] == label


def test_mislabelled_takes_the_faulty_drawings_and_none_of_the_right_ones():
    taken = {number for number in numbers(mix("mislabelled", 0.3)) if number >= 100}
    assert taken and min(taken) >= 200


def test_a_seed_replaces_the_same_real_drawings_in_every_arm():
    kept = [
        {number for number in numbers(mix(arm, 0.3, seed=5)) if number < 100}
        for arm in ("replace", "mislabelled")
    ]
    assert kept[0] == kept[1]
    assert kept[0] != {n for n in numbers(mix("replace", 0.3, seed=6)) if n < 100}


def test_a_larger_share_replaces_a_superset():
    small, large = (
        {number for number in numbers(mix("replace", share)) if number < 100}
        for share in (0.3, 0.5)
    )
    assert large < small


def test_too_few_synthetic_drawings_say_how_many_there_are():
    with pytest.raises(InputError, match=r"20 synthetic drawings a class are needed.*only 10"):
        mix("add", 2.0)


def test_an_arm_without_its_synthetic_drawings_is_refused():
    with pytest.raises(InputError, match="'add_100' needs synthetic drawings"):
        mix("add", 1.0, synthetic=None)
