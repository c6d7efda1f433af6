"""Settings of comparisons: between the arms of a study, and between champion and challenger."""

from pydantic import Field

from augstudy.settings.base import Settings


class ComparisonSettings(Settings):
    """How arms are compared."""

    equivalence_margin: float = Field(
        0.01,
        gt=0,
        lt=1,
        description="largest difference in accuracy, as a share, that is too small to matter",
    )


class RetrainSettings(Settings):
    """What new data and a new classifier must be like to replace the champion."""

    margin: float = Field(
        0.005,
        gt=-1,
        lt=1,
        description="accuracy that may be lost, as a share; if negative, that must be gained",
    )
    max_drift: float = Field(
        0.25, gt=0, description="largest population stability index allowed for the ink histogram"
    )
    max_shrink: float = Field(
        0.2, ge=0, le=1, description="largest share of its images that a class may have lost"
    )
