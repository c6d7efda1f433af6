"""What an image of a study is like: its size, its channels and its background."""

from dataclasses import dataclass
from typing import Any

LEAST_SIDE, MOST_SIDE = 8, 128  # pixels


@dataclass(frozen=True)
class ImageSpec:
    """Height, width and channels of every image of a study, in pixels, and its background.

    Arrays of images are uint8 (N, height, width) with one channel and (N, height, width, 3), RGB,
    with three. ``background`` is the value of empty pixels; None where images fill their frame, as
    photos do.
    """

    height: int
    width: int
    channels: int
    background: int | None = None

    @classmethod
    def of(cls, images: Any, background: int | None = None) -> "ImageSpec":
        """The spec of an array of images, (N, height, width) or (N, height, width, channels)."""
        height, width, *channels = images.shape[1:]
        return cls(height, width, channels[0] if channels else 1, background)

    @property
    def plane(self) -> tuple[int, int]:
        """Height and width."""
        return self.height, self.width

    @property
    def shape(self) -> tuple[int, int, int]:
        """As networks take an image: (height, width, channels)."""
        return self.height, self.width, self.channels

    @property
    def stored(self) -> tuple[int, ...]:
        """As an array of images holds one: without the channel if there is one only."""
        return self.plane if self.channels == 1 else self.shape

    @property
    def size(self) -> int:
        """Numbers in an image, which are its bytes on disk."""
        return self.height * self.width * self.channels

    @property
    def is_drawing(self) -> bool:
        """Whether images are strokes on an empty ground: shown as dark ink on white paper."""
        return self.channels == 1 and self.background == 0

    def shown(self, images: Any) -> Any:
        """Images as people see them: drawings as dark ink on white, all others as they are."""
        return 255 - images if self.is_drawing else images


DRAWING = ImageSpec(28, 28, 1, background=0)


def with_channels(images: Any) -> Any:
    """Images as networks take them: (N, height, width) gets a last axis of one channel."""
    return images[..., None] if images.ndim == 3 else images
