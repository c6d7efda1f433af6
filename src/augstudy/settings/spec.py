"""What an image of a study is like; the one place that knows its size."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ImageSpec:
    """Height, width and channels of every image of a study, in pixels."""

    height: int
    width: int
    channels: int

    @property
    def plane(self) -> tuple[int, int]:
        """Of an array of images without channels: (height, width)."""
        return self.height, self.width

    @property
    def shape(self) -> tuple[int, int, int]:
        """As networks take an image: (height, width, channels)."""
        return self.height, self.width, self.channels

    @property
    def size(self) -> int:
        """Numbers in an image, which are its bytes on disk."""
        return self.height * self.width * self.channels


IMAGE = ImageSpec(28, 28, 1)
