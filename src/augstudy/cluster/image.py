"""Names images by their content.

KFP's cache key, and a node's image cache, see the name of an image but not the code inside. A tag
that is a hash of what goes into the image can't serve old code: other code is another name.

``python -m augstudy.cluster.image`` prints the name; it needs the standard library alone.
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from augstudy import __version__
from augstudy.core.errors import InputError

REPOSITORY = "augstudy-python"  # KFP warns of names without "python"
GPU_SUFFIX = "-gpu"
SOURCES = ("images", "requirements/image.txt", "requirements/image-gpu.txt", "src/augstudy")
_DIGITS = 12


def content_tag(root: Path) -> str:
    """The first 12 hexadecimal digits of a hash over the files that make the images.

    Another base image (``BASE_IMAGE``) is not part of it; the one in the Dockerfile is.

    Args:
        root: The checkout.

    Raises:
        InputError: `root` is no checkout of augstudy.
    """
    digest = hashlib.sha256()
    for path in content_files(root):
        digest.update(f"{path.relative_to(root).as_posix()}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:_DIGITS]


def content_files(root: Path) -> list[Path]:
    """The files of a checkout that make the images, sorted by name.

    Raises:
        InputError: `root` is no checkout of augstudy.
    """
    missing = [name for name in SOURCES if not (root / name).exists()]
    if missing:
        raise InputError(
            f"{root} holds no {missing[0]}: images are named by the content of a checkout of "
            "augstudy; run in one, or name an image in AUGSTUDY_IMAGE."
        )
    found: list[Path] = []
    for name in SOURCES:
        path = root / name
        found += [path] if path.is_file() else [item for item in path.rglob("*") if _counts(item)]
    return sorted(found)


def name(root: Path, repository: str = REPOSITORY) -> str:
    """``repository:content tag``.

    Raises:
        InputError: `root` is no checkout of augstudy.
    """
    return f"{repository}:{content_tag(root)}"


def default(root: Path) -> str:
    """The name of the image of the checkout at `root`; by version where it is none."""
    try:
        return name(root)
    except InputError:
        return f"{REPOSITORY}:{__version__}"


def _counts(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"


def main(arguments: Sequence[str]) -> int:
    """Print the name of the image, or the names of the files that it is made of."""
    parser = argparse.ArgumentParser(prog="augstudy.cluster.image", description=main.__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[3])
    parser.add_argument("--repository", default=REPOSITORY)
    parser.add_argument("--gpu", action="store_true", help="the image with CUDA")
    parser.add_argument("--files", action="store_true", help="the files instead of the name")
    asked = parser.parse_args(arguments)
    try:
        if asked.files:
            lines = [str(path.relative_to(asked.root)) for path in content_files(asked.root)]
        else:
            lines = [name(asked.root, asked.repository) + GPU_SUFFIX * asked.gpu]
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
