"""What the size of images means for networks that are made for any size."""

from augstudy.core.errors import InputError
from augstudy.settings.spec import DRAWING, ImageSpec

SHORTEST_SIDE = min(DRAWING.plane)  # pixels, of images for networks of the student report
_LARGEST_START = 11  # pixels


def doublings(height: int, width: int) -> int:
    """How often a generator doubles images, and a discriminator halves them: 2, 3 or 4 times.

    The shorter side then starts with 2 to 11 pixels: 7 of 28, 8 of 32, 64 and 128.
    """
    count = 2
    while -(-min(height, width) >> count) > _LARGEST_START:
        count += 1
    return count


def check_size(spec: ImageSpec, what: str) -> None:
    """Refuse images that are smaller than those of the student report.

    Args:
        spec: what images are like.
        what: the networks, at the beginning of a sentence.

    Raises:
        InputError: they are smaller.
    """
    if min(spec.plane) < SHORTEST_SIDE:
        raise InputError(
            f"{what} take images of {SHORTEST_SIDE} x {SHORTEST_SIDE} pixels or more, not of "
            f"{spec.width} x {spec.height}: choose others, or make the images larger."
        )
