"""The one place that retries remote calls: back-off grows exponentially, with jitter."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import tenacity

from augstudy.core.errors import ServiceError

ATTEMPTS = 6
WAIT = tenacity.wait_exponential(multiplier=0.5, max=8) + tenacity.wait_random(0, 0.5)

logger = logging.getLogger("augstudy")
Result = TypeVar("Result")


class TransientError(Exception):
    """A remote service failed in a way that may pass; seen by nobody outside a retry."""


class PreconditionError(Exception):
    """An object is no longer the one that the call was about."""


class PageError(Exception):
    """A web page, such as that of a login proxy, came in place of a store's answer."""


def call(uri: str, doing: str, function: Callable[..., Result], *arguments: Any) -> Result:
    """`function` of `arguments`, again and again while it raises :class:`TransientError`.

    Args:
        uri: what it is about, for messages.
        doing: ``read`` or ``written``, for messages.
        function: the call.
        *arguments: of the call.

    Raises:
        ServiceError: it failed too often.
    """
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransientError),
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=WAIT,
        before_sleep=lambda state: _log_retry(uri, state),
        reraise=True,
    )
    try:
        return retrying(function, *arguments)
    except TransientError as error:
        raise ServiceError(
            f"{uri} cannot be {doing} ({error}; tried {ATTEMPTS} times): "
            "check the network and the address, then run again."
        ) from error


def _log_retry(uri: str, state: tenacity.RetryCallState) -> None:
    reason = state.outcome.exception() if state.outcome else None
    wait = state.next_action.sleep if state.next_action else 0.0
    logger.warning("%s: %s; trying again in %.1f s", uri, reason, wait)
