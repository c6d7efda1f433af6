"""What a person reads in the terminal after a run."""

from pathlib import Path

import pytest
from found import arm, difference, paired, study
from rich.console import Console

from augstudy.cli import results
from augstudy.local.runner import Result
from augstudy.results import files


def test_no_difference_has_no_sign(tmp_path):
    arms = {"real": arm(accuracy=0.93, half=0.01), "classic": arm("classic", None, 0.93, 0.01)}
    classic = difference(paired(-0.0004, -0.0042, 0.0003), arm="classic")
    files.write(tmp_path, study(arms, {"classic": classic}, "classic"))
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


@pytest.mark.parametrize(
    ("seeds", "told"), [([5], True), ([0], False), ([1], False), ([5, 6], False)]
)
def test_who_may_have_meant_several_seeds_is_told(seeds, told):
    console = Console(record=True, width=200)
    values = {"source": "sample", "classes": [], "seeds": seeds, "arms": [{"arm": "real"}]}
    results.announce(console, "augmentation_study", values, Path("none"), None, None)
    assert ("0-4 makes 5 of them" in console.export_text()) == told
