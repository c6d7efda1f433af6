"""Simulated studies: intervals hold the truth as often as they say, and plans come true.

`benchmarks/coverage.py` does the same for more studies; docs/statistics.md shows what it found.
"""

import pytest

from augstudy.stats.power import assumed_noise, detectable
from benchmarks.simulated import ASSUMED_RUNS, Case, compared, held, misjudged, sees

STUDIES, RESAMPLES = 200, 400
UNEQUAL = (30, 20, 10, 5, 3, 2, 2, 1, 1, 1) * 6
CASES = {
    "one split": Case(seeds=3, classes=(60,) * 5, runs=2),
    "unequal classes": Case(seeds=3, classes=(240, 120, 40), runs=2),
    "groups": Case(seeds=3, classes=(60,) * 5, sizes=(5,) * 60),
    "large groups": Case(classes=(60,) * 5, sizes=(20,) * 15),
    "unequal groups": Case(classes=(90,) * 5, sizes=UNEQUAL),
    "folds": Case(seeds=3, classes=(60,) * 5, parts=5, runs=4, training=2),
    "folds where seeds go together": Case(classes=(60,) * 5, parts=5, alike=2),
    "folds with groups": Case(classes=(60,) * 5, sizes=(5,) * 60, parts=5),
    "several arms": Case(seeds=3, classes=(60,) * 5, arms=3, runs=2),
    "draws": Case(seeds=2, classes=(60,) * 5, draws=3, drawn=3, arms=3),
    "draws of one seed": Case(seeds=1, classes=(60,) * 5, draws=5, drawn=3),
    "draws with folds": Case(seeds=2, classes=(60,) * 5, draws=3, drawn=3, parts=3),
    "classes": Case(seeds=3, classes=(100,) * 3, per_class=True, runs=2),
}


@pytest.mark.parametrize(("name", "size"), [*((name, 0.03) for name in CASES), ("one split", 0.0)])
def test_the_interval_holds_the_truth_19_times_in_20_where_that_of_images_does_not(name, size):
    studies = [compared(CASES[name], size, RESAMPLES, 1, study) for study in range(STUDIES)]
    # 200 tries at 95 %: +- 1.5 %
    assert 0.91 <= held(studies, "ours") <= 0.99
    assert held(studies, "images") < 0.9


def test_with_one_seed_the_interval_is_about_other_images_alone():
    case = Case(seeds=1, runs=4)
    studies = [compared(case, 0.03, RESAMPLES, 2, study) for study in range(STUDIES)]
    assert 0.91 <= held(studies, "ours") <= 0.99
    assert held(studies, "ours", overall=True) < 0.85
    assert misjudged(studies) == 0


@pytest.mark.parametrize("case", [Case(seeds=3, arms=5), Case(per_class=True)])
def test_verdicts_where_nothing_differs_are_wrong_one_time_in_twenty_at_most(case):
    """However many arms or classes a study compares."""
    studies = [compared(case, 0.0, RESAMPLES, 3, study) for study in range(STUDIES)]
    assert misjudged(studies) <= 0.08
    alone = [any(row.intervals["images"][0] > 0 for row in study) for study in studies]
    assert sum(alone) / STUDIES > 0.08


@pytest.mark.parametrize(
    ("seeds", "arms", "parts"), [(5, 5, 1), (3, 2, 5), (5, 5, 5)], ids=lambda it: str(it)
)
def test_what_a_plan_says_is_seen_is_seen_four_times_in_five(seeds, arms, parts):
    """1,000 images in 5 classes, a fifth of them test images or all in folds; Holm's worst case."""
    images = 1000 if parts > 1 else 200
    case = Case(seeds, (images // 5,) * 5, parts=parts, arms=arms, runs=ASSUMED_RUNS)
    size = detectable(assumed_noise(arms - 1, folds=parts), seeds, images, arms - 1)
    seen = sum(sees(case, size, RESAMPLES, 4, study) for study in range(STUDIES))
    assert 0.72 <= seen / STUDIES <= 0.88  # 200 tries at 80 %: +- 2.8 %
