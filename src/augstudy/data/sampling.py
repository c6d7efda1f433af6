"""Which rows of a file to read: random blocks, so that few requests fetch few bytes."""

import numpy as np

from augstudy.core.rng import named_generator

# Share read beyond the need, in place of blank and repeated images; more if that was too few.
RESERVES = (0.02, 0.3, 4.0)
_LEAST_RESERVE = 16  # rows
_MOST_BLOCKS = 64  # a class
_SMALLEST_BLOCK = 16  # rows
_NEARLY_ALL = 0.95

RowRange = tuple[int, int]


def choose_rows(
    rows: int, needed: int, name: str, seed: int, reserve: float = RESERVES[0]
) -> list[RowRange]:
    """Choose rows of a class's file: at random, in blocks, and a few more than needed.

    Args:
        rows: how many the file holds, at least `needed`.
        needed: how many usable drawings are wanted.
        name: of the class.
        seed: with `name` and `rows`, decides the choice.
        reserve: share of `needed` to read beyond it.

    Returns:
        Ranges [first, last) in rising order, neighbours merged, that hold exactly `needed` rows
        plus the reserve, or all rows where that is nearly everything.
    """
    wanted = sample_size(rows, needed, reserve)
    if wanted == rows:
        return [(0, rows)]
    block = max(_SMALLEST_BLOCK, -(-wanted // _MOST_BLOCKS))
    order = named_generator(seed, "rows", name, rows).permutation(-(-rows // block))
    chosen, left = [], wanted
    for index in order:
        first = int(index) * block
        last = min(first + block, first + left, rows)
        chosen.append((first, last))
        left -= last - first
        if not left:
            break
    return _merged(sorted(chosen))


def sample_size(rows: int, needed: int, reserve: float) -> int:
    """How many of `rows` to read to have `needed` and the reserve; all if that is nearly all."""
    wanted = min(rows, needed + max(_LEAST_RESERVE, int(np.ceil(needed * reserve))))
    return rows if wanted >= _NEARLY_ALL * rows else wanted


def row_numbers(ranges: list[RowRange]) -> np.ndarray:
    """The numbers of the rows in `ranges`: int64, shape (N,)."""
    if not ranges:
        return np.empty(0, np.int64)
    return np.concatenate([np.arange(first, last, dtype=np.int64) for first, last in ranges])


def _merged(ranges: list[RowRange]) -> list[RowRange]:
    result: list[RowRange] = []
    for first, last in ranges:
        if result and result[-1][1] == first:
            result[-1] = (result[-1][0], last)
        else:
            result.append((first, last))
    return result
