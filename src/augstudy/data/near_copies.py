"""Find images that are copies of others in all but a few pixels: resized, recompressed, shifted.

Images are compared by the correlation of their pixels, which neither brightness nor contrast
changes, where they overlap best when one is shifted. A narrow blur takes out what compression
leaves; a part of a wide one is subtracted, as skies and seas resemble each other.
Candidates come from a product of matrices of small grey versions, then from a coarse comparison.

The thresholds come from 450 photos of 32x32 pixels (CIFAR-10): 98 % of copies that were saved as
JPEG of quality 30 had a correlation of more than 0.92, and so had more of those that were shifted
by up to two pixels or resized to 20 pixels and back; of all other pairs none had more than 0.72.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from augstudy.core.arrays import Images
from augstudy.settings.spec import ImageSpec

SAME = 0.88  # correlation of copies, at least
_PROMISING = 0.72  # the same of small, blurred versions that are not shifted
_COARSE = 0.75  # the same of coarse ones that are shifted by a pixel
_CANDIDATES = 6  # per image
_SHIFTS, _COARSE_SHIFTS = 2, 1  # pixels in each direction
_SIDE, _COARSE_SIDE, _SMALL_SIDE = 32, 16, 12  # pixels to which longer sides are reduced
_BLUR, _WIDE_BLUR, _SMALL_BLUR = 0.7, 3.0, 1.0  # pixels
_SUBTRACTED = 0.8  # of the wide blur
_PLAIN = 3.0  # standard deviation of pixels below which an image shows nothing
_BLOCK = 2048  # images, or pairs, at once

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Pair:
    """Places of two images that are near copies, and their correlation."""

    first: int
    second: int
    correlation: float


def near_copies(
    first: "Images | Prepared",
    second: "Images | Prepared | None" = None,
    mirrored: bool = False,
    same: float = SAME,
) -> list[Pair]:
    """Pairs of near copies, one from each of two sets or, with one set, from within it.

    Of very many alike, each image is compared only with those that it resembles most. Images
    without any contrast are no copies of others.

    Args:
        first: (N, height, width) or (N, height, width, 3); prepared, if they are compared again.
        second: (M, ...) of the same size; None compares `first` with itself.
        mirrored: Whether a mirror image is a copy as well.
        same: Correlation of copies, at least.
    """
    own = second is None
    mine = first if isinstance(first, Prepared) else Prepared(first)
    theirs = mine if second is None else second
    theirs = theirs if isinstance(theirs, Prepared) else Prepared(theirs)
    if not len(mine.small) or not len(theirs.small):
        return []
    found = dict[tuple[int, int], float]()
    for turned in (theirs, theirs.mirrored) if mirrored else (theirs,):
        for pairs in _candidates(mine.small, turned.small, own):
            a, b = pairs.T
            likely = _aligned(mine.coarse[a], turned.coarse[b], _COARSE_SHIFTS) >= _COARSE
            a, b = a[likely], b[likely]
            values = _aligned(mine.shown[a], turned.shown[b], _SHIFTS)
            for *key, value in zip(a.tolist(), b.tolist(), values.tolist(), strict=True):
                if value >= same:
                    place = (min(key), max(key)) if own else (key[0], key[1])
                    found[place] = max(value, found.get(place, 0.0))
    return [Pair(a, b, value) for (a, b), value in sorted(found.items())]


def thumbnails(images: Images) -> Images:
    """Images uint8 (N, height, width[, 3]), reduced to at most 32 pixels a side.

    They have the same near copies as the images themselves.
    """
    if max(images.shape[1:3]) <= _SIDE:
        return images
    values = images.astype(np.float32)
    values = values[..., None] if values.ndim == 3 else values
    small = np.rint(_reduced(values, _SIDE)).astype(np.uint8)
    return small.reshape(*small.shape[:3], *images.shape[3:])


class Prepared:
    """Images as they are compared.

    ``shown`` is (N, h, w, C), filtered, with at most 32 pixels a side; ``coarse`` is blurred, with
    at most 16; ``small`` (N, D) is grey, its rows of length one, or zero where nothing is shown.
    """

    def __init__(self, images: Images) -> None:
        shown, coarse, small = [], [], []
        self._plane = 0, 0
        for start in range(0, len(images), _BLOCK):
            values = images[start : start + _BLOCK].astype(np.float32)
            values = values[..., None] if values.ndim == 3 else values
            values = _reduced(values, _SIDE)
            narrow, wide, blurred = (
                ndimage.gaussian_filter(values, (0, blur, blur, 0))
                for blur in (_BLUR, _WIDE_BLUR, _SMALL_BLUR)
            )
            shown.append(narrow - _SUBTRACTED * wide)
            coarse.append(_reduced(narrow - narrow.mean(axis=(1, 2), keepdims=True), _COARSE_SIDE))
            grey = _reduced(blurred.mean(axis=-1, keepdims=True), _SMALL_SIDE)
            self._plane = grey.shape[1:3]
            flat = grey.reshape(len(grey), -1)
            flat = flat - flat.mean(axis=1, keepdims=True)
            plain = values.std(axis=(1, 2)).max(axis=-1) < _PLAIN
            flat[plain] = 0
            small.append(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6))
        nothing = [np.empty((0, 1, 1, 1), np.float32)]
        self.shown: Array = np.concatenate(shown or nothing)
        self.coarse: Array = np.concatenate(coarse or nothing)
        self.small: Array = np.concatenate(small or [np.empty((0, 1), np.float32)])

    def __len__(self) -> int:
        return len(self.small)

    @property
    def mirrored(self) -> "Prepared":
        """The same images, mirrored."""
        turned = copy.copy(self)
        turned.shown, turned.coarse = self.shown[:, :, ::-1], self.coarse[:, :, ::-1]
        small = self.small.reshape(-1, *self._plane)[:, :, ::-1]
        turned.small = np.ascontiguousarray(small).reshape(self.small.shape)
        return turned


def _reduced(values: Array, side: int) -> Array:
    """(N, height, width, C) with the longer side at most `side`: means of areas."""
    for axis in (1, 2):
        size = values.shape[axis]
        target = max(1, round(size * min(1.0, side / max(values.shape[1:3]))))
        if target < size:
            values = np.moveaxis(np.tensordot(values, _areas(size, target), (axis, 0)), -1, axis)
    return np.ascontiguousarray(values, np.float32)


def _areas(size: int, target: int) -> Array:
    """The share that each of `size` pixels has in each of `target` larger ones."""
    edges = np.linspace(0, size, target + 1)
    at = np.arange(size)[:, None]
    covered = np.minimum(at + 1, edges[1:]) - np.maximum(at, edges[:-1])
    shares: Array = (np.clip(covered, 0, None) * target / size).astype(np.float32)
    return shares


def _candidates(mine: Array, theirs: Array, own: bool) -> Iterator[NDArray[np.int64]]:
    """Pairs (K, 2) that may be copies: the best few of each image, block by block."""
    most = min(_CANDIDATES, len(theirs))
    for start in range(0, len(mine), _BLOCK):
        alike = mine[start : start + _BLOCK] @ theirs.T
        if own:
            rows = np.arange(len(alike))
            alike[rows, start + rows] = -1
        best = np.argpartition(-alike, most - 1, axis=1)[:, :most]
        rows, places = np.nonzero(np.take_along_axis(alike, best, axis=1) >= _PROMISING)
        yield np.stack([start + rows, best[rows, places]], axis=1)


def _aligned(first: Array, second: Array, most: int) -> Array:
    """The best correlation (K,) of pairs (K, h, w, C), over shifts of at `most` so many pixels."""
    height, width = first.shape[1:3]
    best = np.full(len(first), -1.0, np.float32)
    for down in range(-most, most + 1):
        for right in range(-most, most + 1):
            a = first[:, max(0, down) : height + down, max(0, right) : width + right]
            b = second[:, max(0, -down) : height - down, max(0, -right) : width - right]
            best = np.maximum(best, _correlation(a, b))
    return best


def _correlation(first: Array, second: Array) -> Array:
    """Of the pixels of each pair (K,), each channel around its own mean."""
    pixels = first.shape[1] * first.shape[2]
    sums = [np.einsum("nhwc->nc", side) for side in (first, second)]

    def product(at: int, other: int) -> Array:
        sides = (first, second)
        whole = np.einsum("nhwc,nhwc->n", sides[at], sides[other])
        around: Array = whole - np.einsum("nc,nc->n", sums[at], sums[other]) / pixels
        return around

    power = np.maximum(product(0, 0), 0) * np.maximum(product(1, 1), 0)
    result: Array = product(0, 1) / np.sqrt(np.maximum(power, 1e-6))
    return result


def are_sought(spec: ImageSpec, wanted: bool | None) -> bool:
    """Whether to look for near copies: by default unless images are drawings.

    Drawings of one thing resemble each other as only copies of photos do.
    """
    return not spec.is_drawing if wanted is None else wanted
