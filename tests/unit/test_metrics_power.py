import math

import numpy as np
import pytest
from outcomes import outcomes, true_difference
from scipy import optimize

from augstudy.pages import verdicts as words
from augstudy.results.power import expected
from augstudy.stats.codes import Needed, Noise
from augstudy.stats.paired import paired_difference
from augstudy.stats.power import assumed_noise, detectable, needed


@pytest.mark.parametrize(("seeds", "images"), [(3, 600), (8, 300)])
def test_the_detectable_difference_is_found_four_times_in_five(seeds, images):
    generator, between_runs = np.random.default_rng(21), 0.05
    noise = paired_difference(
        *outcomes(generator, 300, 3000, shift=0.1, between_runs=between_runs), resamples=10
    ).noise
    size = detectable(noise, seeds, images)
    shift = optimize.brentq(lambda x: true_difference(x, between_runs) - size, 0, 2)
    tries, seen = 500, 0
    for _ in range(tries):
        arms = outcomes(generator, seeds, images, shift, between_runs)
        seen += paired_difference(*arms, resamples=1000).low > 0
    # 500 tries at 80 %: +- 1.8 %
    assert 0.73 <= seen / tries <= 0.87


def test_more_data_sees_more_and_more_questions_see_less():
    noise = assumed_noise()
    size = detectable(noise, 5, 935)
    assert 0.015 < size < 0.025
    assert detectable(noise, 10, 935) < size > detectable(noise, 5, 4000)
    assert detectable(noise, 5, 935, comparisons=9) > size
    assert detectable(noise, 5, 935, power=0.95) > size
    assert detectable(noise, 2, 1) == 1.0
    unseen = 1 - 0.025 ** (1 / 100)  # of what nothing was seen in 100 images
    assert detectable(Noise(0.0, 0.0, 0.0), 3, 100) == pytest.approx(unseen)


def test_with_many_seeds_it_is_the_textbook_formula():
    noise = Noise(image=0.04, run=0.0, residual=0.06)
    error = math.sqrt(0.04 / 500 + 0.06 / (1000 * 500))
    wider = math.sqrt(error**2 + 2 / 500**2)  # two images are counted in
    expected = 1.95996 * wider + 0.84162 * error
    assert detectable(noise, 1000, 500) == pytest.approx(expected, rel=1e-3)


def test_forecast_is_a_sentence():
    assert words.forecast(expected(5, 935, 1)) == (
        "With 935 test images and 5 seeds, you can see differences of 2.4 points or more."
    )
    assert "220 test images, 3 seeds and 4 comparisons" in words.forecast(expected(3, 220, 4))
    assert "no verdict" in words.forecast(expected(1, 935, 1))


@pytest.mark.parametrize("target", [0.018, 0.03])
def test_what_is_needed_is_enough_and_no_more(target):
    noise = Noise(image=0.004, run=1e-5, residual=0.1)

    def sees(seeds, images, draws=1):
        return detectable(noise, seeds, images) <= target

    found = needed(sees, 3, 300)
    assert found.both is None
    assert sees(3 + found.seeds, 300) and not sees(2 + found.seeds, 300)
    assert sees(3, 300 + found.images) and not sees(3, int((300 + found.images) * 0.85))


def test_needed_says_what_cannot_help():
    some = needed(lambda seeds, images, draws: images >= 700, 3, 500)
    assert some == Needed(None, 200, None)
    assert words.needed(some) == "about 200 more test images; seeds alone are not enough"
    other = needed(lambda seeds, images, draws: seeds >= 4, 3, 500)
    assert words.needed(other) == "about 1 more seed; test images alone are not enough"
    both = needed(lambda seeds, images, draws: seeds >= 9 and images >= 1500, 3, 500)
    assert words.needed(both) == "about 6 more seeds together with 1,000 more test images"
    either = needed(lambda seeds, images, draws: seeds * images >= 3000, 3, 500)
    assert words.needed(either) == "about 3 more seeds or 500 more test images"
    never = needed(lambda seeds, images, draws: False, 3, 500)
    assert words.needed(never) == "more than 20 times the test images and seeds"
    drawn = needed(lambda seeds, images, draws: draws >= 6, 3, 500, 4)
    assert words.needed(drawn) == "about 2 more draws"
    any_of = needed(lambda seeds, images, draws: seeds * draws >= 15, 3, 500, 4)
    assert words.needed(any_of, 4) == "about 1 more seed per draw or 1 more draw"
