"""Fixtures: real drawings, and an environment without the caller's credentials and caches."""

import errno
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import forwarding
import pytest
import tenacity
from drawings import drawings_folder
from servers import GcsServer, S3Bucket

from augstudy.objects import retry

_REMOTE_SETTINGS = (
    "AWS_",
    "GOOGLE_",
    "CLOUDSDK_",
    "STORAGE_",
    "FSSPEC_",
    "AUGSTUDY_EVENTS",
    "AUGSTUDY_BILLING",
    "AUGSTUDY_TRACK",
    "MLFLOW_",
)
_bucket_numbers = itertools.count(1)
ROOM = 64 << 10  # bytes on a tiny disk
# Folders and files that take a minute of CPU or more: they train, in processes of their own.
LONGEST = {
    "api",
    "local",
    "wheel",
    "test_checkpoints.py",
    "test_gan_ladder.py",
    "test_gan_model.py",
    "test_image_sizes.py",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first, so that no worker ends with one of them while the others are idle."""
    folder = Path(__file__).parent
    items.sort(key=lambda item: LONGEST.isdisjoint(item.path.relative_to(folder).parts))


@pytest.fixture(scope="session")
def _caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for a cache per test: pytest's own folders get slower to make the more there are."""
    return tmp_path_factory.mktemp("caches")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, _caches: Path) -> None:
    for name in list(os.environ):
        if name.startswith(_REMOTE_SETTINGS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", tempfile.mkdtemp(dir=_caches))
    monkeypatch.setattr(retry, "WAIT", tenacity.wait_none())


@pytest.fixture(autouse=True)
def _float32() -> None:
    """What was trained before in this process, and with what precision, must not matter."""
    if keras := sys.modules.get("keras"):
        keras.mixed_precision.set_global_policy("float32")


@pytest.fixture(scope="session")
def drawings() -> Path:
    """Folder of real drawings, one ``<class>.npy`` each."""
    return drawings_folder()


@pytest.fixture
def gcs(monkeypatch: pytest.MonkeyPatch) -> Iterator[GcsServer]:
    """An empty Cloud Storage server that Google's client library talks to."""
    with GcsServer() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        yield server


@pytest.fixture(scope="session")
def _s3_url() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(_s3_url: str, monkeypatch: pytest.MonkeyPatch) -> S3Bucket:
    """A new bucket of an S3 server that botocore talks to."""
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", _s3_url)
    return S3Bucket(boto3.client("s3"), f"bucket-{next(_bucket_numbers)}")


@pytest.fixture
def inside(
    s3: S3Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[], list[str]]:
    """The S3 server answers inside the cluster only: its port has to be forwarded, by kubectl.

    Tells what kubectl was asked.
    """
    programs, asked = tmp_path / "programs", tmp_path / "asked"
    programs.mkdir()
    forwarding.install(programs)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FORWARD_TO", os.environ["AWS_ENDPOINT_URL"].removeprefix("http://"))
    monkeypatch.setenv("FORWARD_ASKED", str(asked))
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    return lambda: asked.read_text().splitlines() if asked.exists() else []


@pytest.fixture
def tiny_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with room for 64 KiB; where mounting is not allowed, what is written is counted."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        _count_bytes_in(folder, monkeypatch)
    yield folder
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)


class _Counted:
    """A file that says that the disk is full once the folder would hold more than `ROOM`."""

    def __init__(self, file: Any, folder: Path) -> None:
        self._file, self._folder = file, folder

    def write(self, data: Any) -> Any:
        self._file.flush()
        held = sum(item.stat().st_size for item in self._folder.rglob("*") if item.is_file())
        if held + (len(data) if isinstance(data, str) else memoryview(data).nbytes) > ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._file.write(data)

    def __enter__(self) -> "_Counted":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _count_bytes_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = os.fdopen, Path.open

    def fdopen(descriptor: int, *arguments: Any, **options: Any) -> Any:
        inside = str(Path(f"/proc/self/fd/{descriptor}").resolve()).startswith(str(folder))
        file = original[0](descriptor, *arguments, **options)
        return _Counted(file, folder) if inside else file

    def path_open(path: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        file = original[1](path, mode, *arguments, **options)
        return _Counted(file, folder) if path.is_relative_to(folder) and "w" in mode else file

    monkeypatch.setattr(os, "fdopen", fdopen)
    monkeypatch.setattr(Path, "open", path_open)
