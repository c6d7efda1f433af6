"""Fixtures: a KFP server on loopback, and the command line pointed at it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kfp_server import KfpServer
from said import Program, Said

from augstudy.cli.app import invoke


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("AUGSTUDY_KFP", "AUGSTUDY_PIPELINE", "AUGSTUDY_GPUS", "KF_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AUGSTUDY_DEBUG", "")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "no-kubeconfig"))
    # So that what a command sets is forgotten after the test.
    monkeypatch.setenv("AUGSTUDY_GPUS", "0")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("AUGSTUDY_LOG", str(tmp_path / "augstudy.log"))
    monkeypatch.setenv("COLUMNS", "240")
    monkeypatch.setenv("KUBECONFIG", os.devnull)  # not that of whoever runs the tests


@pytest.fixture
def kfp(monkeypatch: pytest.MonkeyPatch) -> Iterator[KfpServer]:
    """An empty KFP server that the command line finds by itself."""
    with KfpServer() as server:
        monkeypatch.setenv("AUGSTUDY_KFP_HOST", server.url)
        yield server


@pytest.fixture
def program(capsys: pytest.CaptureFixture[str]) -> Program:
    """Runs the command line in this process."""

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        code = invoke(list(arguments))
        said = capsys.readouterr()
        return Said(code, " ".join(said.out.split()), " ".join(said.err.split()))

    return run
