"""Images that are arrays of pixels: ``.npz`` files, and MNIST's idx files."""

import contextlib
import gzip
import re
import zipfile
import zlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augstudy.core.errors import DataError, InputError
from augstudy.data.sources.archives import check_growth
from augstudy.data.sources.base import Pixels, Record, RecordSource
from augstudy.data.sources.folders import SPLIT_NAMES
from augstudy.objects.cache import Reader
from augstudy.objects.ranged import open_object

IDX = re.compile(r"images?[-.]idx[34]-ubyte(\.gz)?$")
_WORDS = {
    "images": ("images", "image", "x", "data", "imgs"),
    "labels": ("labels", "label", "y", "targets", "target"),
    "names": ("class_names", "classes", "names", "label_names"),
    "groups": ("groups", "group"),
}
_PLAIN = {"arr_0": "images", "arr_1": "labels"}
_IMAGE, _COLOUR = 3, 4  # axes
_MOST = 1 << 33  # bytes of an idx file


@dataclass(frozen=True)
class _Block:
    """Images of one split: uint8 (N, H, W) or (N, H, W, C), with the name of each one's class."""

    split: str
    images: Pixels
    labels: list[str]
    groups: list[str]


class ArraySource(RecordSource):
    """Images in memory, by their places."""

    def __init__(self, uri: str, store: Reader, blocks: list[_Block]) -> None:
        super().__init__(uri, store)
        several = len({block.split for block in blocks}) > 1
        self._blocks = blocks
        self._splits = [block.split if several else "" for block in blocks]

    def records(self) -> list[Record]:
        """See :meth:`RecordSource.records`."""
        return [
            Record(
                label=label,
                name=f"{at:02}-{row:09}",
                key=f"{at:02}/{row:09}",
                group=block.groups[row] if block.groups else "",
                split=self._splits[at],
            )
            for at, block in enumerate(self._blocks)
            for row, label in enumerate(block.labels)
        ]

    def read(self, record: Record) -> Pixels:
        """See :meth:`RecordSource.read`."""
        block, row = map(int, record.key.split("/"))
        image: Pixels = self._blocks[block].images[row]
        return image


def open_npz(uri: str, store: Reader, key: str) -> ArraySource:
    """An ``.npz`` file with images and labels, of one split or of several.

    Raises:
        InputError: the arrays that it needs are not there, or do not fit together.
        DataError: it is damaged, or holds pickled objects.
    """
    try:
        with open_object(store, key) as file, np.load(file, allow_pickle=False) as archive:
            check_growth(uri, archive.zip)
            found = {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error, AttributeError) as error:
        raise DataError(
            f"{uri} is no sound .npz file, or holds pickled objects, which are never loaded: save "
            "images and labels as plain arrays."
        ) from error
    parts: dict[str, dict[str, NDArray[np.generic]]] = defaultdict(dict)
    names: list[str] = []
    for name, array in found.items():
        what, split = _meaning(name)
        if what == "names":
            names = [str(item) for item in array.ravel()]
        elif what:
            parts[split][what] = array
    whole = {split: part for split, part in parts.items() if {"images", "labels"} <= set(part)}
    if not whole:
        raise InputError(
            f"{uri} holds the arrays {', '.join(found) or 'none'}: images and labels are needed."
        )
    return ArraySource(
        uri, store, [_block(uri, split, part, names) for split, part in sorted(whole.items())]
    )


def open_idx(uri: str, store: Reader, keys: list[str]) -> ArraySource:
    """MNIST's files of images among `keys`, each with the file of labels beside it.

    Raises:
        InputError: there is no file of labels.
        DataError: a file is damaged.
    """
    blocks = []
    for key in sorted(keys):
        folder = PurePosixPath(key).parent
        name = PurePosixPath(key).name
        partner = re.sub("images?", lambda word: word[0].replace("image", "label"), name)
        other = (folder / re.sub("idx[34]", "idx1", partner)).as_posix()
        candidates = (other, other.removesuffix(".gz"), f"{other}.gz")
        there = [item for item in candidates if item in store.keys(other.removesuffix(".gz"))]
        if not there:
            raise InputError(f"{uri}: there is no {other} beside {key}: add it.")
        images, labels = (_idx(store, item) for item in (key, there[0]))
        split = "test" if re.search("t10k|test", name) else "train" if "train" in name else ""
        split = split or ("val" if "val" in name else "")
        blocks.append(_block(uri, split, {"images": images, "labels": labels}, []))
    return ArraySource(uri, store, blocks)


def _meaning(name: str) -> tuple[str, str]:
    """What an array of that name is, and of which split: ``x_train`` are images, and so on."""
    if name in _PLAIN:
        return _PLAIN[name], ""
    words = name.lower().split("_")
    split = next((SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES), "")
    rest = "_".join(word for word in words if word not in SPLIT_NAMES)
    return next((what for what, known in _WORDS.items() if rest in known), ""), split


def _block(uri: str, split: str, part: dict[str, NDArray[np.generic]], names: list[str]) -> _Block:
    images = _as_images(uri, part["images"])
    labels = _as_labels(uri, part["labels"], names)
    groups = [str(item) for item in part["groups"].ravel()] if "groups" in part else []
    if len(images) != len(labels) or len(groups) not in (0, len(images)):
        raise InputError(
            f"{uri} has {len(images)} images, but {len(labels)} labels: each image needs its own."
        )
    return _Block(split, images, labels, groups)


def _as_images(uri: str, array: NDArray[np.generic]) -> Pixels:
    """uint8 (N, H, W) or (N, H, W, C), also from flat ones, fractions or with channels first."""
    side = round(array.shape[-1] ** 0.5) if array.ndim == 2 else 0
    if side and side * side == array.shape[-1]:
        array = array.reshape(-1, side, side)
    if array.ndim == _COLOUR and array.shape[1] in (1, 3) and array.shape[-1] not in (1, 3, 4):
        array = np.moveaxis(array, 1, -1)
    if array.ndim == _COLOUR and array.shape[-1] == 1:
        array = array[..., 0]
    fits = array.ndim == _IMAGE or (array.ndim == _COLOUR and array.shape[-1] in (3, 4))
    if not fits or array.dtype.kind not in "buif":
        raise InputError(
            f"{uri} has images of shape {array.shape} and type {array.dtype}: (N, height, width) "
            "or (N, height, width, 3) of numbers is needed."
        )
    if array.dtype == np.uint8 or not array.size:
        return array.astype(np.uint8, copy=False)
    least, most = float(array.min()), float(array.max())
    if not (least >= 0 and most <= 65535):
        raise InputError(
            f"{uri} has images with values from {least:g} to {most:g}: scale them to 0-255."
        )
    scale = 255.0 if most <= 1 else 1.0 if most <= 255 else 255 / 65535
    scaled: Pixels = np.rint(array.astype(np.float32) * scale).astype(np.uint8)
    return scaled


def _as_labels(uri: str, array: NDArray[np.generic], names: list[str]) -> list[str]:
    if array.ndim == 2 and array.shape[1] > 1:
        array = array.argmax(axis=1)  # one column per class
    values = array.ravel()
    if values.dtype.kind == "f" and np.array_equal(values, np.rint(values)):
        values = values.astype(np.int64)
    if values.dtype.kind in "iu" and names:
        if len(values) and not 0 <= int(values.min()) <= int(values.max()) < len(names):
            raise InputError(
                f"{uri} has labels from {values.min()} to {values.max()}, but {len(names)} names "
                "of classes: add the missing names."
            )
        return [names[int(value)] for value in values]
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values.tolist()]


def _idx(store: Reader, key: str) -> NDArray[np.uint8]:
    """An idx file: two zero bytes, the type (8: bytes), the number of axes, their sizes, data."""
    try:
        with contextlib.ExitStack() as stack:
            stream: Any = stack.enter_context(open_object(store, key))
            if key.endswith(".gz"):
                stream = stack.enter_context(gzip.open(stream))
            head = stream.read(4)
            axes = np.frombuffer(stream.read(4 * head[3]), ">u4")
            size = int(np.prod(axes, dtype=np.float64))
            if head[:3] != b"\x00\x00\x08" or len(axes) != head[3] or size > _MOST:
                raise ValueError
            data = stream.read(size + 1)
            return np.frombuffer(data, np.uint8).reshape(axes)
    except (ValueError, OSError, EOFError, IndexError, zlib.error) as error:
        raise DataError(f"{key} of {store.uri} is no sound idx file: copy it again.") from error
