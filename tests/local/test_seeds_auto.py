"""``--seeds auto``, every real step: rounds of seeds, killed in one of them and started again."""

import signal
from pathlib import Path

import pytest
from program import augstudy, events, record, start, wait_for

from augstudy.results import files
from augstudy.results.models import Study

SMALL = ("--preset=smoke", "--arms=real,classic", "--set=train_per_class=40")
SMALL += ("--set=test_per_class=40", "--set=classifier_settings.epochs=6")
STRICT = "--set=equivalence_margin=0.0001"  # so that two rounds are needed


def summary(folder: Path, number: int) -> Study:
    found = files.read_summary(folder / "runs" / f"{number:04d}")
    assert isinstance(found, Study)
    return found


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a study was killed in its second round, and started again."""
    folder = tmp_path_factory.mktemp("auto")
    asked = ("run", *SMALL, STRICT, "--seeds", "auto:4")
    with start(folder, *asked) as process:
        second = folder / "runs/0002"
        wait_for(
            lambda: second.exists() and any(it["event"] == "progress" for it in events(folder, 2)),
            "the second round",
        )
        process.send_signal(signal.SIGKILL)
    done = augstudy(folder, *asked)
    assert done.returncode == 0, done.stderr
    (folder / "out.txt").write_text(done.stdout)
    return folder


def test_rounds_go_on_with_more_seeds(killed: Path) -> None:
    assert record(killed, 2)["state"] == "interrupted"
    first, second = summary(killed, 3), summary(killed, 4)
    assert (first.seeds, second.seeds) == ((0, 1), (0, 1, 2, 3)) and second.looks == (2, 4)
    assert first == summary(killed, 1)
    assert second.path["classic"][0] == first.differences["classic"].alone
    out = " ".join((killed / "out.txt").read_text().split())
    assert "no verdict on classic after 2 seeds: going on with 2 more seeds" in out
    assert "no verdict on classic after 4 seeds, the most that were allowed" in out


def test_what_was_killed_ends_like_what_was_not(killed: Path, tmp_path: Path) -> None:
    done = augstudy(tmp_path, "run", *SMALL, STRICT, "--seeds", "0-3", "--set", "looks=[2, 4]")
    assert done.returncode == 0, done.stderr
    whole, found = summary(tmp_path, 1), summary(killed, 4)
    assert whole.differences == found.differences and whole.path == found.path
