import pytest

from augstudy.pages.formats import duration, points


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.96, "10 s"), (65, "1 min 05 s"), (7621, "2 h 07 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("share", "text"), [(-0.0001, "0.0"), (0.0004, "0.0"), (-0.031, "-3.1"), (0.012, "+1.2")]
)
def test_points(share: float, text: str) -> None:
    assert points(share) == text
