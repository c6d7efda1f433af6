"""On a cluster a step waits for a service that is away, and does its work again.

Argo, as KFP sets it up, retries pods that are lost, not steps that fail; and of those only the ones
that end with exit code 3 are worth it: wrong input or a GAN that collapsed would fail alike. How
often and after how long comes with the compiled pipeline, in ``AUGSTUDY_RETRY``. On one machine
that is not set: whoever sits there would rather see the error.
"""

import functools
import itertools
import json
import logging
import os
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from augstudy.core.errors import InputError, ServiceError
from augstudy.core.stopping import terminable
from augstudy.settings.base import parse
from augstudy.settings.retrying import Retry

VARIABLE = "AUGSTUDY_RETRY"

logger = logging.getLogger("augstudy")
Given = ParamSpec("Given")
Result = TypeVar("Result")


def patient(step: Callable[Given, Result]) -> Callable[Given, Result]:
    """Let what a component calls do its work again after an unreachable service ended it.

    The waits are those of :class:`augstudy.settings.retrying.Retry`; SIGTERM ends them at once,
    with exit code 143. Functions without this are found by a test.
    """

    @functools.wraps(step)
    def run(*arguments: Given.args, **options: Given.kwargs) -> Result:
        told = os.environ.get(VARIABLE)
        if not told or os.environ.get("AUGSTUDY_LOCAL"):
            return step(*arguments, **options)
        retrying = _retrying(told)
        return retrying(step, *arguments, **options)  # type: ignore[no-any-return]

    run.patient = True  # type: ignore[attr-defined]
    return run


def _retrying(told: str) -> Any:
    import tenacity

    try:
        values = json.loads(told)
    except ValueError as error:
        raise InputError(f"{VARIABLE} is {told!r}, which is no JSON: compile again.") from error
    retry = parse(Retry, values, VARIABLE)

    tries = itertools.count(1)

    def wait(seconds: float) -> None:
        with terminable("Ended by SIGTERM while waiting."):
            told = seconds, next(tries), retry.times
            logger.warning("Retrying the step in %.3g s (retry %d of %d).", *told)
            _sleep(seconds)

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(_may_pass),
        stop=tenacity.stop_after_attempt(retry.times + 1),
        wait=tenacity.wait_exponential(
            multiplier=retry.wait_s, exp_base=retry.factor, max=retry.longest_wait_s
        ),
        sleep=wait,
        reraise=True,
    )


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, SystemExit) and isinstance(error.__cause__, ServiceError)


_sleep = time.sleep
