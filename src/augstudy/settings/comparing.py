"""Settings of comparisons: between the arms of a study, and between champion and challenger."""

from typing import Literal

from pydantic import Field, field_validator

from augstudy.settings.base import Settings

AskedMetric = Literal["auto", "accuracy", "balanced_accuracy"]


class ComparisonSettings(Settings):
    """How arms are compared."""

    metric: AskedMetric = Field(
        "auto",
        description="accuracy, balanced_accuracy (every class counts alike), or auto: accuracy "
        "where the test classes are equal",
    )

    equivalence_margin: float = Field(
        0.01,
        gt=0,
        lt=1,
        description="largest difference in the metric, as a share, that is too small to matter",
    )

    looks: list[int] = Field(
        [],
        description="numbers of seeds after which the study looks at its results and stops if it "
        "can tell, such as [3, 5, 8, 12]; intervals allow for all of these looks",
    )

    @field_validator("looks")
    @classmethod
    def _ascending(cls, looks: list[int]) -> list[int]:
        if looks and (looks[0] < 2 or sorted(set(looks)) != looks):
            raise ValueError(f"looks must ascend and begin with 2 seeds or more, not {looks}")
        return looks


class RetrainSettings(Settings):
    """What new data and a new classifier must be like to replace the champion."""

    metric: AskedMetric = Field(
        "auto",
        description="accuracy, balanced_accuracy (every class counts alike), or auto: accuracy "
        "where the test classes are equal",
    )

    margin: float = Field(
        0.005,
        gt=-1,
        lt=1,
        description="how much may be lost of the metric, as a share; if negative, must be gained",
    )
    max_drift: float = Field(
        0.25, gt=0, description="largest population stability index allowed for the ink histogram"
    )
    max_shrink: float = Field(
        0.2, ge=0, le=1, description="largest share of its images that a class may have lost"
    )
