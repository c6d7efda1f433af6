"""Requests to Kubeflow Pipelines, and answers that were checked."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from augstudy.cluster import tokens
from augstudy.cluster.connection import Connection
from augstudy.cluster.faults import AbsentError, Faults
from augstudy.cluster.kfp_answers import Health, Model, Page
from augstudy.core.errors import InputError, ServiceError
from augstudy.core.redaction import conceal
from augstudy.objects.exchange import Answer, exchange, pool

_ANSWER_S = 60.0
_HEALTH_S = 10.0
_PAGE = 100
_NOT_KFP = (400, 405, 501)


class KfpHttp:
    """The API behind a connection, which the constructor does not try.

    Raises:
        InputError: there is no host, its certificate authority is missing, or the token that was
            given would travel unencrypted.
        ServiceError: Google's default credentials are wanted and there are none.
    """

    def __init__(self, connection: Connection) -> None:
        if not connection.host:
            raise InputError(
                "No address of Kubeflow Pipelines: give --host, set AUGSTUDY_KFP_HOST, or write "
                "'host: http://localhost:8080' to ~/.config/augstudy/kfp.yaml."
            )
        ca_file = connection.ca_file
        if ca_file and not Path(ca_file).is_file():
            raise InputError(f"There is no certificate file {ca_file}: see ca_file.")
        self.host = connection.host
        self.faults = Faults(connection.host)
        given = connection.token.get_secret_value() if connection.token else ""
        self._token = tokens.source(connection.host, given)
        self.faults.withheld = self._token is None and bool(os.getenv(tokens.TOKEN_FILE_VARIABLE))
        self._pool = pool(ca_file or None)

    def ask(
        self,
        model: type[Model],
        method: str,
        path: str,
        doing: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        fields: Mapping[str, Any] | None = None,
    ) -> Model:
        """The answer to a request; `doing` completes "KFP does not ...".

        Raises:
            ServiceError: no answer, a refusal, or an answer that is not what it must be.
            InputError: KFP says that what we sent is wrong.
        """
        with self.faults.told(doing):
            answer = self._send(method, path, query=query, body=body, fields=fields)
            self.faults.check(answer, doing)
            return model.model_validate(answer.content())

    def pages(
        self, model: type[Model], key: str, path: str, doing: str, **query: str
    ) -> Iterator[Model]:
        """The items of all pages of a listing, which are under `key` in each."""
        token, seen = "", set()
        while True:
            paged = {"page_size": str(_PAGE), **query} | ({"page_token": token} if token else {})
            page = self.ask(Page, "GET", path, doing, query=paged)
            with self.faults.told(doing):
                found = page.items(model, key)
            yield from found
            token = page.next_page_token
            if not token:
                return
            if token in seen:
                raise ServiceError(f"{self.host} lists the same page again and again.")
            seen.add(token)

    def text(self, path: str, doing: str) -> str:
        """An answer that is text.

        Raises:
            ServiceError: see :meth:`ask`.
        """
        with self.faults.told(doing):
            answer = self._send("GET", path)
            self.faults.check(answer, doing)
            return answer.body.decode(errors="replace")

    def health(self) -> Health:
        """What tells KFP 2 from what is something else, or too old.

        Raises:
            ServiceError: it is, or does not answer.
        """
        found = self._health("v2beta1")
        if found:
            return found
        if self._health("v1beta1"):
            raise ServiceError(
                f"The Kubeflow Pipelines at {self.host} is too old: version 2 is needed."
            )
        raise ServiceError(
            f"What answers at {self.host} is not Kubeflow Pipelines: check the address and "
            "its path (a full Kubeflow has it under /pipeline)."
        )

    def version(self) -> str:
        """The version that KFP says it has; empty if it says none."""
        found = self._health("v1beta1")
        return found.tag_name if found else ""

    def _health(self, version: str) -> Health | None:
        """The answer of an API's health check; None if there is no such API."""
        with self.faults.told("answer"):
            answer = self._send("GET", f"/apis/{version}/healthz", answer_s=_HEALTH_S)
            if answer.status in _NOT_KFP:
                return None
            try:
                self.faults.check(answer, "answer")
            except AbsentError:
                return None
            try:
                return Health.model_validate(answer.content())
            except ValueError:
                return None

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        fields: Mapping[str, Any] | None = None,
        answer_s: float | None = None,
    ) -> Answer:
        headers = {"Accept": "application/json"}
        if self._token:
            token = self._token()
            conceal(token)
            self.faults.sent_token = True
            headers["Authorization"] = f"Bearer {token}"
        return exchange(
            self._pool,
            method,
            f"{self.host}{path}?{urlencode(query)}" if query else self.host + path,
            headers=headers,
            answer_s=answer_s or _ANSWER_S,
            body=body,
            fields=fields,
        )
