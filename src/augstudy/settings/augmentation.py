"""Settings of the random changes that training images are shown with."""

from pydantic import Field

from augstudy.settings.base import Settings

COLOURS = ("brightness", "contrast", "saturation", "cutout")


class Augmentation(Settings):
    """Random changes made to each training image each time it is seen."""

    horizontal_flip: bool = False
    vertical_flip: bool = False
    rotation: float = Field(0.0, ge=0, le=180, description="up to this many degrees")
    shift: float = Field(0.0, ge=0, le=0.5, description="up to this share of the width")
    zoom: float = Field(0.0, ge=0, lt=1, description="scale between 1 - zoom and 1 + zoom")
    stretch: float = Field(0.0, ge=0, lt=1, description="the same, for width and height separately")
    shear: float = Field(0.0, ge=0, lt=1, description="slant, up to this many pixels per pixel")
    brightness: float = Field(
        0.0, ge=0, lt=1, description="add up to this share of full brightness, or take it away"
    )
    contrast: float = Field(0.0, ge=0, lt=1, description="scale contrast by 1 - this to 1 + this")
    saturation: float = Field(0.0, ge=0, le=1, description="the same for the strength of colours")
    cutout: float = Field(
        0.0, ge=0, lt=1, description="blank a square whose side is this share of the image's"
    )

    @property
    def moves(self) -> bool:
        """Whether it moves pixels."""
        return any(getattr(self, name) for name in type(self).model_fields if name not in COLOURS)

    @property
    def colours(self) -> bool:
        """Whether it changes their values."""
        return any(getattr(self, name) for name in COLOURS)

    def halved(self) -> "Augmentation":
        """Half as strong, and without flips and what changes colours."""
        limits = {
            name: getattr(self, name) / 2
            for name in type(self).model_fields
            if "flip" not in name and name not in COLOURS
        }
        return Augmentation.model_validate(limits)

    def joined(self, other: "Augmentation") -> "Augmentation":
        """For every setting the stronger of the two."""
        return Augmentation.model_validate(
            {
                name: max(getattr(self, name), getattr(other, name))
                for name in type(self).model_fields
            }
        )
