"""A folder of ``<class>.npy`` files, in any store; byte ranges of them are read."""

from augstudy.data.sources.base import SUFFIX, ObjectInfo, Opener, Source
from augstudy.objects.cache import Reader


class NpySource(Source):
    """A folder such as ``gs://bucket/folder`` or ``file:///folder``."""

    store: Reader

    def __init__(self, uri: str, open_store: Opener) -> None:
        self.store = open_store(uri)
        self.uri = self.store.uri

    def list_classes(self) -> list[str]:
        """See :meth:`Source.list_classes`."""
        keys = self.store.keys(deep=False)
        if not keys:
            self.store.check()
        return [key.removesuffix(SUFFIX) for key in keys if key.endswith(SUFFIX)]

    def stat(self, name: str) -> ObjectInfo:
        """See :meth:`Source.stat`."""
        found = self.store.stat(name + SUFFIX)
        return ObjectInfo(name, f"{self.uri}/{name}{SUFFIX}", found.size, found.version)

    def read(self, info: ObjectInfo, start: int, stop: int) -> bytes:
        """See :meth:`Source.read`."""
        return self.store.read(info.name + SUFFIX, (start, stop), info.version)
