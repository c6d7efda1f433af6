"""A cache of artifacts by content: what was made once of the same things is not made again.

``AUGSTUDY_CACHE`` names its folder; without it there is none. An entry is an artifact under the
key of what it was made of (see :func:`augstudy.core.artifacts.find`). Its files are hard links to
those in a run folder where the file system allows it, so they take no space while the run is kept.

Entries appear whole or not at all, whoever else writes. That their content is what was written is
for the reader to verify: :mod:`augstudy.core.artifacts` does.
"""

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from augstudy.core import files
from augstudy.core.errors import InputError

VARIABLE = "AUGSTUDY_CACHE"
_ENTRIES = "entries"
_TRAININGS = "trainings"
_A_DAY_S = 24 * 3600


@dataclass(frozen=True)
class Size:
    """How much a cache holds: entries, bytes, and how many of these no run folder shares."""

    entries: int = 0
    size: int = 0
    own: int = 0


@dataclass(frozen=True)
class Cache:
    """A cache in folder `root`, which need not exist yet."""

    root: Path

    def entry(self, key: str) -> Path:
        """Where the artifact with this key is, if it is there."""
        return self.root / _ENTRIES / key[:2] / key

    def keep(self, key: str, folder: Path, **texts: str) -> None:
        """Make an entry of the files in `folder`, unless there is one.

        Files named in `texts` are written anew with that text.

        Raises:
            OSError: it cannot be written.
        """
        target = self.entry(key)
        if target.is_dir() and not target.is_symlink():
            return
        for place in (target.parent, target):  # something else may stand where it belongs
            if os.path.lexists(place) and (place.is_symlink() or not place.is_dir()):
                files.remove(place)
        target.parent.mkdir(parents=True, exist_ok=True)
        with draft_beside(target) as draft:
            link_tree(folder, draft, leave_out=frozenset(texts))
            for name, text in texts.items():
                (draft / name).write_text(text, encoding="utf-8")
            with contextlib.suppress(FileExistsError):  # another run was quicker
                _rename(draft, target)
        files.sync(target.parent)

    def touch(self, key: str) -> None:
        """Note that an entry was of use today."""
        with contextlib.suppress(OSError):
            os.utime(self.entry(key))

    def drop(self, key: str) -> None:
        """Remove an entry, or what stands in its place."""
        files.remove(self.entry(key))

    def training(self, key: str) -> "Training | None":
        """The folder for the checkpoints of a training; None while another process has it."""
        folder = self.root / _TRAININGS / key
        if folder.is_symlink() or folder.is_file():
            files.remove(folder)
        try:
            return Training(folder, _locked(folder))
        except OSError:
            return None

    def measure(self) -> Size:
        """How much it holds."""
        found = [item.lstat() for item in self.root.rglob("*") if item.is_file()]
        return Size(
            entries=len(list(self.root.glob(f"{_ENTRIES}/*/[!.]*"))),
            size=sum(item.st_size for item in found),
            own=sum(item.st_size for item in found if item.st_nlink == 1),
        )

    def clear(self, unused_days: float = 0) -> int:
        """Remove the entries and checkpoints that were of no use for so long; how many."""
        before = time.time() - unused_days * _A_DAY_S
        found = [*self.root.glob(f"{_ENTRIES}/*/*"), *self.root.glob(f"{_TRAININGS}/*")]
        old = [item for item in found if _last_use(item) <= before]
        for item in old:
            files.remove(item)
        return len(old)

    def tidy(self) -> None:
        """Remove what writers that were killed have left."""
        for folder in (_ENTRIES, _TRAININGS):
            files.remove_drafts(self.root.glob(f"{folder}/*/.*"))


class Training:
    """A folder for checkpoints that no other process has, until it is released."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._close = weakref.finalize(self, os.close, descriptor)

    def release(self) -> None:
        """Let others have it."""
        self._close()


def active() -> Cache | None:
    """The cache that the environment names.

    Raises:
        InputError: it names something that is not a folder.
    """
    name = os.environ.get(VARIABLE)
    if not name:
        return None
    root = Path(name).expanduser()
    if root.exists() and not root.is_dir():
        raise InputError(f"{VARIABLE} is {name!r}, which is not a folder: name another.")
    return Cache(root.absolute())


@contextlib.contextmanager
def draft_beside(target: Path) -> Iterator[Path]:
    """A folder beside `target` to fill and rename; what is left of it in the end is removed.

    So is what others left here that were killed while they filled theirs.
    """
    left = re.compile(rf"\.{re.escape(target.name)}-(old-)?[a-z0-9_]{{8}}")
    files.remove_drafts(item for item in target.parent.iterdir() if left.fullmatch(item.name))
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        files.lock(descriptor)
        folder.chmod(0o755)
        yield folder
    finally:
        os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)


def link_tree(source: Path, target: Path, leave_out: frozenset[str] = frozenset()) -> None:
    """Put hard links to the files under `source` into folder `target`; copies if need be.

    Raises:
        OSError: a file is gone, or `target` cannot be written.
    """
    for item in sorted(source.rglob("*")):
        name = item.relative_to(source)
        if item.is_dir():
            (target / name).mkdir(parents=True, exist_ok=True)
        elif str(name) not in leave_out:
            _link(item, target / name)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(source, target)


def _rename(draft: Path, target: Path) -> None:
    """Move a folder to a place that must be empty.

    Raises:
        FileExistsError: it is not.
    """
    try:
        draft.rename(target)
    except OSError as error:
        if target.exists():
            raise FileExistsError(str(target)) from error
        raise


def _locked(folder: Path) -> int:
    """Lock a folder until the descriptor that is returned is closed, or the process ends.

    Raises:
        OSError: another process has it, or the file system has no locks.
    """
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_ino == folder.stat().st_ino:
                return descriptor
        except FileNotFoundError:
            pass
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)  # whoever had it removed it when done: take a new one


def _last_use(folder: Path) -> float:
    """When an entry was last touched, or a checkpoint written (seconds since 1970)."""
    with contextlib.suppress(OSError):
        return max(item.lstat().st_mtime for item in (folder, *folder.glob("*")))
    return 0.0
