"""The benchmark that repeats studies of real images, at a small size."""

import numpy as np
from drawings import drawings_folder

from benchmarks import redraws


def test_redraws_have_nothing_in_common_and_say_so_again():
    source = drawings_folder().as_uri()
    found = [redraws.redraw(source, number) for number in (0, 1, 0)]
    assert found[0] == found[2] != found[1]
    for kind in ("draws", "seeds"):
        assert all(item.low < item.mean < item.high for item in found[0][kind])
    assert [len(item) for item in found[0].values()] == [2, 2]


def test_redraws_agree_as_often_as_their_intervals_hold_others(monkeypatch):
    monkeypatch.setattr(redraws, "OTHERS", 5)
    random = np.random.default_rng(0)
    means = random.normal(0, 0.01, (400, 2))
    wide = [[redraws.Found(it, it - 0.0196, it + 0.0196) for it in own] for own in means.tolist()]
    none = [[redraws.Found(it, it, it) for it in own] for own in means.tolist()]
    told = redraws.tally(wide)
    # The mean of five others scatters as well: an interval of 95 % holds it in 92.6 %.
    assert 0.9 < told["held"] < 0.95 and told["held_low"] < told["held"] < told["held_high"]
    assert told["width"] == 3.92 and redraws.tally(none)["held"] == 0.0
