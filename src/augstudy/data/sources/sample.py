"""The drawings that ship with the package: see ``data/sample/CREDITS.md``."""

import io
from functools import cached_property
from importlib import resources

import numpy as np

from augstudy.data.sources.base import FORMATS, SUFFIX, ObjectInfo, Opener, Source
from augstudy.objects import MissingError


@FORMATS.register("sample")
class SampleSource(Source):
    """Each class as the .npy file it would be in a bucket."""

    def __init__(self, uri: str, open_store: Opener) -> None:
        self.uri = uri

    def list_classes(self) -> list[str]:
        """See :meth:`Source.list_classes`."""
        return sorted(self._objects)

    def stat(self, name: str) -> ObjectInfo:
        """See :meth:`Source.stat`."""
        if name not in self._objects:
            raise MissingError(f"The sample has no class {name!r}.")
        return ObjectInfo(name, f"sample/{name}{SUFFIX}", len(self._objects[name]), "1")

    def read(self, info: ObjectInfo, start: int, stop: int) -> bytes:
        """See :meth:`Source.read`."""
        return self._objects[info.name][start:stop]

    @cached_property
    def _objects(self) -> dict[str, bytes]:
        packed = resources.files("augstudy.data").joinpath("sample/mammals.npz").read_bytes()
        objects = {}
        with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
            for name in archive.files:
                buffer = io.BytesIO()
                np.save(buffer, archive[name], allow_pickle=False)
                objects[name] = buffer.getvalue()
        return objects
