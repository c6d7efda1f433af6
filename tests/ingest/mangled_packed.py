"""Mangled archives, Parquet files, tables and arrays, made from stated rules; see ``mangled``."""

import gzip
import io
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from ingest.mangled import CASES, GOOD, MORE, NEW, Case, case, plain
from ingest.pictures import class_folders, encoded, pixels

# Archives.


def packed(root: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(root / "in.zip", "w") as archive:
        for path in sorted(plain(root).rglob("*.png")):
            archive.writestr(path.relative_to(root / "in").as_posix(), path.read_bytes())
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)
    return root / "in.zip"


def tarred(root: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(root / "in.tar", "w") as archive:
        archive.add(plain(root), arcname="in")
        for member in members:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return root / "in.tar"


def member(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0
) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, link, size
    return made


@case("zip with ../", counts=GOOD, left_out=2)
def _(root: Path) -> Path:
    return packed(root, ("../ant/evil.png", encoded(NEW)), ("ant/../../x.png", encoded(NEW)))


@case("zip with absolute paths", counts=GOOD, left_out=2)
def _(root: Path) -> Path:
    return packed(root, ("/ant/evil.png", encoded(NEW)), ("C:\\ant\\evil.png", encoded(NEW)))


@case("zip with backslashes", counts=MORE)
def _(root: Path) -> Path:
    return packed(root, ("ant\\new.png", encoded(NEW)))


@case("zip with a link", counts=GOOD, left_out=1)
def _(root: Path) -> Path:
    source = packed(root)
    link = zipfile.ZipInfo("ant/link.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(source, "a") as archive:
        archive.writestr(link, "/etc/hostname")
    return source


@case("zip with two files of one name", counts=MORE)
def _(root: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return packed(root, ("ant/new.png", encoded(pixels(1))), ("ant/new.png", encoded(NEW)))


@case("zip with a damaged file", counts=GOOD, unreadable=1)
def _(root: Path) -> Path:
    source = packed(root, ("ant/new.png", encoded(NEW)))
    content = bytearray(source.read_bytes())
    content[content.rindex(encoded(NEW)) + 50] ^= 255
    source.write_bytes(content)
    return source


@case("zip that is encrypted", refused="None of 12 images")
def _(root: Path) -> Path:
    source = packed(root)
    content = bytearray(source.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = -1
        while (start := content.find(mark, start + 1)) >= 0:
            content[start + at] |= 1
    source.write_bytes(content)
    return source


@case("zip that is cut", refused="is damaged, or no archive")
def _(root: Path) -> Path:
    source = packed(root)
    source.write_bytes(source.read_bytes()[:-100])
    return source


@case("zip that is a tar", refused="is damaged, or no archive")
def _(root: Path) -> Path:
    return tarred(root).rename(root / "x.zip")


@case("zip with nothing in it", refused="is empty")
def _(root: Path) -> Path:
    zipfile.ZipFile(root / "x.zip", "w").close()
    return root / "x.zip"


@case("tar with links", counts=GOOD, left_out=3)
def _(root: Path) -> Path:
    links = [(tarfile.SYMTYPE, "/etc/hostname"), (tarfile.LNKTYPE, "in/ant/0000.png")]
    links += [(tarfile.SYMTYPE, "../../../etc")]
    return tarred(root, *(member(f"in/ant/{at}.png", *link) for at, link in enumerate(links)))


@case("tar with devices and pipes", counts=GOOD, left_out=2)
def _(root: Path) -> Path:
    kinds = (tarfile.FIFOTYPE, tarfile.CHRTYPE)
    return tarred(root, *(member(f"in/ant/{at}.png", kind) for at, kind in enumerate(kinds)))


@case("tar with ../ and absolute paths", counts=GOOD, left_out=2)
def _(root: Path) -> Path:
    return tarred(root, member("../evil.png", size=9), member("/tmp/evil.png", size=9))


@case("tar that is cut", refused="is damaged, or no archive")
def _(root: Path) -> Path:
    source = tarred(root)
    source.write_bytes(source.read_bytes()[:5000])
    return source


@case("tar.gz that is cut", refused="is damaged, or no archive")
def _(root: Path) -> Path:
    content = gzip.compress(tarred(root).read_bytes())
    (root / "x.tar.gz").write_bytes(content[: len(content) // 2])
    return root / "x.tar.gz"


@case("tar.gz that is text", refused="is damaged, or no archive")
def _(root: Path) -> Path:
    (root / "x.tgz").write_text("x")
    return root / "x.tgz"


@case("no such archive", refused="There is no object .*x.zip: check its name")
def _(root: Path) -> Path:
    return root / "x.zip"


# Parquet.


def rows(**columns: Any) -> dict[str, list[Any]]:
    images = [{"bytes": encoded(pixels(at)), "path": None} for at in range(12)]
    return {"image": images, "label": [at % 2 for at in range(12)]} | columns


def parquet(root: Path, columns: dict[str, list[Any]]) -> Path:
    pq.write_table(pa.table(columns), root / "x.parquet")
    return root / "x.parquet"


PARQUET: dict[str, tuple[dict[str, list[Any]], dict[str, Any]]] = {
    "without names": (rows(), {"counts": {"0": 6, "1": 6}}),
    "with texts as labels": (rows(label=["no", "yes"] * 6), {"counts": {"no": 6, "yes": 6}}),
    "with plain bytes": (
        rows(image=[encoded(pixels(at)) for at in range(12)]),
        {"counts": {"0": 6, "1": 6}},
    ),
    "without some labels": (
        rows(label=[None, 0, 1, *([0, 1, 1] * 3)]),
        {"counts": {"0": 4, "1": 7}, "left_out": 1},
    ),
    "without some images": (
        rows(image=[{"bytes": None, "path": "x.jpg"}, *rows()["image"][1:]]),
        {"counts": {"0": 5, "1": 6}, "unreadable": 1},
    ),
    "with groups": (rows(group=[at // 2 for at in range(12)]), {"counts": {"0": 6, "1": 6}}),
    "with splits": (
        rows(split=["train"] * 8 + ["test"] * 4),
        {"counts": {"0": 6, "1": 6}},
    ),
    "without images": ({"text": ["a"], "label": [1]}, {"refused": "the columns text, label: "}),
    "without labels": ({"image": rows()["image"]}, {"refused": "one called label are needed"}),
}
for _name, (_columns, _expected) in PARQUET.items():
    CASES[f"parquet {_name}"] = Case(
        lambda root, columns=_columns: parquet(root, columns),  # type: ignore[misc]
        **_expected,
    )


@case("parquet that is cut", refused="is no sound Parquet file")
def _(root: Path) -> Path:
    source = parquet(root, rows())
    source.write_bytes(source.read_bytes()[:-300])
    return source


@case("parquet that is text", refused="is no sound Parquet file")
def _(root: Path) -> Path:
    (root / "x.parquet").write_text("x")
    return root / "x.parquet"


# Tables.


def table(text: str, encoding: str = "utf-8", name: str = "x.csv") -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        class_folders(root, {"photos": 12})
        lines = text.replace("ROWS", "\n".join(ROWS)).replace(",", _separator(name, text))
        (root / name).write_text(lines, encoding=encoding, newline="")
        return root / name

    return make


def _separator(name: str, text: str) -> str:
    return "\t" if name.endswith(".tsv") else ";" if text.startswith("path;") else ","


ROWS = [f"photos/{at:04}.png,{'ant' if at % 2 else 'bee'}" for at in range(12)]
TABLES: dict[str, tuple[Callable[[Path], Path], dict[str, Any]]] = {
    "plain": (table("path,label\nROWS\n"), {"counts": GOOD}),
    "with other names of columns": (table("file_name,class\nROWS"), {"counts": GOOD}),
    "with a byte order mark": (table("path,label\nROWS", "utf-8-sig"), {"counts": GOOD}),
    "in UTF-16": (table("path,label\nROWS", "utf-16"), {"counts": GOOD}),
    "with semicolons": (table("path;label\nROWS"), {"counts": GOOD}),
    "with tabs": (table("path,label\nROWS", name="x.tsv"), {"counts": GOOD}),
    "without a header": (table("ROWS"), {"counts": GOOD}),
    "with CRLF and empty lines": (
        table("path,label\r\n" + "\r\n\r\n".join(ROWS) + "\r\n\r\n"),
        {"counts": GOOD},
    ),
    "with labels that are integers": (
        table("path,label\n" + "\n".join(f"photos/{at:04}.png,{at % 2}" for at in range(12))),
        {"counts": {"0": 6, "1": 6}},
    ),
    "with a label in Latin-1": (
        table("path,label\nROWS".replace("ROWS", "\n".join(ROWS).replace("bee", "bär")), "cp1252"),
        {"counts": {"ant": 6, "bär": 6}},
    ),
    "with rows that lack something": (
        table("path,label\nROWS\nphotos/0000.png,\n,ant\nphotos/0001.png\n"),
        {"counts": GOOD, "left_out": 3},
    ),
    "with a file that is not there": (
        table("path,label\nROWS\nphotos/none.png,ant"),
        {"counts": GOOD, "unreadable": 1},
    ),
    "with ../": (
        table("path,label\nROWS\n../x.png,ant"),
        {"refused": r"row 14: '\.\./x"},
    ),
    "with an absolute path": (
        table("path,label\n/x.png,ant\nROWS"),
        {"refused": "row 2: '/x"},
    ),
    "with an address": (table("path,label\nROWS\ngs://b/x.png,ant"), {"refused": "leads out"}),
    "with a split that is none": (
        table("path,label,split\nphotos/0000.png,ant,some\nROWS"),
        {"refused": "row 2: split 'some' is none"},
    ),
    "with a header only": (table("path,label\n"), {"refused": "names no image"}),
    "without a column of labels": (table("path,colour\nROWS"), {"refused": "no columns path and"}),
    "with a label that is a path": (
        table("path,label\nROWS\nphotos/0001.png,../ant"),
        {"refused": "cannot be the name of a class"},
    ),
}
for _name, (_make, _expected) in TABLES.items():
    CASES[f"table {_name}"] = Case(_make, **_expected)

# Arrays.

STACK = np.stack([pixels(at) for at in range(12)])
SIDES = np.arange(12) % 2
EACH = {"0": 6, "1": 6}
ARRAYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({"images": STACK, "labels": SIDES}, {"counts": EACH}),
    "without names": ({"arr_0": STACK, "arr_1": SIDES}, {"counts": EACH}),
    "of fractions": ({"x": STACK / 255.0, "y": SIDES}, {"counts": EACH}),
    "of 16 bits": ({"x": STACK.astype(np.uint16) * 257, "y": SIDES}, {"counts": EACH}),
    "with channels first": ({"x": np.moveaxis(STACK, -1, 1), "y": SIDES}, {"counts": EACH}),
    "with a column per class": ({"x": STACK, "y": np.eye(2)[SIDES]}, {"counts": EACH}),
    "with texts": ({"x": STACK, "y": np.array(["a", "b"])[SIDES]}, {"counts": {"a": 6, "b": 6}}),
    "with pickled objects": (
        {"x": STACK, "y": np.array([{}, "b"], object)[SIDES]},
        {"refused": "pickled objects, which are never loaded"},
    ),
    "with too few labels": ({"x": STACK, "y": SIDES[:5]}, {"refused": "12 images, but 5 labels"}),
    "without labels": ({"x": STACK}, {"refused": "images and labels are needed"}),
    "below zero": ({"x": STACK / 127.5 - 1, "y": SIDES}, {"refused": "from -1 to 1: scale them"}),
    "of another shape": ({"x": STACK[:, 0, 0], "y": SIDES}, {"refused": r"shape \(12, 3\)"}),
    "with too few names": (
        {"x": STACK, "y": SIDES, "classes": ["a"]},
        {"refused": "1 names of classes"},
    ),
}


def arrays(root: Path, values: dict[str, Any]) -> Path:
    np.savez(root / "x.npz", **values)
    return root / "x.npz"


for _name, (_values, _expected) in ARRAYS.items():
    CASES[f"npz {_name}"] = Case(
        lambda root, values=_values: arrays(root, values),  # type: ignore[misc]
        **_expected,
    )


@case("npz that is cut", refused="is no sound .npz file")
def _(root: Path) -> Path:
    source = arrays(root, {"x": STACK, "y": SIDES})
    source.write_bytes(source.read_bytes()[:-50])
    return source


def idx(root: Path, images: bytes, labels: bytes | None) -> Path:
    (root / "train-images-idx3-ubyte").write_bytes(images)
    if labels is not None:
        (root / "train-labels-idx1-ubyte").write_bytes(labels)
    return root


IMAGES = struct.pack(">BBBBIII", 0, 0, 8, 3, 12, 12, 12) + STACK[..., 0].tobytes()
LABELS = struct.pack(">BBBBI", 0, 0, 8, 1, 12) + SIDES.astype(np.uint8).tobytes()
IDX: dict[str, tuple[bytes, bytes | None, dict[str, Any]]] = {
    "plain": (IMAGES, LABELS, {"counts": EACH}),
    "without labels": (IMAGES, None, {"refused": "no train-labels-idx1-ubyte beside"}),
    "that is cut": (IMAGES[:-5], LABELS, {"refused": "is no sound idx file"}),
    "of another type": (b"\0\0\x0d" + IMAGES[3:], LABELS, {"refused": "is no sound idx file"}),
    "of an absurd size": (
        struct.pack(">BBBBIII", 0, 0, 8, 3, 1 << 31, 1 << 31, 12),
        LABELS,
        {"refused": "is no sound idx file"},
    ),
}
for _name, (_images, _labels, _expected) in IDX.items():
    CASES[f"idx {_name}"] = Case(
        lambda root, images=_images, labels=_labels: idx(root, images, labels),  # type: ignore[misc]
        **_expected,
    )
