"""Learning rates over time."""

from typing import Any

from augstudy.models.backend import keras
from augstudy.settings.generators import GeneratorSettings


def learning_rate(settings: GeneratorSettings) -> Any:
    """The rate for a Keras optimizer: falls linearly to ``final_rate`` of what it was."""
    if settings.final_rate == 1:
        return settings.learning_rate
    return keras.optimizers.schedules.PolynomialDecay(
        settings.learning_rate, settings.steps, settings.learning_rate * settings.final_rate
    )
