"""The header of an .npy file of drawings, from as few bytes as possible and without unpickling."""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from augstudy.core.errors import DataError

IMAGE_SIDE = 28
ROW_BYTES = IMAGE_SIDE * IMAGE_SIDE
_MAGIC = b"\x93NUMPY"
_FIRST_READ = 128  # the whole header of any file numpy wrote for such an array
_LONGEST_HEADER = 1 << 16
_SHAPES = ((ROW_BYTES,), (IMAGE_SIDE, IMAGE_SIDE))


@dataclass(frozen=True)
class NpyHeader:
    """Where the drawings start in the file, in bytes, and how many there are."""

    offset: int
    rows: int

    def byte_range(self, first: int, last: int) -> tuple[int, int]:
        """Bytes that hold rows `first` to `last` (exclusive)."""
        return self.offset + first * ROW_BYTES, self.offset + last * ROW_BYTES


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
    first = read(0, min(_FIRST_READ, size))
    start, length = _preamble(first, uri)
    offset = start + length
    if length > _LONGEST_HEADER:
        raise DataError(f"{uri} has a corrupt .npy header: write the file again.")
    if offset > size:
        raise DataError(f"{uri} ends within its .npy header: copy the file again.")
    text = first[start:offset] if offset <= len(first) else first[start:] + read(len(first), offset)
    rows = _check(_parse(text, uri), uri)
    whole = (size - offset) // ROW_BYTES
    if rows > whole:
        raise DataError(
            f"{uri} is cut short: its header promises {rows} drawings, but only {whole} are "
            "there; copy the file again."
        )
    return NpyHeader(offset, rows)


def _preamble(first: bytes, uri: str) -> tuple[int, int]:
    """Where the header's text starts and how long it is, in bytes."""
    if not first.startswith(_MAGIC[: len(first)]) or not first:
        raise DataError(f"{uri} is not an .npy file: check that it is the right file.")
    width = 2 if first[6:7] == b"\x01" else 4
    start = len(_MAGIC) + 2 + width
    if len(first) < start:
        raise DataError(f"{uri} ends within its .npy header: copy the file again.")
    if first[6] not in (1, 2, 3):
        raise DataError(f"{uri} has .npy format {first[6]}, but only 1 to 3 are known.")
    return start, int.from_bytes(first[start - width : start], "little")


def _parse(text: bytes, uri: str) -> dict[str, Any]:
    try:
        header = ast.literal_eval(text.decode("utf-8").strip())
        if set(header) != {"descr", "fortran_order", "shape"}:
            raise ValueError("unexpected keys")
        return dict(header)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise DataError(f"{uri} has a corrupt .npy header: write the file again.") from error


def _check(header: dict[str, Any], uri: str) -> int:
    """The number of rows, once everything else is as it should be."""
    kind, shape = header["descr"], header["shape"]
    if "O" in str(kind):
        raise DataError(
            f"{uri} holds pickled Python objects, which are never loaded: save it as uint8."
        )
    if kind not in ("|u1", "<u1", ">u1", "u1"):
        raise DataError(f"{uri} holds numbers of type {kind!r}: save it as uint8 (0 to 255).")
    if not isinstance(shape, tuple) or shape[1:] not in _SHAPES or not isinstance(shape[0], int):
        raise DataError(f"{uri} has shape {shape}: (N, 784) or (N, 28, 28) is needed.")
    if header["fortran_order"]:
        raise DataError(f"{uri} is in Fortran order: save it in C order.")
    rows: int = shape[0]
    if rows < 0:
        raise DataError(f"{uri} has a corrupt .npy header: write the file again.")
    return rows
