"""What goes wrong between us and Kubeflow Pipelines, in one sentence each."""

import contextlib
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import urllib3
from pydantic import ValidationError

from augstudy.core.errors import AugstudyError, InputError, ServiceError
from augstudy.core.redaction import without_secrets
from augstudy.objects.exchange import Answer

_LONGEST = 300


class UnreachableError(ServiceError):
    """No answer came, or one that says to try again later."""


class AbsentError(InputError):
    """KFP has no such object."""


class Faults:
    """Words errors of requests to one host."""

    def __init__(self, host: str) -> None:
        self._host = host
        self.sent_token = False
        self.withheld = False  # there is a token, but it may not travel

    @contextlib.contextmanager
    def told(self, doing: str) -> Iterator[None]:
        """Turn what requests raise into errors for people; `doing` completes "KFP does not ...".

        Raises:
            ServiceError: unreachable, or an answer that KFP would not give.
        """
        try:
            yield
        except urllib3.exceptions.HTTPError as error:
            raise UnreachableError(self._unreachable(error)) from error
        except AugstudyError:
            raise
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            how = "is missing" if first["type"] == "missing" else "is not what it must be"
            raise self._strange(doing, f"{where} {how}") from None
        except (ValueError, TypeError, AttributeError) as error:
            raise self._strange(doing, "it is not valid JSON") from error

    def check(self, answer: Answer, doing: str) -> None:
        """Raise unless KFP itself answered that it did as it was asked.

        Raises:
            ServiceError: it refuses, or a proxy before it answered.
            InputError: what we sent is wrong; :class:`AbsentError` if something is not there.
        """
        if answer.is_redirect:
            raise self._led_away(answer)
        if not 200 <= answer.status < 300:
            raise self._refused(answer, doing)
        if answer.is_page:
            raise ServiceError(
                f"What answers at {self._host} is a web page and not Kubeflow Pipelines: log in "
                "to the proxy before it by giving a valid token with --token, or check the "
                "address and its path (a full Kubeflow has it under /pipeline)."
            )

    def _strange(self, doing: str, what: str) -> ServiceError:
        return ServiceError(
            f"{self._host} answers as Kubeflow Pipelines would not when asked to {doing} ({what}): "
            "check the address and the server's version."
        )

    def _unreachable(self, error: Exception) -> str:
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

    def _led_away(self, answer: Answer) -> ServiceError:
        target, here = urlsplit(answer.location), urlsplit(self._host)
        if target.scheme == "https" != here.scheme and target.hostname == here.hostname:
            return ServiceError(f"{self._host} wants TLS: start the address with https://.")
        return ServiceError(
            f"{self._host} wants a login: give a token with --token, or check the address."
        )

    def _refused(self, answer: Answer, doing: str) -> AugstudyError:
        status, said = answer.status, self._said(answer.body)
        if status == 401:
            what = "refuses the token" if self.sent_token else "wants a token"
            why = (
                "the one of this pod is sent over https:// and to NAME.NAMESPACE.svc only"
                if self.withheld
                else "give a valid one with --token or AUGSTUDY_KFP_TOKEN"
            )
            return ServiceError(f"The Kubeflow Pipelines at {self._host} {what}: {why}.")
        if status == 403:
            return ServiceError(
                f"The Kubeflow Pipelines at {self._host} does not let us {doing}: check the "
                f"namespace and the rights of the token{f' ({said})' if said else ''}."
            )
        if status in (429, 502, 503, 504):
            return UnreachableError(
                f"The Kubeflow Pipelines at {self._host} is not ready (HTTP {status}): try again."
            )
        kind = InputError if 400 <= status < 500 else ServiceError
        kind = AbsentError if status == 404 else kind
        why = said or f"HTTP {status}"
        return kind(f"The Kubeflow Pipelines at {self._host} does not {doing}: {why}")

    def _said(self, body: bytes) -> str:
        """The message of an error's body, on one line and without secrets."""
        try:
            content = json.loads(body)
            text = str(content.get("message") or content.get("error") or "")
        except (ValueError, TypeError, AttributeError, RecursionError):
            return ""
        return self.shown(text)

    def shown(self, text: str, longest: int = _LONGEST) -> str:
        """What a server said, on one line and without secrets."""
        text = " ".join(without_secrets(text).split())
        text = "".join(char if char.isprintable() else " " for char in text)
        return text if len(text) <= longest else text[: longest - 1] + "…"
