"""Settings of what judges synthetic images: the judge, and the filter."""

from pydantic import Field

from augstudy.core.rng import SEEDS
from augstudy.settings.base import Settings


class JudgeSettings(Settings):
    """The classifier whose eyes measure synthetic images, trained for that alone.

    None of those that are compared, even where their recipe is the same.
    """

    classifier: str = Field("modern_small", description="recipe of the judge")
    steps: int = Field(1000, ge=1, description="gradient steps of the judge")
    cas_steps: int = Field(
        400,
        ge=0,
        description="gradient steps of the classifiers behind the classification accuracy score, "
        "one trained on synthetic images and one on real ones; 0 leaves it out",
    )
    seed: int = Field(
        20_210, ge=0, lt=SEEDS, description="of the judge: the same whatever else is compared"
    )


class CurationSettings(Settings):
    """Which drawings the filter of ``add_filtered`` and ``real_filtered`` lets through."""

    strictness: float = Field(
        1.0,
        ge=0,
        description="times the threshold: the mean confidence in validation drawings of the class",
    )
    balance: bool = Field(True, description="take as many of every class")
    folds: int = Field(5, ge=2, description="of the cross-fitting that judges real drawings")
