"""What was read of a source: images class by class, before they are cleaned and split."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from augstudy.core.arrays import Images
from augstudy.settings.spec import ImageSpec

LEFT_OVER = "left_over"  # among the facts: bytes behind the images of a file, by class
Report = Callable[[int, int, str], None]
"""Called with how much was read so far, how much there is to read, and what is counted."""


@dataclass(frozen=True)
class ClassImages:
    """What was read of one class.

    Attributes:
        name: Of the class.
        uri: Where its images are, for messages.
        available: How many images the source has of it.
        images: uint8 (N, height, width) or (N, height, width, 3).
        rows: int64 (N,), their places among all images of the class.
        origin: For the provenance: what identifies what was read.
        names: What the images are called; empty where they have no names, or all of the following.
        groups: What each belongs with; an empty text for none.
        splits: The split in which the source has each; an empty text for none.
        unreadable: Names of images that could not be decoded, and why.
    """

    name: str
    uri: str
    available: int
    images: Images
    rows: np.ndarray
    origin: Mapping[str, Any] = field(default_factory=dict)
    names: Sequence[str] = ()
    groups: Sequence[str] = ()
    splits: Sequence[str] = ()
    unreadable: Sequence[tuple[str, str]] = ()

    @property
    def unread(self) -> bool:
        """Whether the source has more images of the class."""
        return len(self.images) + len(self.unreadable) < self.available


@dataclass(frozen=True)
class Found:
    """Images of all classes, by name in the order of their labels, and what they are like.

    ``facts`` are for the data report: sizes that were found, files that were left out.
    """

    classes: dict[str, ClassImages]
    spec: ImageSpec
    facts: Mapping[str, Any] = field(default_factory=dict)
