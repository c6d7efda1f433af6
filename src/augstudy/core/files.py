"""Writing small files."""

import contextlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal, TextIO

DRAFT = ".draft-"  # how the names of files begin that are not whole yet
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip archive can hold


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON.

    Raises:
        ValueError: a number is not finite; readers elsewhere would choke on it.
    """
    path.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n")


def write_arrays(path: Path, **arrays: Any) -> None:
    """Write NumPy arrays as an uncompressed ``.npz`` file; equal arrays give equal bytes.

    ``numpy.savez`` writes headers that differ between patch versions of Python.
    """
    import numpy as np

    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.asanyarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), buffer.getvalue())


def replace_text(path: Path, text: str) -> None:
    """Write a text file, and its folder, so that a reader never sees a part of it.

    Halves of characters, as bytes that are no UTF-8 become in Python, are written as ``?``.
    """
    replace_bytes(path, text.encode(errors="replace"))


def open_log(path: Path, mode: Literal["w", "a"] = "w") -> TextIO:
    """Open a log, which nobody but its owner may read, for writing; one that is there as well."""

    def private(name: str, flags: int) -> int:
        descriptor = os.open(name, flags, 0o600)
        os.fchmod(descriptor, 0o600)
        return descriptor

    return open(path, mode, encoding="utf-8", errors="replace", opener=private)


def replace_bytes(path: Path, content: bytes) -> None:
    """Write a file, and its folder, so that a reader never sees a part of it."""
    with replacing(path) as stream:
        stream.write(content)


@contextlib.contextmanager
def replacing(path: Path, *, later_than_ns: int = 0) -> Iterator[BinaryIO]:
    """A stream whose content becomes the file `path` when the block ends well, whole and durable.

    The time of its change is later than `later_than_ns`, however fast the clock of files ticks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=DRAFT, dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        draft.chmod(0o644)
        if draft.stat().st_mtime_ns <= later_than_ns:
            os.utime(draft, ns=(later_than_ns + 1, later_than_ns + 1))
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    with contextlib.suppress(OSError):  # not every network file system can
        _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
