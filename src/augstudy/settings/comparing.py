"""Settings of comparisons: of the arms of a study, and of a champion with its challenger."""

from pydantic import Field

from augstudy.settings.base import Settings


class ComparisonSettings(Settings):
    """How arms are compared."""

    equivalence_margin: float = Field(
        0.01, gt=0, lt=1, description="accuracy, as a share, below which a difference is none"
    )


class RetrainSettings(Settings):
    """What new data and a new classifier must be like to take the champion's place."""

    margin: float = Field(
        0.005,
        gt=-1,
        lt=1,
        description="accuracy that may be lost, as a share; a negative one must be gained",
    )
    max_drift: float = Field(
        0.25, gt=0, description="population stability index that the ink histogram may have"
    )
    max_shrink: float = Field(
        0.2, ge=0, le=1, description="share of its drawings that a class may have lost"
    )
