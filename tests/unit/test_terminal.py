"""What a person reads in the terminal after a run."""

import json

import pytest
from rich.console import Console

from augstudy.cli import results
from augstudy.local.runner import Result


def test_no_difference_has_no_sign(tmp_path):
    accuracy = {"metrics": {"accuracy": {"value": 0.93, "low": 0.92, "high": 0.94}}}
    found = {"mean": -0.0004, "low": -0.0042, "high": 0.0003, "verdict": "no difference"}
    content = {
        "headline": {"answer": "No.", "sentence": "It is the same.", "verdict": "no difference"},
        "arms": {"real": accuracy, "classic": accuracy},
        "differences": {"classic": found},
    }
    (tmp_path / "summary.json").write_text(json.dumps(content))
    console = Console(width=100, record=True)
    results.show(console, Result(tmp_path, None, wall_s=10, startup_s=1))
    rows = [line.split() for line in console.export_text().splitlines()]
    said = ["93.0", "(92.0", "to", "94.0)"]
    assert ["real", *said, "reference"] in rows
    assert ["classic", *said, "0.0", "(-0.4", "to", "0.0)", "no", "difference"] in rows


@pytest.mark.parametrize("width", range(30, 101))
def test_no_line_ends_between_a_number_and_its_unit(width):
    sentence = (
        "Replacing 50 % of the real images by [synthetic] ones takes accuracy from 33.3 % to "
        "30.6 % (-2.8 points, 95 % interval -38.0 to +32.5)."
    )
    console = Console(width=width, record=True)
    results.say(console, sentence)
    lines = console.export_text().splitlines()
    assert " ".join(lines) == sentence
    assert all(len(line) <= width and not line[-1].isdigit() for line in lines)
