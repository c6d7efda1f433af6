"""The dataset artifact on disk: four splits of images with their labels and origin.

``train`` holds the real images of the level. ``extra`` holds those of the training pool beyond
it, which of the arms `extra_real` alone learns from; the judge of synthetic images has seen them,
too. It is empty where the level uses the whole pool.

With folds or draws those are the splits of the first one. Each other one is a dataset of its own
within the artifact, see :mod:`augstudy.data.parts`, so whatever learns from a part opens no other.
All draws have the same test images.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from augstudy.core.arrays import Images
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import DataError
from augstudy.core.files import write_json
from augstudy.core.rng import named_generator
from augstudy.data.near_copies import thumbnails
from augstudy.settings.spec import DRAWING, ImageSpec

KIND = "dataset"
_SPEC = "image.json"
_THUMBNAILS = "test_thumbnails.npy"
SPLITS = ("train", "extra", "val", "test")


@dataclass(frozen=True)
class Split:
    """Images of one split, class by class.

    ``images`` is uint8 (N, height, width) or (N, height, width, 3); ``labels`` int32 (N,), indices
    into the classes; ``rows`` int64 (N,), the place of each image in its class's source;
    ``groups`` int64 (N,), equal for images that belong together, or None if none do.
    """

    images: np.ndarray
    labels: np.ndarray
    rows: np.ndarray
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)


def save_split(folder: Path, name: str, split: Split) -> None:
    """Write ``<name>_{images,labels,rows}.npy``, and groups if there are any, into `folder`."""
    for part in ("images", "labels", "rows", "groups"):
        if (array := getattr(split, part)) is not None:
            np.save(folder / f"{name}_{part}.npy", array, allow_pickle=False)


def load_split(artifact: Artifact, name: str) -> Split:
    """Load one of the splits ``train``, ``extra``, ``val`` and ``test``.

    Raises:
        DataError: the artifact holds no such split, or its arrays do not fit together.
    """
    images, labels, rows = (
        np.load(artifact.file(f"{name}_{part}.npy"), allow_pickle=False)
        for part in ("images", "labels", "rows")
    )
    count = len(images)
    expected = {
        "images": (images, np.uint8, (count, *load_spec(artifact).stored)),
        "labels": (labels, np.int32, (count,)),
        "rows": (rows, np.int64, (count,)),
    }
    for part, (array, dtype, shape) in expected.items():
        if array.dtype != dtype or array.shape != shape:
            raise DataError(
                f"{artifact.path}/{name}_{part}.npy holds {array.dtype} {array.shape} instead of "
                f"{np.dtype(dtype)} {shape}: make the dataset again."
            )
    return Split(images, labels, rows, load_groups(artifact, name))


def load_groups(artifact: Artifact, name: str) -> np.ndarray | None:
    """The groups of a split's images, int64 (N,); None where no images belong together."""
    file = f"{name}_groups.npy"
    if file not in artifact.manifest.files:
        return None
    groups: np.ndarray = np.load(artifact.file(file), allow_pickle=False)
    return groups


def load_pool(artifact: Artifact) -> Split:
    """All images set aside for training: those of the level and those beyond it."""
    parts = [load_split(artifact, name) for name in ("train", "extra")]
    return Split(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("images", "labels", "rows")
        )
    )


def save_thumbnails(folder: Path, test: Split, seed: int) -> None:
    """Write small test images, in any order and without labels: what copies are found by."""
    order = named_generator(seed, "thumbnails").permutation(len(test))
    np.save(folder / _THUMBNAILS, thumbnails(test.images[order]), allow_pickle=False)


def load_thumbnails(artifact: Artifact) -> Images:
    """Those of an artifact; none of one that is older."""
    if _THUMBNAILS not in artifact.manifest.files:
        return np.empty((0, *load_spec(artifact).stored), np.uint8)
    small: Images = np.load(artifact.file(_THUMBNAILS), allow_pickle=False)
    return small


def save_spec(folder: Path, spec: ImageSpec) -> None:
    """Write what the images are like into `folder`."""
    write_json(folder / _SPEC, asdict(spec))


def load_spec(artifact: Artifact) -> ImageSpec:
    """What the images of an artifact are like; those without a spec are drawings."""
    if not (artifact.path / _SPEC).exists():
        return DRAWING
    return ImageSpec(**artifact.json(_SPEC))


def class_counts(artifact: Artifact) -> list[int]:
    """Real training images of each class."""
    labels = np.load(artifact.file("train_labels.npy"), allow_pickle=False)
    counts: list[int] = np.bincount(labels, minlength=len(load_classes(artifact))).tolist()
    return counts


def level_of(artifact: Artifact) -> int:
    """Real training images of the class that has the most: what the level allows a class."""
    return max(class_counts(artifact))


def load_classes(artifact: Artifact) -> list[str]:
    """Names of the classes, in the order of the labels; works for every kind that lists them."""
    return [str(name) for name in artifact.json("classes.json")]
