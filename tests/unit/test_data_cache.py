"""The cache: whole or not at all, checked, and never mixing versions or endpoints."""

import logging
from pathlib import Path

import pytest
from servers import GcsServer

from augstudy.data.sources import ObjectInfo, Source, open_source
from augstudy.objects import ChangedError
from augstudy.objects.cache import default_folder

CONTENT = bytes(range(256)) * 8


@pytest.fixture
def server(gcs: GcsServer) -> GcsServer:
    gcs.put("b", "cat.npy", CONTENT)
    return gcs


def fetch(cache: Path, refresh: bool = False) -> tuple[Source, ObjectInfo, bytes]:
    source = open_source("gs://b", cache, refresh)
    info = source.stat("cat")
    body = source.read(info, 10, 1000)
    return source, info, body


def test_second_fetch_asks_nobody(server: GcsServer, tmp_path: Path) -> None:
    first = fetch(tmp_path)[1:]
    server.reset_counts()
    assert fetch(tmp_path)[1:] == first
    assert not server.requests


@pytest.mark.parametrize("damage", ["cut", "altered", "empty"])
def test_damaged_files_are_fetched_again(server: GcsServer, tmp_path: Path, damage: str) -> None:
    first = fetch(tmp_path)[1:]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 2
    for path in files:
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes({"cut": content[:-9], "altered": content, "empty": b""}[damage])
    server.reset_counts()
    assert fetch(tmp_path)[1:] == first
    assert dict(server.requests) == {"stat": 1, "media": 1}
    server.reset_counts()
    assert fetch(tmp_path)[1:] == first
    assert not server.requests


def test_refresh_forgets_the_old_version(server: GcsServer, tmp_path: Path) -> None:
    fetch(tmp_path)
    server.put("b", "cat.npy", CONTENT[::-1])
    assert fetch(tmp_path)[2] == CONTENT[10:1000]
    assert fetch(tmp_path, refresh=True)[2] == CONTENT[::-1][10:1000]
    assert fetch(tmp_path)[2] == CONTENT[::-1][10:1000]
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2


def test_nothing_is_kept_of_an_object_that_changed_meanwhile(
    server: GcsServer, tmp_path: Path
) -> None:
    source = open_source("gs://b", tmp_path)
    info = source.stat("cat")
    kept = source.read(info, 0, 100)
    server.put("b", "cat.npy", CONTENT[::-1])
    with pytest.raises(ChangedError):
        source.read(info, 100, 200)
    assert source.read(info, 0, 100) == kept == CONTENT[:100]
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2
    again = open_source("gs://b", tmp_path)
    assert again.trusted is False
    with pytest.raises(ChangedError):
        again.read(again.stat("cat"), 100, 200)
    assert again.trusted  # whoever reads it now looks it up again


def test_namesakes_at_two_endpoints_stay_apart(
    server: GcsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(tmp_path)
    with GcsServer() as other:
        other.put("b", "cat.npy", CONTENT[::-1])
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", other.url)
        assert fetch(tmp_path)[2] == CONTENT[::-1][10:1000]


def test_a_cache_that_cannot_be_written_is_not_used(
    server: GcsServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with caplog.at_level(logging.WARNING):
        assert fetch(blocked)[2] == CONTENT[10:1000]
    assert "cannot be written" in caplog.text


def test_default_folder_follows_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "augstudy"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".cache" / "augstudy"
