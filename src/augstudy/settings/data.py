"""Settings of a data set: which images are read, and how they are split."""

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from augstudy.core.names import why_no_class
from augstudy.core.rng import SEEDS
from augstudy.objects.address import refuse_credentials
from augstudy.settings.base import Settings

MAMMALS = (
    "camel",
    "cow",
    "elephant",
    "giraffe",
    "horse",
    "kangaroo",
    "lion",
    "panda",
    "rhinoceros",
    "tiger",
    "zebra",
)


class DataSettings(Settings):
    """Which images to read and how to split them."""

    source: str = Field("sample", description="sample, or a file://, gs:// or s3:// folder")
    classes: tuple[str, ...] = MAMMALS
    train_per_class: int = Field(60, ge=1, description="images per class set aside for training")
    val_per_class: int = Field(20, ge=1, description="validation images per class")
    test_per_class: int = Field(
        20, ge=0, description="test images per class; 0 means all that are left over"
    )
    level: int = Field(0, ge=0, description="training images per class in use; 0 means all")
    seed: int = Field(0, ge=0, lt=SEEDS, description="chooses the images and their splits")

    @field_validator("source")
    @classmethod
    def _without_credentials(cls, source: str) -> str:
        refuse_credentials(source, "source")
        return source

    @field_validator("classes")
    @classmethod
    def _names(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        for name in classes:
            if reason := why_no_class(name):
                raise ValueError(f"{name!r} cannot be the name of a class: {reason}")
        return classes

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.level > self.train_per_class:
            raise ValueError(
                f"level {self.level} is more than train_per_class {self.train_per_class}"
            )
        if len(self.classes) < 2:
            raise ValueError("at least two classes are needed")
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("a class is named twice")
        return self

    @property
    def used_level(self) -> int:
        """Training images per class that are really used."""
        return self.level or self.train_per_class

    @property
    def needed_per_class(self) -> int:
        """Usable images that each class must have at least."""
        return self.train_per_class + self.val_per_class + max(1, self.test_per_class)
