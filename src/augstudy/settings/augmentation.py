"""Settings of the random changes that training images are shown with."""

from pydantic import Field

from augstudy.settings.base import Settings


class Augmentation(Settings):
    """Random changes made to each training image each time it is seen."""

    horizontal_flip: bool = False
    vertical_flip: bool = False
    rotation: float = Field(0.0, ge=0, le=180, description="up to this many degrees")
    shift: float = Field(0.0, ge=0, le=0.5, description="up to this share of the width")
    zoom: float = Field(0.0, ge=0, lt=1, description="scale between 1 - zoom and 1 + zoom")
    stretch: float = Field(0.0, ge=0, lt=1, description="the same, for width and height separately")
    shear: float = Field(0.0, ge=0, lt=1, description="slant, up to this many pixels per pixel")

    @property
    def active(self) -> bool:
        """Whether it changes anything."""
        return self != Augmentation()

    def halved(self) -> "Augmentation":
        """Half as strong, and without flips."""
        limits = {
            name: getattr(self, name) / 2 for name in type(self).model_fields if "flip" not in name
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
