from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from augstudy.stats.learning import LearningCurve, accuracy_draws, estimate

LEVELS = (25, 50, 100, 200)


def truth(level):
    """Accuracy of `real`: a power law, as learning curves usually are."""
    return 0.95 - 1.2 * level**-0.4


def study(generator, accuracies, seeds=4, images=600, run_std=0.01):
    """Outcomes by (level, label) of runs whose images differ in difficulty alike for all."""
    ease = generator.normal(0, 1.0, images)
    found = {}
    for cell, accuracy in accuracies.items():
        bar = stats.norm.ppf(accuracy + generator.normal(0, run_std, (seeds, 1))) * np.sqrt(1.36)
        found[cell] = ease + bar + generator.normal(0, 0.6, (seeds, images)) > 0
    return found


def worth_of(outcomes, cell, resamples=1000):
    draws = accuracy_draws(outcomes, same_images=True, resamples=resamples)
    levels = sorted({level for level, _ in outcomes})
    real = [outcomes[level, "real"].mean() for level in levels]
    curve = LearningCurve(levels, real, np.stack([draws[level, "real"] for level in levels]))
    return curve.worth(cell[0], float(outcomes[cell].mean()), draws[cell])


def test_the_worth_of_a_known_arm_is_covered():
    """An arm at level 50 that is as good as `real` at 80: 30 extra images, 19 times in 20."""
    generator, tries, held = np.random.default_rng(41), 250, 0
    accuracies = {(level, "real"): truth(level) for level in LEVELS} | {(50, "add"): truth(80)}
    for _ in range(tries):
        found = worth_of(study(generator, accuracies, seeds=8), (50, "add"), resamples=500)
        held += found.low <= 30 <= found.high
    # 250 tries at 95 %: +- 1.4 %; it may err on the safe side.
    assert 0.93 <= held / tries <= 0.99


def test_the_interval_of_one_accuracy_is_covered():
    generator, tries, held = np.random.default_rng(42), 400, 0
    for _ in range(tries):
        outcomes = study(generator, {(25, "real"): 0.6, (25, "add"): 0.65}, images=300)
        draws = accuracy_draws(outcomes, same_images=True, resamples=500)
        found = estimate(outcomes[25, "add"].mean(), draws[25, "add"])
        held += found.low <= 0.65 <= found.high
    # 400 tries at 95 %: +- 1.1 %
    assert 0.92 <= held / tries <= 0.98


def exact(levels, accuracies):
    return LearningCurve(levels, accuracies, np.tile(np.array(accuracies)[:, None], 3))


def test_at_the_levels_it_gives_the_levels_back():
    curve = exact(LEVELS, [0.5, 0.6, 0.7, 0.75])
    for level, accuracy in zip(LEVELS, (0.5, 0.6, 0.7, 0.75), strict=True):
        found = curve.worth(50, accuracy, np.full(3, accuracy))
        assert found.value == pytest.approx(level - 50, rel=1e-6)
        assert (found.low, found.high) == (found.value, found.value)


def test_between_the_levels_it_is_close_to_the_truth():
    curve = exact(LEVELS, [truth(level) for level in LEVELS])
    for level in (35, 70, 150):
        found = curve.worth(25, truth(level), np.full(3, truth(level)))
        assert found.value + 25 == pytest.approx(level, rel=0.03)


def test_nothing_is_said_beyond_what_was_measured():
    curve = exact(LEVELS, [0.5, 0.6, 0.7, 0.75])
    best, worst = (curve.worth(50, value, np.full(3, value)) for value in (0.9, 0.1))
    assert best.value == best.ceiling == pytest.approx(150)
    assert worst.value == worst.floor == pytest.approx(-25)


def test_more_real_images_never_make_the_curve_worse():
    curve = exact(LEVELS, [0.5, 0.65, 0.6, 0.75])
    places, heights = curve.points
    assert places[0] == pytest.approx(25) and places[-1] == pytest.approx(200)
    assert np.all(np.diff(heights) >= -1e-12)
    assert np.interp(70, places, heights) == pytest.approx(0.625)
    flat = exact((10, 20), [0.6, 0.6])
    assert flat.worth(10, 0.6, np.full(3, 0.6)).value == pytest.approx(0)
    falling = exact((10, 20, 40), [0.8, 0.7, 0.6])
    assert falling.points[1] == pytest.approx([0.7] * len(falling.points[1]))


def test_isotonic_regression_against_pooling_step_by_step():
    generator = np.random.default_rng(43)
    for _ in range(20):
        values = generator.random(6).tolist()
        blocks = [[value] for value in values]
        while any(np.mean(a) > np.mean(b) for a, b in pairwise(blocks)):
            at = next(
                i for i in range(len(blocks) - 1) if np.mean(blocks[i]) > np.mean(blocks[i + 1])
            )
            blocks[at : at + 2] = [blocks[at] + blocks[at + 1]]
        pooled = [float(np.mean(block)) for block in blocks for _ in block]
        curve = exact([1, 2, 4, 8, 16, 32], values)
        assert curve.points[1][::64] == pytest.approx(pooled)


def test_shared_images_make_differences_sharper():
    generator = np.random.default_rng(44)
    outcomes = study(generator, {(25, "real"): 0.6, (50, "real"): 0.7}, run_std=0.0)
    spread = []
    for same in (True, False):
        draws = accuracy_draws(outcomes, same_images=same, resamples=4000)
        spread.append(np.std(draws[50, "real"] - draws[25, "real"]))
    assert spread[0] < 0.75 * spread[1]


def test_one_seed_accounts_for_images_alone():
    outcomes = {(25, "real"): np.random.default_rng(45).random((1, 400)) < 0.7}
    draws = accuracy_draws(outcomes, same_images=True, resamples=4000)[25, "real"]
    assert draws.std() == pytest.approx(np.sqrt(0.7 * 0.3 / 400), rel=0.1)
