"""Seeds: which numbers can be one, wherever they come from."""

from collections.abc import Sequence
from typing import Any

from augstudy.core.errors import InputError

SEEDS = 2**32  # how many there are: Keras takes no more


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
        InputError: there is none, one is there twice, or something cannot be a seed.
    """
    for seed in seeds:
        check_seed(seed)
    if not seeds or len(set(seeds)) != len(seeds):
        raise InputError(f"Seeds must be distinct and at least one, not {list(seeds)}.")
