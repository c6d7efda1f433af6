import numpy as np
import pytest
from found import difference
from outcomes import outcomes
from scipy import stats

from augstudy.core.errors import DataError
from augstudy.pages.verdicts import covers
from augstudy.stats.correction import holm
from augstudy.stats.paired import paired_difference
from augstudy.stats.usual import mcnemar, two_way_bootstrap


def test_a_large_difference_is_found():
    arms = outcomes(np.random.default_rng(0), 5, 2000, shift=0.5)
    found = paired_difference(*arms)
    assert found.low > 0.05 and found.p_value < 0.01
    assert paired_difference(arms[1], arms[0]).high < -0.05


def test_identical_predictions_rule_out_no_more_than_their_images_can():
    correct = np.random.default_rng(0).random((3, 50)) < 0.7
    found = paired_difference(correct, correct)
    assert (found.mean, found.p_value) == (0.0, 1.0)
    unseen = 1 - 0.025 ** (1 / 50)  # Clopper and Pearson: nothing seen in 50 images
    assert (found.low, found.high) == pytest.approx((-unseen, unseen))


def test_direction_is_symmetric():
    a, b = outcomes(np.random.default_rng(4), 3, 300, shift=0.1)
    forth, back = paired_difference(a, b), paired_difference(b, a)
    assert forth.mean == -back.mean
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low), abs=1e-12)
    assert forth.p_value == back.p_value


def test_one_seed_covers_images_only_and_agrees_with_mcnemar():
    generator = np.random.default_rng(6)
    a, b = (arm[:1] for arm in outcomes(generator, 1, 3000, shift=0.05))
    found = paired_difference(a, b)
    gained, lost = int((a & ~b).sum()), int((b & ~a).sum())
    mcnemar = 2 * stats.norm.sf(abs(gained - lost) / np.sqrt(gained + lost))
    assert found.p_value == pytest.approx(mcnemar, abs=0.02)
    assert "only one seed" in covers(difference(found))
    assert found.seed_std == 0.0


def test_few_seeds_make_the_interval_honest():
    """Runs that differ by 10 points over 3 seeds need Student's t: far wider than the spread."""
    base = np.zeros((3, 1000), bool)
    other = base.copy()
    for row, share in enumerate((0.05, 0.10, 0.15)):
        other[row, : int(1000 * share)] = True
    found = paired_difference(other, base)
    student = stats.t.ppf(0.975, 2) * np.std([0.05, 0.10, 0.15], ddof=1) / np.sqrt(3)
    assert found.mean == pytest.approx(0.10)
    assert (found.high - found.low) / 2 >= 0.95 * student
    assert found.seed_std == pytest.approx(0.05)


def test_ten_thousand_images_and_resamples():
    generator = np.random.default_rng(3)
    a, b = (generator.random((10, 10_000)) < share for share in (0.81, 0.80))
    found = paired_difference(a, b)
    assert found.low < 0.01 < found.high and found.images == 10_000
    assert found == paired_difference(a, b)


def test_no_interval_holds_impossible_differences():
    one, other = np.zeros((2, 4), bool), np.zeros((2, 4), bool)
    one[0], other[1, :1] = True, True
    found = paired_difference(one, other)  # two runs that differ by 125 points
    assert (found.low, found.high) == (-1.0, 1.0)


def test_a_single_image_is_not_an_error():
    found = paired_difference(np.ones((2, 1), bool), np.zeros((2, 1), bool))
    assert (found.mean, found.high) == (1.0, 1.0)
    assert found.low < 0 and found.p_value > 0.05


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("images", [20, 60, 100, 220, 1000])
def test_a_handful_of_images_can_be_chance_as_in_mcnemars_exact_test(seeds, images):
    """Every run gains the same few images and loses none: 5 could be heads in a row, 6 not."""
    for gained in range(8):
        better = np.zeros((seeds, images), bool)
        better[:, :gained] = True
        found = paired_difference(better, np.zeros_like(better))
        (one_seed, *_) = mcnemar(better, np.zeros_like(better))
        assert (found.p_value < 0.05) == (found.low > 0) == (one_seed.p_value < 0.05)


def test_no_interval_is_narrower_than_that_of_two_which_never_differ():
    """Else one image lost would prove more than none lost."""
    none = np.ones((3, 700), bool)
    one, one_run = none.copy(), none.copy()
    one[:, 0] = False
    one_run[0, 0] = False
    least = 1 - 0.025 ** (1 / 700)
    for other in (none, one, one_run):
        found = paired_difference(other, none)
        assert found.low <= found.mean - 0.999 * least
        assert found.high >= found.mean + 0.999 * least


def test_shapes_must_match():
    with pytest.raises(DataError, match="cannot be paired"):
        paired_difference(np.ones((2, 5), bool), np.ones((3, 5), bool))


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


def holm_by_definition(p_values):
    """Every way to put the hypotheses into steps, tried out: reject while p <= level / left."""
    levels = np.linspace(0, 1, 2001)
    adjusted = []
    for mine in range(len(p_values)):
        rejected = []
        for level in levels:
            left = sorted(range(len(p_values)), key=p_values.__getitem__)
            gone = set()
            while left and p_values[left[0]] <= level / len(left):
                gone.add(left.pop(0))
            rejected.append(mine in gone)
        adjusted.append(levels[np.argmax(rejected)] if any(rejected) else 1.0)
    return adjusted


def test_holm_against_its_definition():
    generator = np.random.default_rng(2)
    for size in (2, 3, 5):
        p_values = (generator.random(size) ** 3).tolist()
        assert holm(p_values) == pytest.approx(holm_by_definition(p_values), abs=1e-3)


def test_mcnemar_is_the_exact_binomial_test_of_each_seed():
    generator = np.random.default_rng(8)
    a, b = generator.random((4, 60)) < 0.8, generator.random((4, 60)) < 0.7
    b[3] = a[3]
    for found, first, second in zip(mcnemar(a, b), a, b, strict=True):
        gained, lost = int((first & ~second).sum()), int((second & ~first).sum())
        assert (found.gained, found.lost) == (gained, lost)
        if gained + lost:
            exact = stats.binomtest(gained, gained + lost).pvalue
            assert found.p_value == pytest.approx(exact)
    assert mcnemar(a, b)[3].p_value == 1.0
    opposite = mcnemar(a, ~a)[0]
    assert (opposite.gained, opposite.lost) == (int(a[0].sum()), int((~a[0]).sum()))


def test_mcnemar_finds_a_large_difference():
    a = np.ones((1, 40), bool)
    b = a.copy()
    b[:, :12] = False
    assert mcnemar(a, b)[0].p_value == pytest.approx(2 * 0.5**12)


def test_two_way_bootstrap_against_a_loop():
    generator = np.random.default_rng(9)
    a, b = (generator.random((3, 25)) < share for share in (0.8, 0.6))
    difference = a.astype(float) - b
    slow = []
    for _ in range(20_000):
        runs, images = generator.integers(0, 3, 3), generator.integers(0, 25, 25)
        slow.append(difference[np.ix_(runs, images)].mean())
    fast = two_way_bootstrap(a, b, 20_000)
    assert fast.mean() == pytest.approx(difference.mean(), abs=0.004)
    assert fast.std() == pytest.approx(np.std(slow), rel=0.03)
    ends = [0.025, 0.5, 0.975]
    assert np.quantile(fast, ends) == pytest.approx(np.quantile(slow, ends), abs=0.015)


def test_the_noise_is_found_again():
    generator = np.random.default_rng(10)
    seeds, images = 400, 1500
    share = 0.1 + generator.normal(0, 0.02, (seeds, 1)) + generator.normal(0, 0.1, images)
    noise = paired_difference(
        generator.random((seeds, images)) < share, np.zeros((seeds, images), bool), 100
    ).noise
    clipped = share.clip(0, 1)
    assert noise.run == pytest.approx(clipped.mean(axis=1).var(), rel=0.1)
    assert noise.image == pytest.approx(clipped.mean(axis=0).var(), rel=0.1)
    assert noise.residual == pytest.approx((clipped * (1 - clipped)).mean(), rel=0.05)
    by_image, by_run = noise.parts(4, 100)
    assert by_image == pytest.approx((noise.image / 100) ** 0.5)
    assert by_run == pytest.approx(((noise.run + noise.residual / 100) / 4) ** 0.5)
