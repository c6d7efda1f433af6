"""A checkout for make, with an environment that only takes notes."""

import os
from pathlib import Path

import pytest
from checkout import Checkout


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of make's variables, which a caller's shell or make may hold."""
    for name in list(os.environ):
        if name.startswith(("MAKE", "AUGSTUDY_MAKE")) or name in ("MFLAGS", "VENV", "PYTHON"):
            monkeypatch.delenv(name)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout whose environment is finished."""
    made = Checkout(tmp_path / "clone")
    made.finish_environment()
    return made
