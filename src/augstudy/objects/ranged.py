"""Objects as files that can be sought in, for formats that are read piece by piece."""

import tempfile
from typing import BinaryIO

from augstudy.objects.cache import Reader
from augstudy.objects.parallel import side_by_side

_AT_ONCE = 1 << 23  # bytes


def open_object(store: Reader, key: str) -> BinaryIO:
    """An object as a binary file of this machine; a remote one is fetched whole, in parts.

    All parts are of the version that it has now.

    Raises:
        MissingError: there is no such object.
        ChangedError: it became another one meanwhile.
        ServiceError: it cannot be read.
    """
    found = store.stat(key)
    if path := store.local(key):
        return path.open("rb")
    file = tempfile.TemporaryFile()  # noqa: SIM115 (whoever asked for it closes it)
    spans = [(start, min(start + _AT_ONCE, found.size)) for start in range(0, found.size, _AT_ONCE)]
    for part in side_by_side(lambda span: store.read(key, span, found.version), spans):
        file.write(part)
    file.seek(0)
    return file
