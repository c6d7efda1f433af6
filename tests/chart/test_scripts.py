"""Shell scripts have no mistake that shellcheck knows."""

from collections.abc import Callable
from pathlib import Path

import pytest
from places import ROOT

SCRIPTS = sorted([*ROOT.glob("scripts/**/*.sh"), ROOT / ".ci" / "run"])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_is_content(shellcheck: Callable[[Path], str], script: Path) -> None:
    assert shellcheck(script) == ""


def test_scripts_can_be_run() -> None:
    for script in SCRIPTS:
        runnable = bool(script.stat().st_mode & 0o100)
        assert runnable == (script.name != "lib.sh"), script
