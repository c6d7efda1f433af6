"""More than a hundred mangled folders and files, made from stated rules.

Each rule takes an empty folder and returns a source in it. Beside it stands what must come of it:
the usable images of each class and how many images are unreadable, or what the refusal says.
``plain`` is the start of many: six good images each of ``ant`` and ``bee``.
"""

import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ingest.pictures import class_folders, encoded, pixels
from PIL import Image

GOOD = {"ant": 6, "bee": 6}
NEW = pixels(999, 20, 30)  # the content of a file that is added to the ants


@dataclass
class Case:
    """A rule, and what must come of it."""

    make: Callable[[Path], Path]
    counts: dict[str, int] = field(default_factory=dict)
    unreadable: int = 0
    left_out: int = 0
    refused: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


CASES: dict[str, Case] = {}


def case(name: str, **expected: Any) -> Callable[[Callable[[Path], Path]], None]:
    def add(make: Callable[[Path], Path]) -> None:
        assert name not in CASES
        CASES[name] = Case(make, **expected)

    return add


def plain(root: Path) -> Path:
    return class_folders(root / "in", GOOD)


# Files: each of these is one more among the ants.


def png_chunk(kind: bytes, content: bytes) -> bytes:
    size, checksum = (struct.pack(">I", at) for at in (len(content), zlib.crc32(kind + content)))
    return size + kind + content + checksum


def bomb() -> bytes:
    """A PNG of 20,000 x 20,000 pixels in a few hundred bytes."""
    head = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def with_exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(NEW, "JPEG", exif=exif)


def frames(kind: str) -> bytes:
    images = [Image.fromarray(pixels(1000 + at)) for at in range(3)]
    return encoded(images[0], kind, save_all=True, append_images=images[1:])


def broken_crc() -> bytes:
    content = bytearray(encoded(NEW))
    content[content.index(b"IDAT") + 8] ^= 255
    return bytes(content)


def see_through(mode: str) -> Image.Image:
    image = Image.fromarray(NEW).convert(mode)
    image.putalpha(Image.fromarray(pixels(5, 20, 30, 1)))
    return image


GREY = pixels(998, 20, 30, 1)
WIDE = np.tile(pixels(3, 10, 100), (1, 100, 1))
READABLE: dict[str, bytes] = {
    "a.jpg": encoded(NEW, "JPEG"),
    "progressive.jpeg": encoded(NEW, "JPEG", progressive=True),
    "grey.jpg": encoded(GREY, "JPEG"),
    "cmyk.jpg": encoded(Image.fromarray(NEW).convert("CMYK"), "JPEG"),
    "tail.jpg": encoded(NEW, "JPEG") + b"garbage" * 50,
    **{f"exif{number}.jpg": with_exif(number) for number in range(2, 9)},
    "a.webp": encoded(NEW, "WEBP"),
    "lossless.webp": encoded(NEW, "WEBP", lossless=True),
    "frames.webp": frames("WEBP"),
    "a.bmp": encoded(NEW, "BMP"),
    "a.tiff": encoded(NEW, "TIFF"),
    "packed.tif": encoded(NEW, "TIFF", compression="tiff_lzw"),
    "a.gif": encoded(Image.fromarray(NEW).convert("P"), "GIF"),
    "frames.gif": frames("GIF"),
    "a.ppm": encoded(NEW, "PPM"),
    "palette.png": encoded(Image.fromarray(NEW).convert("P")),
    "holes.png": encoded(Image.fromarray(NEW).convert("P"), transparency=3),
    "rgba.png": encoded(see_through("RGB")),
    "la.png": encoded(see_through("L")),
    "one bit.png": encoded(Image.fromarray(GREY).convert("1")),
    "sixteen.png": encoded(Image.fromarray(GREY.astype(np.uint16) * 257)),
    "sixteen.tif": encoded(Image.fromarray(GREY.astype(np.uint16) * 200), "TIFF"),
    "fraction.tif": encoded(Image.fromarray(GREY.astype(np.float32) / 255), "TIFF"),
    "1x1.png": encoded(pixels(4, 1, 1)),
    "10000x10.png": encoded(WIDE),
    "10x10000.png": encoded(np.swapaxes(WIDE, 0, 1)),
    "is png.jpg": encoded(NEW),
    "is jpeg.gif": encoded(NEW, "JPEG"),
    "no ending": encoded(NEW),
    "SHOUTED.JPEG": encoded(NEW, "JPEG"),
    " spaces  and\ttabs.png": encoded(NEW),
    "ein Bär, 熊 🐻.png": encoded(NEW),
    "quote'\"`$(x);&.png": encoded(NEW),
    "line\nbreak.png": encoded(NEW),
    "-rf.png": encoded(NEW),
}
UNREADABLE: dict[str, bytes] = {
    "cut.jpg": encoded(NEW, "JPEG")[:-60],
    "head only.jpg": encoded(NEW, "JPEG")[:30],
    "cut.png": encoded(NEW)[:-60],
    "crc.png": broken_crc(),
    "cut.webp": encoded(NEW, "WEBP")[:-20],
    "cut.tiff": encoded(NEW, "TIFF", compression="tiff_lzw")[:120],
    "zero.png": b"",
    "text.jpg": b"This is no image.",
    "page.png": b"<html><body>404 Not Found</body></html>",
    "random.jpg": np.random.default_rng(0).bytes(5000),
    "bomb.png": bomb(),
    "32 bits.tif": encoded(Image.fromarray(GREY.astype(np.int32) * 100_000), "TIFF"),
    "not a number.tif": encoded(Image.fromarray(np.full((9, 9), np.nan, np.float32)), "TIFF"),
}
IGNORED: dict[str, bytes] = {
    ".hidden.png": encoded(NEW),
    "._a.jpg": b"resource fork",
    "Thumbs.db": b"x",
    "desktop.ini": b"x",
    ".DS_Store": b"x",
}
OTHER: dict[str, bytes] = {
    "notes.txt": b"x",
    "drawing.svg": b"<svg/>",
    "model.keras": b"x",
    "labels.json": b"{}",
}


def adding(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        source = plain(root)
        (source / "ant" / name).write_bytes(content)
        return source

    return make


MORE = {"ant": 7, "bee": 6}
for _name, _content in READABLE.items():
    CASES[f"file {_name!r}"] = Case(adding(_name, _content), MORE)
for _name, _content in UNREADABLE.items():
    CASES[f"file {_name!r}"] = Case(adding(_name, _content), GOOD, unreadable=1)
for _name, _content in IGNORED.items():
    CASES[f"file {_name!r}"] = Case(adding(_name, _content), GOOD)
for _name, _content in OTHER.items():
    CASES[f"file {_name!r}"] = Case(adding(_name, _content), GOOD, left_out=1)

# Folders.

NAMES = {
    "quotes": 'it\'s "quoted"',
    "a slash's look-alike": "and\u2215or",
    "emoji": "🐻",
    "markup": "<b>$x^2$ & co",
    "a comma": "cat, dog",
    "spaces": "alarm clock",
    "a dash": "-rf",
    "dots": "a..b",
}
for _name, _label in NAMES.items():
    CASES[f"class with {_name}"] = Case(
        lambda root, label=_label: class_folders(root / "in", {label: 6, "zzz": 6}),  # type: ignore[misc]
        dict.fromkeys(sorted((_label, "zzz")), 6),
    )
REFUSED_NAMES = {"percent": "%2e%2e", "long": "x" * 210, "a backslash": "a\\b", "control": "a\x07b"}
for _name, _label in REFUSED_NAMES.items():
    CASES[f"class with {_name}, refused"] = Case(
        lambda root, label=_label: class_folders(root / "in", {label: 6, "zzz": 6}),  # type: ignore[misc]
        refused="cannot be the name of a class",
    )


@case("two hundred classes", counts={f"c{at:03}": 3 for at in range(200)})
def _(root: Path) -> Path:
    return class_folders(root / "in", {f"c{at:03}": 3 for at in range(200)})


@case("classes that are numbers", counts={"2": 4, "10": 4, "33": 4})
def _(root: Path) -> Path:
    return class_folders(root / "in", {"10": 4, "33": 4, "2": 4})


@case("one name in two spellings of Unicode", counts={"caf\u00e9": 8, "tea": 4})
def _(root: Path) -> Path:
    return class_folders(root / "in", {"caf\u00e9": 4, "cafe\u0301": 4, "tea": 4})


@case("a class called train", counts={"bus": 4, "train": 4})
def _(root: Path) -> Path:
    return class_folders(root / "in", {"train": 4, "bus": 4})


@case("folders in folders", counts={"ant": 9, "bee": 6})
def _(root: Path) -> Path:
    class_folders(plain(root) / "ant", {"x": 1, "x/y": 1, "x/y/z": 1}, 700)
    return root / "in"


@case("hidden and empty folders", counts=GOOD)
def _(root: Path) -> Path:
    class_folders(plain(root), {".git": 3, "ant/.cache": 2, "__MACOSX": 2}, 700)
    (root / "in" / "empty").mkdir()
    return root / "in"


@case("images beside the classes", counts=GOOD, left_out=2)
def _(root: Path) -> Path:
    class_folders(plain(root), {".": 2}, 700)
    return root / "in"


@case("copies in a class and in two", counts={"ant": 6, "bee": 6})
def _(root: Path) -> Path:
    source = plain(root)
    content = (source / "ant" / "0000.png").read_bytes()
    (source / "ant" / "again.png").write_bytes(content)
    (source / "bee" / "again.png").write_bytes(content)
    return source


@case("links", counts=MORE, left_out=4)
def _(root: Path) -> Path:
    source = plain(root)
    (root / "secret.png").write_bytes(encoded(pixels(77)))
    (source / "ant" / "deep").mkdir()
    (source / "ant" / "deep" / "new.png").write_bytes(encoded(NEW))
    (source / "ant" / "in.png").symlink_to(source / "ant" / "deep" / "new.png")  # equal to it
    (source / "ant" / "out.png").symlink_to(root / "secret.png")
    (source / "ant" / "nowhere.png").symlink_to(root / "no such file")
    (source / "ant" / "loop").symlink_to(source)
    (source / "ant" / "self.png").symlink_to(source / "ant" / "self.png")
    return source


@case(
    "a file that may not be read",
    counts=MORE if os.geteuid() == 0 else GOOD,
    unreadable=0 if os.geteuid() == 0 else 1,
)
def _(root: Path) -> Path:
    source = adding("closed.png", encoded(NEW))(root)
    (source / "ant" / "closed.png").chmod(0)
    return source


@case("one image in a class", refused="class 'bee'.* each class needs 3")
def _(root: Path) -> Path:
    return class_folders(root / "in", {"ant": 6, "bee": 1})


@case("equal images only", refused="gave 1 usable images \\(0 blank, 5 repeated")
def _(root: Path) -> Path:
    source = class_folders(root / "in", {"ant": 6, "bee": 6})
    for path in (source / "bee").iterdir():
        path.write_bytes(encoded(NEW))
    return source


@case("one class", refused="images of one class only, 'ant'")
def _(root: Path) -> Path:
    return class_folders(root / "in", {"ant": 6})


@case("nothing", refused="is empty: check the address")
def _(root: Path) -> Path:
    (root / "in").mkdir()
    return root / "in"


@case("texts only", refused="no images in folders of classes")
def _(root: Path) -> Path:
    (root / "in" / "ant").mkdir(parents=True)
    (root / "in" / "ant" / "a.txt").write_text("x")
    return root / "in"


@case("no folder of that name", refused="There is no folder")
def _(root: Path) -> Path:
    return root / "no such folder"


@case("images without classes", refused="no images in folders of classes")
def _(root: Path) -> Path:
    return class_folders(root, {"in": 9}) / "in"


@case("half of them unreadable", refused=r"6 of 12 images .* cannot be read, such as ant/0000\.png")
def _(root: Path) -> Path:
    source = plain(root)
    for path in (source / "ant").iterdir():
        path.write_bytes(b"x")
    return source


@case("all of them unreadable", refused="None of 12 images")
def _(root: Path) -> Path:
    source = plain(root)
    for path in source.glob("*/*"):
        path.write_bytes(b"x")
    return source


@case("a class that is not tested", refused="class 'bee'.* 0 test images")
def _(root: Path) -> Path:
    class_folders(root / "in" / "train", {"ant": 6, "bee": 6})
    return class_folders(root / "in" / "test", {"ant": 6}, 700).parent
