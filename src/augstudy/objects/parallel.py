"""Many small calls side by side, in order."""

import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

AT_ONCE = 8
SMALL_AT_ONCE = 32  # of what is so small that a store takes longer to answer than to send it

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    function: Callable[[Item], Result], items: Iterable[Item], at_once: int = AT_ONCE
) -> Generator[Result, None, None]:
    """Results of `function` of each item, in order; a few are computed ahead, in threads.

    However many items there are, only some are taken ahead of the result that is asked for: four
    times as many as are computed `at_once`. The first failure, or closing, cancels what has not
    started and waits for what has.
    """
    waiting = iter(items)
    with ThreadPoolExecutor(at_once) as pool:
        futures: deque[Future[Result]] = deque()
        try:
            while True:
                for item in itertools.islice(waiting, 4 * at_once - len(futures)):
                    futures.append(pool.submit(function, item))
                if not futures:
                    return
                yield futures.popleft().result()
        finally:
            for future in futures:
                future.cancel()
