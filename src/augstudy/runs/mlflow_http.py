"""Requests to a tracking server of MLflow, and what goes wrong between us, in a sentence each."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import urllib3

from augstudy.core.errors import AugstudyError, InputError, ServiceError
from augstudy.core.redaction import conceal, without_secrets
from augstudy.objects import retry
from augstudy.objects.address import check_endpoint, refuse_credentials
from augstudy.objects.exchange import Answer, exchange, pool, private
from augstudy.objects.retry import TransientError

# The variables of MLflow's own client.
URI = "MLFLOW_TRACKING_URI"
_USER, _PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
_TOKEN, _CA_FILE = "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_SERVER_CERT_PATH"

_PASSING = (408, 429, 500, 502, 503, 504)
_ANSWER_S = 60.0
_LONGEST = 300
Result = TypeVar("Result")


class AbsentError(InputError):
    """There is no such thing on the server."""


class Http:
    """The API at an address; the constructor asks it nothing.

    Raises:
        InputError: this is no address, it carries credentials, or those in the environment would
            travel unencrypted.
    """

    def __init__(self, address: str) -> None:
        if not address:
            raise InputError(f"No address of MLflow: give one, or set {URI}.")
        refuse_credentials(address, "address of MLflow")
        check_endpoint(address, "The address of MLflow")
        self.host = address.rstrip("/")
        self._login = _login()
        if self._login and not private(self.host):
            raise InputError(
                f"The password or token of MLflow would travel to {self.host} unencrypted: give an "
                "https:// address, or forward a port of this machine to it."
            )
        ca_file = os.environ.get(_CA_FILE)
        if ca_file and not Path(ca_file).is_file():
            raise InputError(f"There is no certificate file {ca_file}: see {_CA_FILE}.")
        self._pool = pool(ca_file or None)

    def retried(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """What `function` returns, called again while the server is not ready.

        Raises:
            ServiceError: it never is, or answers what MLflow would not.
        """
        try:
            return retry.call(self.host, "used", function, *arguments)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise self._strange() from error

    def ask(self, method: str, path: str, doing: str, body: Any = None) -> dict[str, Any]:
        """The answer to a request; `doing` completes "does not ...".

        Raises:
            TransientError: no answer, or one that says to try again later.
            ServiceError: a refusal, or an answer that MLflow would not give.
            InputError: the server does not take what was sent; :class:`AbsentError` if something
                is not there.
            ValueError: the answer is not what it must be.
        """
        return self._answer(method, path, doing, {}, body=body)

    def send(self, path: str, doing: str, file: Path) -> None:
        """Put a file; see :meth:`ask`."""
        size = {"Content-Length": str(file.stat().st_size)}
        with file.open("rb") as stream:
            headers = size | {"Content-Type": "application/octet-stream"}
            self._answer("PUT", path, doing, headers, file=stream)

    def _answer(
        self, method: str, path: str, doing: str, headers: Mapping[str, str], **content: Any
    ) -> dict[str, Any]:
        sent = {"Accept": "application/json", **self._login, **headers}
        url = self.host + path
        try:
            answer = exchange(self._pool, method, url, headers=sent, answer_s=_ANSWER_S, **content)
        except urllib3.exceptions.SSLError as error:
            raise ServiceError(
                f"The connection to {self.host} is not trusted: check http:// or https:// in the "
                f"address, or name the certificate's authority with {_CA_FILE}."
            ) from error
        except urllib3.exceptions.HTTPError as error:
            raise TransientError(_unreachable(error)) from error
        return self._checked(answer, doing)

    def _checked(self, answer: Answer, doing: str) -> dict[str, Any]:
        if answer.status in _PASSING:
            raise TransientError(f"HTTP {answer.status}")
        if 200 <= answer.status < 300 and not answer.is_page:
            return answer.content()
        code, said = _said(answer)
        if code == "RESOURCE_ALREADY_EXISTS":  # somebody else was faster: look again
            raise TransientError(said)
        raise self._refused(answer, doing, code, said)

    def _refused(self, answer: Answer, doing: str, code: str, said: str) -> AugstudyError:
        why = f" ({said})" if said else ""
        if answer.status == 401:
            what = "refuses the login" if self._login else "wants a login"
            return ServiceError(
                f"{self.host} {what}: set {_USER} and {_PASSWORD}, or {_TOKEN}, to valid ones."
            )
        if answer.status == 403:
            return ServiceError(
                f"{self.host} does not let us {doing}{why}: check the rights of the user, or name "
                "another experiment with --experiment."
            )
        if answer.is_redirect or (answer.is_page and answer.status < 300):
            return ServiceError(
                f"What answers at {self.host} is a web page or leads to one, and not MLflow: log "
                f"in to the proxy before it with {_TOKEN}, or check the address and its path."
            )
        if not code:
            return self._strange()
        kind = AbsentError if code == "RESOURCE_DOES_NOT_EXIST" else InputError
        return kind(f"MLflow at {self.host} does not {doing}: {said or code}")

    def _strange(self) -> ServiceError:
        return ServiceError(
            f"What answers at {self.host} is not MLflow, or too old: check the address and its "
            "path, and that its version is 2 or later."
        )


def _login() -> dict[str, str]:
    """The header that the variables of MLflow's own client ask for; concealed from here on."""
    token, user, password = (os.environ.get(it, "") for it in (_TOKEN, _USER, _PASSWORD))
    conceal(token, password)
    if user or password:
        header: str = urllib3.make_headers(basic_auth=f"{user}:{password}")["authorization"]
        conceal(header.partition(" ")[2])
        return {"Authorization": header}
    return {"Authorization": f"Bearer {token}"} if token else {}


def _unreachable(error: Exception) -> str:
    """Why there is no answer, in a few words."""
    kinds = urllib3.exceptions
    if isinstance(error, kinds.NameResolutionError):
        return "there is no host of this name"
    if isinstance(error, kinds.NewConnectionError):
        return "nothing answers there"
    return "no answer in time" if isinstance(error, kinds.TimeoutError) else "no whole answer"


def _said(answer: Answer) -> tuple[str, str]:
    """Code and message of an error, on one line and without secrets; of MLflow's own both."""
    try:
        content = json.loads(answer.body)
        code, text = str(content["error_code"]), str(content.get("message") or "")
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        code = ""
        text = "" if answer.is_page else answer.body[:_LONGEST].decode(errors="replace")
    text = " ".join(without_secrets(text).split())
    text = "".join(char if char.isprintable() else " " for char in text)
    return code, text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
