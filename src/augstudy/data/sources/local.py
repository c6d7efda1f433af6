"""Sources on this machine: a folder, and the sample that ships with the package."""

import io
from functools import cached_property
from importlib import resources
from pathlib import Path

import numpy as np

from augstudy.core.errors import InputError, ServiceError
from augstudy.data.sources.base import SCHEMES, SUFFIX, ObjectInfo, Source


@SCHEMES.register("file://", path="/folder")
class FileSource(Source):
    """A local folder, ``file:///folder``."""

    def __init__(self, uri: str) -> None:
        path = uri.removeprefix("file://")
        if not path:
            raise InputError("file:// names no folder: use for example file:///data/drawings.")
        self._folder = Path(path).expanduser().resolve()
        self.uri = f"file://{self._folder}"
        self.container = f"folder {self._folder}"

    def list_classes(self) -> list[str]:
        """See :meth:`Source.list_classes`."""
        if not self._folder.is_dir():
            raise FileNotFoundError(self._folder)
        return sorted(item.stem for item in self._folder.glob(f"*{SUFFIX}"))

    def stat(self, name: str) -> ObjectInfo:
        """See :meth:`Source.stat`; the version is the time of the last change, in nanoseconds."""
        path = self._path(name)
        if not path.is_file():
            raise FileNotFoundError(path)
        found = path.stat()
        return ObjectInfo(name, f"{self.uri}/{path.name}", found.st_size, str(found.st_mtime_ns))

    def read(self, info: ObjectInfo, start: int, stop: int) -> bytes:
        """See :meth:`Source.read`."""
        try:
            with self._path(info.name).open("rb") as stream:
                stream.seek(start)
                return stream.read(stop - start)
        except PermissionError as error:
            raise ServiceError(f"{info.uri} may not be read: check its permissions.") from error

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{SUFFIX}"


@SCHEMES.register("sample")
class SampleSource(Source):
    """The drawings that ship with the package: see ``sample/CREDITS.md``."""

    def __init__(self, uri: str = "sample") -> None:
        self.uri = self.container = uri

    def list_classes(self) -> list[str]:
        """See :meth:`Source.list_classes`."""
        return sorted(self._objects)

    def stat(self, name: str) -> ObjectInfo:
        """See :meth:`Source.stat`."""
        if name not in self._objects:
            raise FileNotFoundError(name)
        return ObjectInfo(name, f"sample/{name}{SUFFIX}", len(self._objects[name]), "1")

    def read(self, info: ObjectInfo, start: int, stop: int) -> bytes:
        """See :meth:`Source.read`."""
        return self._objects[info.name][start:stop]

    @cached_property
    def _objects(self) -> dict[str, bytes]:
        """Each class as the .npy file it would be in a bucket."""
        packed = resources.files("augstudy.data").joinpath("sample/mammals.npz").read_bytes()
        objects = {}
        with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
            for name in archive.files:
                buffer = io.BytesIO()
                np.save(buffer, archive[name], allow_pickle=False)
                objects[name] = buffer.getvalue()
        return objects
