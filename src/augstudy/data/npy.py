"""The header of an .npy file of drawings, from as few bytes as possible and without unpickling."""

import tokenize
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib import format as npy

from augstudy.core.errors import DataError
from augstudy.settings.spec import DRAWING

_FIRST_READ = 128  # the whole header of any file numpy wrote for such an array
_LONGEST_HEADER = 1 << 16
_SHAPES = ((DRAWING.size,), DRAWING.plane)
_FORMATS = {1: npy.read_array_header_1_0, 2: npy.read_array_header_2_0}
_FORMATS[3] = _FORMATS[2]  # they differ in names of fields alone, which drawings have not
# What numpy, Python's parser and its tokenizer raise where a header is not what it should be.
_CORRUPT = (
    *(ValueError, TypeError, SyntaxError, LookupError, ArithmeticError, MemoryError),
    *(RecursionError, tokenize.TokenError),
)
warnings.filterwarnings("ignore", "Reading `.npy` or `.npz` file required additional header")


@dataclass(frozen=True)
class NpyHeader:
    """Where the drawings start in the file, in bytes, how many there are, and what is behind."""

    offset: int
    rows: int
    left_over: int = 0

    def byte_range(self, first: int, last: int) -> tuple[int, int]:
        """Bytes that hold rows `first` to `last` (exclusive)."""
        return self.offset + first * DRAWING.size, self.offset + last * DRAWING.size


class _Beginning:
    """The beginning of a file as a stream, fetched as far as it is read."""

    def __init__(self, read: Callable[[int, int], bytes], size: int, uri: str) -> None:
        self._fetch, self._size, self._uri = read, size, uri
        self._content = read(0, min(_FIRST_READ, size))
        self.position = 0

    def is_npy(self) -> bool:
        """Whether it begins as such a file does, however short it is."""
        return bool(self._content) and self._content.startswith(
            npy.MAGIC_PREFIX[: len(self._content)]
        )

    def read(self, count: int = -1, /) -> bytes:
        """The next bytes.

        Raises:
            ValueError: they are more than any header has.
            DataError: the file has not so many.
        """
        start, stop = self.position, self.position + count
        if count > _LONGEST_HEADER:
            raise ValueError("the header is too long")
        if stop > self._size:
            raise DataError(f"{self._uri} ends within its .npy header: copy the file again.")
        if stop > len(self._content):
            self._content += self._fetch(len(self._content), stop)
        self.position = stop
        return self._content[start:stop]


def read_header(read: Callable[[int, int], bytes], size: int, uri: str) -> NpyHeader:
    """Read and check the header of a file of drawings.

    Args:
        read: returns the bytes from a start to a stop (exclusive).
        size: of the whole file, in bytes.
        uri: names the file in errors.

    Raises:
        DataError: the file is no .npy file, is cut short, or does not hold an array of
            uint8 of shape (N, 784) or (N, 28, 28) in C order.
    """
    stream = _Beginning(read, size, uri)
    if not stream.is_npy():
        raise DataError(f"{uri} is not an .npy file: check that it is the right file.")
    try:
        version = npy.read_magic(stream)[0]
        if version not in _FORMATS:
            raise DataError(f"{uri} has .npy format {version}, but only 1 to 3 are known.")
        shape, fortran_order, dtype = _FORMATS[version](stream)
    except _CORRUPT as error:
        raise DataError(f"{uri} has a corrupt .npy header: write the file again.") from error
    _check(shape, fortran_order, dtype, uri)
    rows, whole = shape[0], (size - stream.position) // DRAWING.size
    if rows > whole:
        raise DataError(
            f"{uri} is truncated: its header promises {rows} images, but only {whole} are "
            "there; copy the file again."
        )
    left_over = size - stream.position - rows * DRAWING.size
    return NpyHeader(stream.position, rows, left_over)


def _check(shape: tuple[int, ...], fortran_order: bool, dtype: np.dtype[Any], uri: str) -> None:
    if dtype.hasobject:
        raise DataError(
            f"{uri} holds pickled Python objects, which are never loaded: save it as uint8."
        )
    if dtype != np.uint8:
        raise DataError(f"{uri} holds numbers of type {dtype.str!r}: save it as uint8 (0 to 255).")
    if shape[1:] not in _SHAPES:
        raise DataError(
            f"{uri} has shape {shape}: (N, {DRAWING.size}) or (N, {DRAWING.height}, "
            f"{DRAWING.width}) is needed."
        )
    if fortran_order:
        raise DataError(f"{uri} is in Fortran order: save it in C order.")
    if shape[0] < 0:
        raise DataError(f"{uri} has a corrupt .npy header: write the file again.")
