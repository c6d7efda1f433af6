import numpy as np
import pytest
from scipy import stats

from augstudy.errors import DataError
from augstudy.metrics.statistics import (
    PairedDifference,
    holm,
    paired_difference,
    points,
    sentence,
    verdict,
)


def outcomes(generator, seeds, images, shift=0.0, between_runs=0.0):
    """Two arms of training runs over images that differ in difficulty."""
    ease = generator.normal(0.9, 1.0, images)
    arms = []
    for offset in (shift, 0.0):
        run = generator.normal(offset, between_runs, (seeds, 1))
        taste = generator.normal(0, 0.25, images)
        arms.append(ease + taste + run + generator.normal(0, 0.6, (seeds, images)) > 0)
    return arms


def difference(mean, low, high, p_value):
    return PairedDifference(mean, low, high, p_value, 3, 100, 0.0, (mean,) * 3)


@pytest.mark.parametrize("seeds", [3, 10])
@pytest.mark.parametrize("between_runs", [0.0, 0.1])
def test_no_difference_is_rejected_one_time_in_twenty(seeds, between_runs):
    generator, rejected, runs = np.random.default_rng(11), 0, 300
    for _ in range(runs):
        arms = outcomes(generator, seeds, 400, between_runs=between_runs)
        found = paired_difference(*arms, resamples=1000)
        rejected += not found.low <= 0 <= found.high
    # 300 tries at 5 %: 15 +- 4; the method may be a little too careful, hardly ever too bold.
    assert 3 <= rejected <= 25


def test_interval_holds_a_true_difference():
    generator, held = np.random.default_rng(12), 0
    shift = 0.2
    # P(normal(0.9 + shift, sd) > 0), sd from ease 1, taste 0.25, noise 0.6, runs 0.05
    spread = np.sqrt(1 + 0.25**2 + 0.6**2 + 0.05**2)
    truth = stats.norm.cdf((0.9 + shift) / spread) - stats.norm.cdf(0.9 / spread)
    for _ in range(300):
        arms = outcomes(generator, 5, 400, shift=shift, between_runs=0.05)
        found = paired_difference(*arms, resamples=1000)
        held += found.low <= truth <= found.high
    assert held >= 275


def test_a_large_difference_is_found():
    arms = outcomes(np.random.default_rng(0), 5, 2000, shift=0.5)
    found = paired_difference(*arms)
    assert found.low > 0.05 and found.p_value < 0.01
    assert verdict(found) == "helps"
    assert verdict(paired_difference(arms[1], arms[0])) == "hurts"


def test_identical_predictions_rule_out_no_more_than_their_images_can():
    correct = np.random.default_rng(0).random((3, 50)) < 0.7
    found = paired_difference(correct, correct)
    assert (found.mean, found.p_value) == (0.0, 1.0)
    unseen = 1 - 0.025 ** (1 / 50)  # Clopper and Pearson: nothing seen in 50 images
    assert (found.low, found.high) == pytest.approx((-unseen, unseen))
    assert verdict(found) == "no clear difference"


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
    assert "only one seed" in found.covers
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


def test_a_single_image_is_not_an_error():
    found = paired_difference(np.ones((2, 1), bool), np.zeros((2, 1), bool))
    assert (found.mean, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.025)


def test_shapes_must_match():
    with pytest.raises(DataError, match="cannot be paired"):
        paired_difference(np.ones((2, 5), bool), np.ones((3, 5), bool))


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


def test_verdict_listens_to_the_correction():
    found = difference(0.02, 0.001, 0.04, 0.04)
    assert verdict(found) == "helps"
    assert verdict(found, 0.16) == "no clear difference"
    assert verdict(difference(-0.02, -0.04, -0.001, 0.04)) == "hurts"


def test_sentence():
    text = sentence("Adding 100 % synthetic images", difference(0.012, -0.004, 0.028, 0.2))
    assert text == (
        "Adding 100 % synthetic images changes accuracy by +1.2 points "
        "(95 % interval -0.4 to +2.8): no clear difference."
    )
    assert points(-0.0001) == "0.0" and points(-0.031) == "-3.1"
