"""Settings of a data set: which images are read, and how they are split."""

import re
from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)
from typing_extensions import Self

from augstudy.core.errors import InputError
from augstudy.core.names import why_no_class
from augstudy.core.rng import SEEDS
from augstudy.objects.address import absolute, refuse_credentials
from augstudy.settings.base import Settings
from augstudy.settings.spec import LEAST_SIDE, MOST_SIDE

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

MOST_DRAWS = 100

Side = Annotated[int, Field(ge=LEAST_SIDE, le=MOST_SIDE)]


class ImageSettings(Settings):
    """How files become images of one size, and which of them belong together."""

    size: Literal[0] | Side | tuple[Side, Side] = Field(
        0, description="pixels per side, or [height, width]; 0 means what suits the images"
    )
    channels: Literal[0, 1, 3] = Field(
        0, description="1 for grey, 3 for colour; 0 means what suits the images"
    )
    resize: Literal["crop", "pad", "stretch"] = Field(
        "crop", description="how images of another shape are made to fit"
    )
    fill: str = Field(
        "#ffffff",
        pattern="^#[0-9a-fA-F]{6}$",
        description="colour behind transparent images and beside those that are padded",
    )
    background: int | None = Field(
        None, ge=0, le=255, description="value of empty pixels, such as 0; none for photos"
    )
    max_unreadable: float = Field(
        0.01, ge=0, le=1, description="share of images that may be unreadable"
    )
    groups: str = Field(
        "", description="pattern with one (group) on the path of an image: who it belongs with"
    )
    near_copies: bool | None = Field(
        None, description="look for near copies; by default unless images are drawings"
    )
    shares: tuple[float, float, float] = Field(
        (0.6, 0.2, 0.2), description="of training, validation and test images, without counts"
    )

    @field_validator("groups")
    @classmethod
    def _pattern(cls, groups: str) -> str:
        try:
            found = re.compile(groups).groups
        except re.error as error:
            raise ValueError(f"it is no regular expression ({error})") from error
        if groups and found != 1:
            raise ValueError("it needs exactly one group in parentheses, such as 'patient(\\d+)'")
        return groups

    @field_validator("shares")
    @classmethod
    def _shares(cls, shares: tuple[float, float, float]) -> tuple[float, float, float]:
        if min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6:
            raise ValueError("they must be three positive numbers with a sum of 1")
        return shares


class DataSettings(Settings):
    """Which images to read and how to split them."""

    source: str = Field(
        "sample", description="sample, or a folder or file: a path, file://, gs:// or s3://"
    )
    test_source: str = Field("", description="where test images come from, if from elsewhere")
    classes: tuple[str, ...] = ()
    train_per_class: int = Field(
        0, ge=0, description="images per class set aside for training; 0 means all that remain"
    )
    val_per_class: int = Field(0, ge=0, description="validation images per class; 0 means a fifth")
    test_per_class: int = Field(
        0,
        ge=0,
        description="test images per class, with folds of each fold; 0 means a fifth, or with "
        "train_per_class all that are left over",
    )
    level: int = Field(0, ge=0, description="most training images per class; 0 means all")
    folds: int = Field(
        0,
        ge=0,
        description="parts to test in turn, so that every image is tested once, by classifiers "
        "that have not seen it; 0 means one test split",
    )
    draws: int = Field(
        1,
        ge=1,
        le=MOST_DRAWS,
        description="times to deal the images out to training and validation anew",
    )
    seed: int = Field(0, ge=0, lt=SEEDS, description="chooses the images and their splits")
    image_settings: ImageSettings = ImageSettings()

    @field_validator("source", "test_source")
    @classmethod
    def _address(cls, source: str) -> str:
        refuse_credentials(source, "source")
        return absolute(source)

    @field_validator("classes")
    @classmethod
    def _names(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        for name in classes:
            if reason := why_no_class(name):
                raise ValueError(f"{name!r} cannot be the name of a class: {reason}")
        return classes

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.train_per_class and self.level > self.train_per_class:
            raise ValueError(
                f"level {self.level} is more than train_per_class {self.train_per_class}"
            )
        self._check_folds()
        if len(self.classes) == 1:
            raise ValueError("at least two classes are needed")
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("a class is named twice")
        return self

    def _check_folds(self) -> None:
        if not self.folds:
            return
        if self.folds == 1:
            raise ValueError("folds is 0, for one test split, or 2 and more: not 1")
        if self.test_source:
            raise ValueError(
                "folds test every image of the source, so there can be no test_source: leave out "
                "one of them"
            )
        asked, left = self._learnt_from, (self.folds - 1) * self.test_per_class
        if self.test_per_class and asked > left:
            raise ValueError(
                f"{self.folds} folds of {self.test_per_class} test images leave {left} images per "
                f"class to train and choose with, but train_per_class and val_per_class ask for "
                f"{asked}: raise test_per_class, or lower them"
            )

    @model_serializer(mode="wrap")
    def _without_what_is_usual(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without folds and draws nothing is said of them: keys stay as before there were any."""
        values: dict[str, Any] = dump(self)
        if not self.folds:
            del values["folds"]
        if self.draws == 1:
            del values["draws"]
        return values

    @property
    def _learnt_from(self) -> int:
        """Images per class to train and choose with, at least."""
        return max(1, self.train_per_class) + max(1, self.val_per_class)

    @property
    def needed_per_class(self) -> int:
        """Usable images that each class must have at least."""
        if self.folds:
            tested = self.folds * max(1, self.test_per_class)
            return max(tested, -(-self._learnt_from * self.folds // (self.folds - 1)))
        return self._learnt_from + max(1, self.test_per_class)

    @property
    def groups_per_class(self) -> int:
        """Groups that each class must have at least for its folds; a single image is one, too."""
        return max(self.folds, -(-2 * self.folds // (self.folds - 1)))

    @property
    def asks_for_counts(self) -> bool:
        """Whether any count is given; otherwise all splits are shares."""
        return max(self.train_per_class, self.val_per_class, self.test_per_class) > 0

    @property
    def counted(self) -> bool:
        """Whether the counts say how many images are used, however many there are."""
        if self.folds:
            return self.test_per_class > 0
        return min(self.train_per_class, self.val_per_class, self.test_per_class) > 0

    def check_level(self, largest: int, given: bool = False) -> None:
        """Refuse a level that no class reaches.

        Args:
            largest: Images of the largest class.
            given: Whether the source says which of them are for training.

        Raises:
            InputError: it is more than the class can have to train on.
        """
        dealt = 0 if given or self.folds else sum(self._set_aside(largest))
        most = max(1, largest - dealt)
        if self.level > most:
            raise InputError(
                f"Level {self.level} is more than any class has: at most {most} of the {largest} "
                "images of the largest class are for training. Lower the level, or name a larger "
                "source."
            )

    def _set_aside(self, images: int) -> tuple[int, int]:
        """Validation and test images of a class with so many, at least."""
        _, val, test = (int(images * share) for share in self.image_settings.shares)
        return self.val_per_class or val, self.test_per_class or test

    def needed_of(self, side: str, given: Collection[str]) -> int:
        """Images to read per class of those that the source has as `side`; 0 means all.

        Args:
            side: a split that is given, or an empty text for images without one.
            given: all such sides that there are.
        """
        if self.folds:
            return self.needed_per_class if self.counted else 0
        counts = {"val": self.val_per_class, "test": self.test_per_class}
        if side in counts:
            return counts[side]
        dealt = [count for name, count in counts.items() if name not in given]
        dealt.append(self.train_per_class)
        return sum(dealt) if min(dealt) else 0
