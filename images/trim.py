"""Takes out of installed packages what no step needs: ``python3 trim.py FOLDER``.

Headers and tests go, as does pip. Compiled libraries lose their symbol tables, which only debuggers
read: a fifth of TensorFlow. Code and data that programs load stay the same, bit for bit.
"""

import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

UNUSED_FOLDERS = ("tests", "include")
UNUSED_SUFFIXES = (".a", ".h", ".hpp", ".pxd", ".pyi")
UNUSED_PACKAGES = ("pip", "pip-*", "setuptools", "setuptools-*", "pkg_resources", "*distutils*")
# Parts that are loaded on demand, by tools that no step uses.
UNUSED_FILES = (
    "tensorflow/compiler/mlir/stablehlo/stablehlo_extension.so",
    "tensorflow/compiler/tf2xla/ops/_xla_ops.so",
    *("pyarrow/libarrow_flight*", "pyarrow/_flight*", "pyarrow/src"),  # servers of Arrow
)
# The services of AWS that steps speak to; botocore describes four hundred.
AWS_SERVICES = ("s3", "sts", "sso", "sso-oidc")
_LOADED = 1  # PT_LOAD: a part of the file that is mapped into memory
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")


def main(folder: Path) -> None:
    """Trim everything under `folder` and say what it saved."""
    before = size(folder)
    for path in sorted(unused(folder)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)  # its folder may be gone already
    for path in sorted(folder.rglob("*.so*")):
        if path.is_file() and not path.is_symlink() and "nvidia" not in path.parts:
            drop_symbols(path)
    print(f"{folder}: {before / 1e6:,.0f} MB, of which {size(folder) / 1e6:,.0f} MB stay.")


def unused(folder: Path) -> Iterator[Path]:
    """What can go."""
    yield from folder.glob("bin/pip*")
    for package in folder.rglob("site-packages"):
        for pattern in (*UNUSED_PACKAGES, *UNUSED_FILES):
            yield from package.glob(pattern)
        for service in package.glob("botocore/data/*/"):
            if service.name not in AWS_SERVICES:
                yield service
    for path in folder.rglob("*"):
        unwanted = path.name in UNUSED_FOLDERS if path.is_dir() else path.suffix in UNUSED_SUFFIXES
        if unwanted:
            yield path


def size(folder: Path) -> int:
    """Bytes of all files under `folder`."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def drop_symbols(path: Path) -> int:
    """Cut off what follows the last part of a library that is ever loaded; returns the bytes saved.

    Linkers write symbol tables, and the section headers that point at them, at the end of the file.
    Loading a library uses its segments alone, so the file may end behind the last of them. Files
    that are no 64-bit little-endian ELF libraries are left alone.
    """
    with path.open("r+b") as stream:
        fields = list(_HEADER.unpack(stream.read(_HEADER.size).ljust(_HEADER.size, b"\0")))
        if not fields[0].startswith(b"\x7fELF\x02\x01") or fields[9] != _SEGMENT.size:
            return 0
        stream.seek(fields[5])
        table = stream.read(fields[9] * fields[10])
        segments = list(_SEGMENT.iter_unpack(table))
        end = max(offset + length for _, _, offset, _, _, length, _, _ in segments)
        if not any(kind == _LOADED for kind, *_ in segments) or end < fields[5] + len(table):
            return 0
        saved = path.stat().st_size - end
        if saved <= 0:
            return 0
        fields[6], fields[12], fields[13] = 0, 0, 0  # no section headers any more
        stream.seek(0)
        stream.write(_HEADER.pack(*fields))
        stream.truncate(end)
        return saved


if __name__ == "__main__":
    main(Path(sys.argv[1]))
