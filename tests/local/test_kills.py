"""Smoke studies are killed at random, and lose their disk: what they find at last is the same.

A part of ``benchmarks/kills.py``, which does ten times as much.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import kills

MINUTES_20 = 1200


@pytest.mark.timeout(MINUTES_20)
def test_twenty_kills_change_nothing_and_leave_nothing(tmp_path: Path) -> None:
    found = kills.kill(20, seed=17, folder=tmp_path)
    assert found["wrong"] == []
    assert found["kills"] >= 20


@pytest.mark.timeout(MINUTES_20)
@pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("mount") is None, reason="only root can make a small disk"
)
def test_a_full_disk_changes_nothing_once_there_is_room(tmp_path: Path) -> None:
    found = kills.fill(2, seed=17, folder=tmp_path)
    assert found["wrong"] == []
