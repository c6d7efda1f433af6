"""What goes wrong between us and Kubeflow Pipelines, in one sentence each."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from augstudy.core.errors import AugstudyError, InputError, ServiceError

_LONGEST = 300


class UnreachableError(ServiceError):
    """No answer came, or one that says to try again later."""


class Faults:
    """Words errors of requests to one host; knows the token only to keep it out of them."""

    def __init__(self, host: str, secret: str) -> None:
        self._host, self._secret = host, secret

    @contextlib.contextmanager
    def told(self, doing: str) -> Iterator[None]:
        """Turn what requests raise into errors for people; `doing` completes "KFP does not ...".

        Raises:
            ServiceError: unreachable, refused, or an answer that KFP would not give.
            InputError: KFP says that what we sent is wrong.
        """
        import kfp_server_api
        import urllib3

        try:
            yield
        except kfp_server_api.ApiException as error:
            # Without its cause: the log would show the answer's headers and body.
            raise self._answered(error, doing) from None
        except urllib3.exceptions.HTTPError as error:
            raise UnreachableError(self._unreachable(error)) from error
        except AugstudyError:
            raise
        except (ValueError, TypeError, AttributeError, UnicodeDecodeError) as error:
            raise ServiceError(
                f"{self._host} answers as Kubeflow Pipelines would not when asked to {doing}: "
                "check the address and the server's version."
            ) from error

    def _unreachable(self, error: Exception) -> str:
        import urllib3

        reason = getattr(error, "reason", None) or error
        kinds = urllib3.exceptions
        end = "check the address, and that its port is forwarded."
        if isinstance(reason, kinds.SSLError):
            text = str(reason)
            if "WRONG_VERSION_NUMBER" in text or "record layer" in text:
                return f"{self._host} does not speak TLS: start the address with http://."
            return (
                f"The certificate of {self._host} is not trusted: name its authority with ca_file "
                "in kfp.yaml or AUGSTUDY_KFP_CA_FILE."
            )
        if isinstance(reason, kinds.NameResolutionError):
            return f"There is no host of the name {urlsplit(self._host).hostname}: {end}"
        late = isinstance(reason, kinds.TimeoutError)
        # What refuses a connection is a timeout to urllib3.
        if late and not isinstance(reason, kinds.NewConnectionError):
            return f"{self._host} does not answer in time: {end}"
        return f"Nothing answers at {self._host}: {end}"

    def _answered(self, error: Any, doing: str) -> AugstudyError:
        status, said = error.status, self._said(error.body)
        if status == 401:
            what = "refuses the token" if self._secret else "wants a token"
            return ServiceError(
                f"The Kubeflow Pipelines at {self._host} {what}: give a valid one with --token or "
                "AUGSTUDY_KFP_TOKEN."
            )
        if status == 403:
            return ServiceError(
                f"The Kubeflow Pipelines at {self._host} does not let us {doing}: check the "
                f"namespace and the rights of the token{f' ({said})' if said else ''}."
            )
        if 300 <= status < 400:
            return ServiceError(f"{self._host} wants a login: give a token with --token.")
        if status in (429, 502, 503, 504):
            return UnreachableError(
                f"The Kubeflow Pipelines at {self._host} is not ready (HTTP {status}): try again."
            )
        kind = InputError if 400 <= status < 500 else ServiceError
        why = said or f"HTTP {status}"
        return kind(f"The Kubeflow Pipelines at {self._host} does not {doing}: {why}")

    def _said(self, body: Any) -> str:
        """The message of an error's body, on one line and without the token."""
        try:
            content = json.loads(body)
            text = str(content.get("message") or content.get("error") or "")
        except (ValueError, TypeError, AttributeError):
            return ""
        if self._secret:
            text = text.replace(self._secret, "***")
        text = " ".join(text.split())
        return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
