"""Fixtures: an empty cache."""

from pathlib import Path

import pytest

from augstudy.core import cache


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> cache.Cache:
    """The cache that the environment names."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    return cache.Cache(tmp_path / "cache")
