import numpy as np
import pytest

from augstudy.data.curation import Opinion, TooFewDrawingsError
from augstudy.data.mixtures import Drawings, Sources, Synthetic, training_set
from augstudy.settings.arms import KINDS, Arm

CLASSES, LEVEL = 3, 10


def drawings(offset, per_class=LEVEL):
    """Each image is filled with its own number, so that it can be recognised."""
    labels = np.repeat(np.arange(CLASSES, dtype=np.int32), per_class)
    numbers = (offset + np.arange(len(labels))).astype(np.uint8)
    return Drawings(np.broadcast_to(numbers[:, None, None], (len(labels), 28, 28)), labels)


REAL = drawings(0)
SYNTHETIC = Synthetic(right=drawings(100), fault=drawings(200))


def mix(arm, share=None, seed=0, synthetic=SYNTHETIC, **sources):
    chosen = Arm(arm=arm, share=share)
    given = Sources(REAL, synthetic=synthetic, **sources)
    return training_set(chosen, given, classes=CLASSES, seed=seed)


def judged(*rejected):
    """A filter that keeps all but the `rejected` rows, and is less and less confident."""
    confidence = np.linspace(0.9, 0.1, CLASSES * LEVEL, dtype=np.float32)
    kept = ~np.isin(np.arange(CLASSES * LEVEL), rejected)
    return Opinion(confidence, kept)


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


@pytest.mark.parametrize("arm", ["add", "classic_add"])
def test_add_keeps_every_real_drawing(arm):
    result = mix(arm, 0.5)
    assert numbers(REAL) < numbers(result)
    assert np.bincount(result.labels).tolist() == [15] * CLASSES


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.most])
def test_a_share_that_is_no_image_is_refused_and_one_that_is_an_image_is_not(name):
    with pytest.raises(TooFewDrawingsError, match=r"has a share of 0\.05, which gives no image"):
        mix(name, 0.05, extra=REAL, synthetic_opinion=judged())  # 0.5 of an image
    made = mix(name, 0.06, extra=REAL, synthetic_opinion=judged())
    differs = len(made) != len(REAL) or numbers(made) != numbers(REAL)
    assert differs or KINDS[name].longer


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


@pytest.mark.parametrize("arm", ["add", "replace", "mislabelled", "classic_add", "add_filtered"])
def test_an_arm_without_its_synthetic_drawings_is_refused(arm):
    with pytest.raises(TooFewDrawingsError, match=f"'{arm}:1' needs synthetic images"):
        mix(arm, 1.0, synthetic=None)


def test_too_few_synthetic_drawings_say_how_many_there_are():
    with pytest.raises(TooFewDrawingsError, match=r"20 synthetic .* per class.*only 10"):
        mix("add", 2.0)


def test_same_steps_holds_the_real_drawings_alone():
    assert numbers(mix("same_steps", 1.0, synthetic=None)) == numbers(REAL)


def test_extra_real_adds_real_drawings_beyond_the_level():
    result = mix("extra_real", 0.5, extra=drawings(50))
    added = numbers(result) - numbers(REAL)
    assert added == {50, 51, 52, 53, 54, 60, 61, 62, 63, 64, 70, 71, 72, 73, 74}
    known = labels_by_number(drawings(50)) | labels_by_number(REAL)
    assert labels_by_number(result).items() <= known.items()


@pytest.mark.parametrize(("extra", "left"), [(drawings(50), 10), (None, 0)])
def test_extra_real_says_when_the_pool_is_too_small(extra, left):
    with pytest.raises(
        TooFewDrawingsError,
        match=rf"'extra_real:1.5' needs 15 further .*only {left}: lower the level.*train_per_class",
    ):
        mix("extra_real", 1.5, extra=extra)


def test_add_filtered_takes_what_the_filter_kept_in_every_class_alike():
    result = mix("add_filtered", 0.5, synthetic_opinion=judged(0, 2, 4, 21))
    added = sorted(numbers(result) - numbers(REAL))
    assert added == [101, 103, 105, 106, 107, 110, 111, 112, 113, 114, 120, 122, 123, 124, 125]


def test_where_too_few_were_kept_the_most_confident_of_the_others_follow():
    kept_two = [row for row in range(LEVEL) if row not in (3, 8)]
    result = mix("add_filtered", 0.5, synthetic_opinion=judged(*kept_two))
    first_class = {number for number in numbers(result) if 100 <= number < 110}
    assert first_class == {103, 108, 100, 101, 102}


def test_without_balance_a_class_contributes_as_often_as_it_passes():
    doubted = judged(*range(2, LEVEL))
    result = mix("add_filtered", 0.5, synthetic_opinion=doubted, balance=False)
    counts = result.counts(CLASSES) - LEVEL
    assert counts[0] == 2 and counts.sum() == 15 and abs(counts[1] - counts[2]) <= 1


def test_a_filter_that_is_missing_is_asked_for():
    for arm, share in (("add_filtered", 0.5), ("real_filtered", None)):
        with pytest.raises(TooFewDrawingsError, match=f"'{arm}.*--curation"):
            mix(arm, share)


def test_real_filtered_drops_real_drawings_that_the_filter_doubts():
    doubted = (0, 1, 2, 3, 14, 29)
    result = mix("real_filtered", real_opinion=judged(*doubted), balance=False)
    assert numbers(result) == numbers(REAL) - set(doubted)


def test_real_filtered_balances_to_the_mean():
    result = mix("real_filtered", real_opinion=judged(0, 1, 2, 3, 14, 29))
    assert result.counts(CLASSES).tolist() == [8, 8, 8]
    assert {0, 1} < numbers(result)  # the surest two of those dropped in the first class


@pytest.mark.parametrize("balance", [True, False])
def test_real_filtered_with_hardly_anything_left_is_refused(balance):
    kept = [] if not balance else [3]  # one of three classes: a third of a drawing each
    nearly_all = judged(*set(range(CLASSES * LEVEL)).difference(kept))
    with pytest.raises(TooFewDrawingsError, match=rf"only {len(kept)} of 30 real .*strictness"):
        mix("real_filtered", real_opinion=nearly_all, balance=balance)


def test_pretrain_trains_on_the_whole_set_before_the_real_drawings():
    result = mix("pretrain")
    assert numbers(result) == numbers(REAL) and numbers(result.before) == numbers(SYNTHETIC.right)


def test_weighted_synthetic_drawings_count_less():
    result = mix("weighted", 0.5)
    made = result.images[:, 0, 0] >= 100
    assert made.sum() == CLASSES * LEVEL / 2
    assert set(result.weights[made]) == {np.float32(0.3)} and set(result.weights[~made]) == {1.0}
    own = Arm(arm="weighted", share=0.5, name="half", weight=0.5)
    chosen = training_set(own, Sources(REAL, synthetic=SYNTHETIC), classes=CLASSES, seed=0)
    assert set(chosen.weights) == {np.float32(0.5), np.float32(1.0)}


def test_fresh_shows_others_of_the_same_class_in_every_epoch():
    result = mix("fresh", 0.2)
    epochs = [result.in_epoch(epoch, 3) for epoch in range(60)]
    assert all(np.array_equal(images[: len(REAL)], REAL.images) for images in epochs)
    tails = [images[len(REAL) :, 0, 0] for images in epochs]
    assert all(len(set(tail)) == len(tail) == 6 for tail in tails)
    assert set(np.concatenate(tails)) == numbers(SYNTHETIC.right)
    for tail in tails:
        assert ((tail.astype(int) - 100) // LEVEL == result.labels[len(REAL) :]).all()
    assert np.array_equal(result.in_epoch(4, 3), epochs[4])


def test_rare_classes_are_filled_repeated_or_weighed_up():
    rare = REAL.at(np.r_[0:10, 10:14, 20:21])
    given = Sources(rare, synthetic=SYNTHETIC)
    made = {
        arm: training_set(Arm(arm=arm), given, classes=CLASSES, seed=0)
        for arm in ("fill", "oversampled", "balanced_weights")
    }
    for arm in ("fill", "oversampled"):
        assert made[arm].counts(CLASSES).tolist() == [10, 10, 10]
    assert numbers(made["oversampled"]) == numbers(rare)
    assert len(numbers(made["fill"]) - numbers(rare)) == 6 + 9
    weighed = made["balanced_weights"]
    sums = [weighed.weights[weighed.labels == label].sum() for label in range(CLASSES)]
    assert sums == pytest.approx([5, 5, 5])


def test_classes_that_are_equal_have_nothing_to_fill():
    with pytest.raises(TooFewDrawingsError, match="nothing to fill"):
        mix("fill")
