"""Images that a program hands over in memory, written where a study can read them."""

import contextlib
import hashlib
import io
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augstudy.core.errors import InputError
from augstudy.core.files import replace_bytes

if TYPE_CHECKING:
    import pandas as pd

_FOLDER = ".inputs"  # in the folder of runs
_TABLE = "images.csv"


def address_of(images: Any, runs: Path) -> str:
    """The address of images: a path or an address as it is, anything else once it is written.

    Args:
        images: a path or an address; ``(images, labels)`` as arrays, uint8 (N, height, width) or
            (N, height, width, 3) and N labels; or a pandas frame with the columns ``path`` and
            ``label``, and ``group`` and ``split`` if there are any.
        runs: the folder of runs. Equal images are written once.

    Raises:
        InputError: it is none of these, or a file of the frame is not there.
    """
    if isinstance(images, str | os.PathLike):
        return images if isinstance(images, str) else str(Path(images))
    if hasattr(images, "columns"):
        return _frame(images, runs / _FOLDER)
    if isinstance(images, Sequence) and len(images) == 2:
        content = _archive(*images)
        path = (runs / _FOLDER / f"{_digest(content)}.npz").absolute()
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            replace_bytes(path, content)
        return path.as_uri()
    raise InputError(
        f"Images cannot be a {type(images).__name__}: give a folder, a pair of arrays (images, "
        "labels), or a pandas frame with the columns path and label."
    )


def _frame(frame: "pd.DataFrame", kept: Path) -> str:
    """Links to the files of a frame, beside a table of them: a source lies in one folder."""
    if missing := {"path", "label"} - {*map(str, frame.columns)}:
        raise InputError(f"The frame of images has no column {min(missing)!r}: add it.")
    table = frame[[name for name in ("path", "label", "group", "split") if name in frame]].copy()
    paths = [Path(path).absolute() for path in table["path"]]
    try:
        known = [(path, (found := path.stat()).st_size, found.st_mtime_ns) for path in paths]
    except OSError as error:
        raise InputError(
            f"{error.filename} cannot be read ({error.strerror}): check the path."
        ) from error
    table["path"] = [f"{number}{path.suffix}" for number, path in enumerate(paths)]
    content: bytes = table.to_csv(index=False).encode()
    folder = (kept / _digest(content + repr(known).encode())).absolute()
    if not (folder / _TABLE).exists():
        folder.mkdir(parents=True, exist_ok=True)
        for path, name in zip(paths, table["path"], strict=True):
            with contextlib.suppress(FileExistsError):
                _link(path, folder / name)
        replace_bytes(folder / _TABLE, content)
    return (folder / _TABLE).as_uri()


def _link(path: Path, target: Path) -> None:
    try:
        os.link(path.resolve(), target)
    except FileExistsError:
        raise
    except OSError:  # another file system, or one without links
        shutil.copyfile(path, target)


def _archive(images: Any, labels: Any) -> bytes:
    import numpy as np

    pixels, named = np.asarray(images), np.asarray(labels)
    if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4):
        raise InputError(
            f"Images have shape {pixels.shape} and type {pixels.dtype}: uint8 of shape (N, height, "
            "width) or (N, height, width, 3) is needed."
        )
    if named.ndim != 1 or len(named) != len(pixels):
        raise InputError(
            f"There are {len(pixels)} images but labels of shape {named.shape}: give one label "
            "per image."
        )
    names, indices = np.unique(named.astype(str), return_inverse=True)
    buffer = io.BytesIO()
    np.savez(buffer, images=pixels, labels=indices.astype(np.int32), classes=names)
    return buffer.getvalue()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
