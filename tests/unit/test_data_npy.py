"""The .npy header reader: what it accepts, what it reads, and one error for each thing wrong."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest

from augstudy.core.errors import DataError
from augstudy.data.npy import NpyHeader, read_header


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def header_of(content: bytes) -> tuple[NpyHeader, list[tuple[int, int]]]:
    reads = []

    def read(start: int, stop: int) -> bytes:
        reads.append((start, stop))
        return content[start:stop]

    return read_header(read, len(content), "gs://b/cat.npy"), reads


def with_header(text: str, version: tuple[int, int] = (1, 0), body: bytes = b"") -> bytes:
    packed = text.encode()
    length = struct.pack("<H" if version[0] == 1 else "<I", len(packed))
    return b"\x93NUMPY" + bytes(version) + length + packed + body


DRAWINGS = np.arange(3 * 784, dtype=np.uint16).astype(np.uint8).reshape(3, 784)


def test_reads_one_small_range(drawings: Path) -> None:
    header, reads = header_of((drawings / "alarm clock.npy").read_bytes())
    assert header == NpyHeader(offset=128, rows=3999)
    assert reads == [(0, 128)]


@pytest.mark.parametrize("shape", [(3, 784), (3, 28, 28)])
def test_accepts_both_shapes(shape: tuple[int, ...]) -> None:
    header, _ = header_of(npy(DRAWINGS.reshape(shape)))
    assert header.rows == 3
    assert header.byte_range(1, 3) == (128 + 784, 128 + 3 * 784)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_reads_the_rest_of_a_long_header(version: tuple[int, int]) -> None:
    text = "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 784), }" + " " * 200 + "\n"
    content = with_header(text, version, DRAWINGS.tobytes())
    header, reads = header_of(content)
    start, stop = header.byte_range(0, 3)
    assert content[start:stop] == DRAWINGS.tobytes()
    assert reads == [(0, 128), (128, start)]


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '|u1', 'fortran_order': False, 'shape': (3L, 784L), }\n",  # Python 2's
        "{'descr': 'uint8', 'fortran_order': False, 'shape': (3, 784)}",
        "{'descr': '=u1', 'fortran_order': False, 'shape': (3, 784)}",
        "{'descr': 'B', 'fortran_order': False, 'shape': (3, 28, 28)}",
    ],
)
@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
@pytest.mark.filterwarnings("ignore:Reading `.npy`")
def test_reads_what_numpy_reads(text: str, version: tuple[int, int]) -> None:
    content = with_header(text, version, DRAWINGS.tobytes())
    expected = np.load(io.BytesIO(content), allow_pickle=False)
    header, _ = header_of(content)
    start, stop = header.byte_range(0, 3)
    assert header.rows == len(expected)
    assert content[start:stop] == expected.tobytes()


DAMAGES = (
    "(",
    ")",
    "L",
    "'",
    "{",
    "}",
    "[",
    "\\",
    "\n ",
    "\0",
    "-",
    "9" * 30,
    "'O'",
    ":",
    ",",
    "é",
)


@pytest.mark.filterwarnings("ignore:Reading `.npy`")
def test_no_damage_to_a_header_leads_to_anything_but_a_sentence() -> None:
    """Every damage at every place: read as numpy reads it, or refused; never another error."""
    text = "{'descr': '|u1', 'fortran_order': False, 'shape': (3L, 784), }\n"
    for damage in DAMAGES:
        for place in range(len(text)):
            for cut in (0, 1, 7):
                damaged = text[:place] + damage + text[place + cut :]
                content = with_header(damaged, (1, 0), DRAWINGS.tobytes())
                try:
                    found, _ = header_of(content)
                except DataError as error:
                    assert str(error).startswith("gs://b/cat.npy ")
                else:
                    loaded = np.load(io.BytesIO(content), allow_pickle=False)
                    assert loaded.dtype == np.uint8
                    assert len(loaded) == found.rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not an .npy file"),
        (b"PK\x03\x04 something else" * 20, "is not an .npy file"),
        (b"<html>not here</html>", "is not an .npy file"),
        (npy(DRAWINGS)[:9], "ends within its .npy header"),
        (npy(DRAWINGS)[:100], "ends within its .npy header"),
        (b"\x93NUMPY\x09\x00" + npy(DRAWINGS)[8:], "has .npy format 9"),
        (npy(DRAWINGS).replace(b"'shape'", b"'shade'"), "corrupt .npy header"),
        (npy(DRAWINGS).replace(b"{'descr'", b"{{descr'"), "corrupt .npy header"),
        (with_header("{1: " * 5000), "corrupt .npy header"),
        (with_header("{1: " * 2000), "corrupt .npy header"),
        (with_header("(" * 9000), "corrupt .npy header"),
        (with_header("", (2, 0)).replace(b"\0\0\0\0", b"\xff\xff\xff\x7f"), "corrupt .npy header"),
        (with_header("__import__('os').abort()\n"), "corrupt .npy header"),
        (npy(DRAWINGS)[:-1], "promises 3 images, but only 2 are there"),
        (npy(DRAWINGS)[:128], "promises 3 images, but only 0 are there"),
        (npy(DRAWINGS.astype(np.float32)), "numbers of type '<f4'"),
        (npy(DRAWINGS.astype(bool)), r"numbers of type '\|b1'"),
        (npy(np.zeros((3, 784), [("a", "u1")])), "numbers of type"),
        (npy(np.zeros((3, 785), np.uint8)), r"has shape \(3, 785\)"),
        (npy(np.zeros(784, np.uint8)), r"has shape \(784,\)"),
        (npy(np.zeros((3, 28, 28, 1), np.uint8)), r"has shape \(3, 28, 28, 1\)"),
        (npy(np.zeros((), np.uint8)), r"has shape \(\)"),
        (npy(DRAWINGS).replace(b"(3, 784)", b"(-3,784)"), "corrupt .npy header"),
        (npy(np.asfortranarray(DRAWINGS)), "is in Fortran order"),
        (npy(np.array([[print] * 784])), "pickled Python objects, which are never loaded"),
    ],
)
def test_says_in_one_sentence_what_is_wrong(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        header_of(content)
    text = str(caught.value)
    assert text.startswith("gs://b/cat.npy ")
    assert text.endswith(".")
    assert "\n" not in text
