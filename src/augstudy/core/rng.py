"""Seeds: which numbers can be one, and the random generator that each of them makes.

Every NumPy generator comes from here. Initial weights and dropout are Keras's: what seeds these is
:func:`augstudy.models.backend.prepare`.
"""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from augstudy.core.errors import InputError

if TYPE_CHECKING:  # the command line checks seeds without waiting for numpy
    import numpy as np

SEEDS = 2**32  # how many there are: Keras takes no more
MOST_SEEDS = 1000  # of one arm: each is a training
DRAW = 10_000  # between the seeds of a draw and those of the next one


def check_seed(seed: Any, name: str = "A seed") -> None:
    """Refuse what cannot be a seed.

    Raises:
        InputError: a sentence about `name`, which says what can.
    """
    if type(seed) is not int or not 0 <= seed < SEEDS:
        raise InputError(f"{name} must be a whole number from 0 to {SEEDS - 1}, not {seed!r}.")


def check_seeds(seeds: Sequence[Any]) -> None:
    """Refuse what cannot be the seeds of repetitions.

    Raises:
        InputError: there is none or too many, one is there twice, or something cannot be a seed.
    """
    if len(seeds) > MOST_SEEDS:
        raise InputError(f"There can be {MOST_SEEDS} seeds at most, not {len(seeds):,}.")
    for seed in seeds:
        check_seed(seed)
    if not seeds or len(set(seeds)) != len(seeds):
        raise InputError(f"Seeds must be distinct and at least one, not {list(seeds)}.")


def seed_in_draw(seed: int, draw: int) -> int:
    """The seed that stands for `seed` in a repetition of split and generators, counted from 0."""
    return seed + DRAW * draw


def generator(seed: int, *more: int) -> "np.random.Generator":
    """The random generator of a seed, or of a seed and what tells its uses apart.

    The same on every machine. One seed with different `more` makes streams that have nothing to do
    with each other.
    """
    import numpy as np

    return np.random.default_rng([seed, *more])


def named_generator(seed: int, *purpose: object) -> "np.random.Generator":
    """The random generator of a seed for a purpose in words, such as ``"split", "cow"``."""
    text = "/".join(str(part) for part in (seed, *purpose))
    digest = hashlib.sha256(text.encode()).digest()
    return generator(int.from_bytes(digest[:16], "little"))
