"""Objects as files that can be sought in, for formats that are read piece by piece."""

import io
import os
from typing import Any

from augstudy.objects.cache import Reader

_AT_ONCE = 1 << 20  # bytes


def open_object(store: Reader, key: str) -> io.BufferedReader:
    """An object as a binary file, of which only the parts that are asked for are read.

    All parts are of the version that it has now.

    Raises:
        MissingError: there is no such object.
        ChangedError: on reading: it is another one by now.
    """
    return io.BufferedReader(_Ranged(store, key), _AT_ONCE)


class _Ranged(io.RawIOBase):
    def __init__(self, store: Reader, key: str) -> None:
        self._store, self._key, self._found = store, key, store.stat(key)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        starts = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._found.size}
        self._at = max(0, starts[whence] + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        stop = min(self._at + len(buffer), self._found.size)
        if stop <= self._at:
            return 0
        data = self._store.read(self._key, (self._at, stop), self._found.version)
        buffer[: len(data)] = data
        self._at = stop
        return len(data)
