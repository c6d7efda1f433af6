"""Reading and writing small files.

Text is UTF-8 whatever the locale. What is being written is a draft, on which the writer holds a
lock: one without a lock was left by a process that was killed, see :func:`remove_drafts`.
"""

import contextlib
import errno
import fcntl
import io
import json
import os
import shutil
import stat
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal, TextIO

from augstudy.core.errors import InputError, of_system

DRAFT = ".draft-"  # how the names of files begin that are not whole yet
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip archive can hold
_YOUNG_S = 1.0  # a draft is made a moment before it is locked


def read_bytes(path: Path) -> bytes:
    """The content of a regular file.

    Raises:
        OSError: it cannot be read, or is a pipe or the like, which would be waited for in vain.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    return path.read_bytes()


def user_folder(variable: str, usual: str) -> Path | None:
    """The folder for one kind of this user's files; None for a user without a home.

    Args:
        variable: names the folder of all programs, such as ``XDG_CONFIG_HOME``.
        usual: the same where the variable is not set, such as ``~/.config``.
    """
    try:
        return Path(os.environ.get(variable) or usual).expanduser() / "augstudy"
    except RuntimeError:
        return None


def settings_file(name: str) -> Path | None:
    """A file of this user's settings, if there is one that may be read."""
    folder = user_folder("XDG_CONFIG_HOME", "~/.config")
    with contextlib.suppress(OSError):
        if folder and (folder / name).is_file():
            return folder / name
    return None


def check_place(path: Path, what: Literal["file", "folder"]) -> None:
    """Refuse a place where nothing can be written, before the work that is to be written there.

    Args:
        path: of what will be written; folders above it are made then.
        what: it will be.

    Raises:
        InputError: it is of the other kind, below a file, or nobody may write there.
    """
    try:
        if path.is_dir() if what == "file" else path.exists() and not path.is_dir():
            other = "folder" if what == "file" else "file"
            raise InputError(f"{path} is a {other}: name a {what} instead.")
        above = next(item for item in path.absolute().parents if os.path.lexists(item))
        if not above.is_dir():
            raise InputError(f"{path} cannot be written: {above} is not a folder.")
    except OSError as error:
        raise of_system(error, path) or error from error
    if not os.access(path if path.is_dir() else above, os.W_OK | os.X_OK):
        raise InputError(f"{path} cannot be written: check the permissions of {above}.")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON.

    Raises:
        ValueError: a number is not finite; readers elsewhere would choke on it.
    """
    path.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", encoding="utf-8")


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
def replacing(path: Path, *, later_than_ns: int = 0, durable: bool = True) -> Iterator[BinaryIO]:
    """A stream whose content becomes the file `path` when the block ends well, whole and durable.

    The time of its change is later than `later_than_ns`, however fast the clock of files ticks.
    What is not `durable` is written faster, but may be lost or torn if the machine crashes.

    Raises:
        OSError: it cannot be written; the error names the path.
    """
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=DRAFT, dir=path.parent)
        draft = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                lock(descriptor)
                yield stream
                stream.flush()
                if durable:
                    os.fsync(stream.fileno())
                draft.chmod(0o644)
                if draft.stat().st_mtime_ns <= later_than_ns:
                    os.utime(draft, ns=(later_than_ns + 1, later_than_ns + 1))
                draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    if durable:
        sync(path.parent)


def append_lines(path: Path, lines: bytes) -> None:
    """Add lines to a file, on a line of their own even if the last one there is torn.

    Raises:
        OSError: not all of it could be written; the error names the path.
    """
    with naming(path):
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            content = b"\n" * torn + lines
            while content:
                content = content[os.write(descriptor, content) :]
        finally:
            os.close(descriptor)


def lock(descriptor: int) -> None:
    """Hold a draft, until the descriptor is closed; not every network file system can."""
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def remove_drafts(found: Iterable[Path]) -> None:
    """Remove those drafts, files or folders, that nobody is at work on any more."""
    for path in found:
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if time.time() - os.fstat(descriptor).st_mtime > _YOUNG_S:
                    remove(path)
            finally:
                os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder as far as that is possible; it is no error if not."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def sync(folder: Path) -> None:
    """Make the names in a folder durable; not every network file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of writing say what was being written: a full disk names no file."""
    try:
        yield
    except OSError as error:
        unnamed = error.errno is not None and error.filename is None
        if unnamed or Path(str(error.filename)).name.startswith(DRAFT):
            error.filename, error.filename2 = str(path), None
        raise
