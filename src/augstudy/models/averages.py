"""Running averages of weights."""

from typing import Any

from augstudy.models.backend import keras

ops = keras.ops


def follow(average: keras.Model, network: keras.Model, decay: float, seen: Any) -> None:
    """Move the weights of `average` towards those of `network`, and count the step in `seen`.

    The average keeps a share of `decay` a step, and less at first, so that its start is forgotten.
    """
    steps = ops.cast(seen, "float32")
    keep = ops.minimum(decay, (1.0 + steps) / (10.0 + steps))
    for mean, now in zip(average.weights, network.weights, strict=True):
        mean.assign(mean + (1.0 - keep) * (now - mean))
    seen.assign(seen + 1)
