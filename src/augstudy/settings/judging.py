"""Settings of what judges synthetic images: the judge, and the filter."""

from pydantic import Field

from augstudy.core.rng import SEEDS
from augstudy.settings.base import Settings


class JudgeSettings(Settings):
    """The classifier that measures synthetic images, trained for that alone.

    It is never one of those that are compared, even if their recipe is the same.
    """

    classifier: str = Field("modern_small", description="recipe of the judge")
    steps: int = Field(1000, ge=1, description="gradient steps of the judge")
    cas_steps: int = Field(
        400,
        ge=0,
        description="gradient steps of the two classifiers behind the classification accuracy "
        "score, one trained on synthetic images and one on real ones; 0 leaves the score out",
    )
    seed: int = Field(
        20_210, ge=0, lt=SEEDS, description="seed of the judge; keep it to compare figures"
    )


class CurationSettings(Settings):
    """Which images the filter of ``add_filtered`` and ``real_filtered`` lets through."""

    strictness: float = Field(
        1.0,
        ge=0,
        description="multiplies the threshold: the mean confidence in validation images of a class",
    )
    balance: bool = Field(True, description="take equally many images of every class")
    folds: int = Field(5, ge=2, description="of the cross-fitting that judges real images")
