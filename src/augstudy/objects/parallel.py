"""Many small calls side by side, in order."""

import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

AT_ONCE = 8  # HTTP clients keep ten connections each
_AHEAD = 4 * AT_ONCE

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    function: Callable[[Item], Result], items: Iterable[Item]
) -> Generator[Result, None, None]:
    """Results of `function` of each item, in order; a few are computed ahead, in threads.

    However many items there are, only some 30 are taken ahead of the result that is asked for. The
    first failure, or closing, cancels what has not started and waits for what has.
    """
    waiting = iter(items)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures: deque[Future[Result]] = deque()
        try:
            while True:
                for item in itertools.islice(waiting, _AHEAD - len(futures)):
                    futures.append(pool.submit(function, item))
                if not futures:
                    return
                yield futures.popleft().result()
        finally:
            for future in futures:
                future.cancel()
