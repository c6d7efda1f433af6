"""What looks wrong about a dataset, in words."""

from collections.abc import Mapping
from typing import Any

from augstudy.pages import wording

_FIGURES = {
    "brightness": "The brightness of an image",
    "contrast": "The contrast of an image",
    "edge": "The brightness of an image's edge",
    "pixel": "A single pixel of an image",
    "red": "The mean red of an image",
    "green": "The mean green of an image",
    "blue": "The mean blue of an image",
}
_MOST = 5  # classes that are named


def sentence(found: Mapping[str, Any]) -> str:
    """A finding of :mod:`augstudy.data.suspicions` as a warning."""
    names = found["classes"]
    listed = ", ".join(names[:_MOST]) + (", ..." if len(names) > _MOST else "")
    several = len(names) > 1
    which = f"{'Classes' if several else 'Class'} {listed}"
    if found["code"] == "inverted":
        return (
            f"{which}: up to {wording.percent(found['mean_ink'])} of the images is ink. They may "
            "be inverted: a drawing is bright (255) on black (0)."
        )
    if found["code"] == "dark":
        return (
            f"{which}: no pixel is brighter than {found['brightest']} of 255. The values may have "
            "been scaled before they became whole numbers."
        )
    if found["code"] == "separable":
        figure = _FIGURES.get(found["figure"], f"The {found['figure']} of an image")
        what = "each of the classes" if several else "class"
        return (
            f"{figure} alone tells {what} {listed} from all others: a classifier need not look at "
            "what is shown. Check how these images were made."
        )
    return (
        f"{which}: its file has {found['bytes']:,} bytes behind the images, which are not read. "
        "It may hold two arrays."
    )
